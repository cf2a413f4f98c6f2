using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Networks after some steps of training, exported: ONNX Runtime gives their outputs.</summary>
public sealed class OnnxTrainedTests
{
    private const int Rows = 16, Classes = 4;

    [Fact]
    public void A_convolutional_network_with_normalization_inside()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 12, 12, 3).Apply(new Normalize([0.1, 0.2, 1e4], [3, 2, 0.5]));
        var y = x.Convolution2D(8, 3, padding: 1, bias: false).BatchNormalization().Relu();
        y = y.Residual(b => b.Convolution2D(8, 3, padding: 1).BatchNormalization().Silu().SqueezeExcite(4)).MaxPooling2D(2).Dropout(0.3);
        y = y.SeparableConvolution2D(12, 3, padding: 1).BatchNormalization().LeakyRelu().SpatialDropout(0.2);
        graph.Output(y.GlobalAveragePooling2D().Affine(1).Apply(new Denormalize([200], [0.01])).Named("price"));
        y.Flatten().Affine(Classes).SoftmaxCrossEntropy();
        Check(graph, "affine2", (x, i) => i % 3 == 2 ? 1e4 + x : x);
    }

    [Fact]
    public void A_transformer()
    {
        var graph = new GraphBuilder();
        var (source, target) = (graph.IndexInput("source", 10), graph.IndexInput("target", 7));
        var lengths = graph.IndexInput("lengths");
        var memory = source.Embedding(20, 16).SinusoidalPositions().TransformerEncoderLayer(4, 32, normalizeFirst: true, dropout: 0.1, lengths: lengths);
        var y = target.Embedding(20, 16).LearnedPositions(7).TransformerDecoderLayer(memory, 4, 32, dropout: 0.1, activation: n => n.Gelu());
        y.LayerNormalization().Affine(20).SoftmaxCrossEntropy("next");
        Check(graph, "affine5", indices: name => name switch { "lengths" => (1, 10), _ => (0, 19) });
    }

    [Fact]
    public void A_bidirectional_lstm_with_lengths()
    {
        var graph = new GraphBuilder();
        var lengths = graph.IndexInput("lengths");
        var y = graph.Input("x", 9, 6).StackedLstm(8, layers: 2, lengths, dropout: 0.2, bidirectional: true);
        (y.GlobalMaxPooling1D(lengths) + y.GlobalAveragePooling1D(lengths)).Affine(Classes).SoftmaxCrossEntropy();
        Check(graph, "affine1", indices: name => name == "lengths" ? (1, 9) : (0, Classes - 1));
    }

    [Fact]
    public void A_character_model_of_any_length()
    {
        var graph = new GraphBuilder();
        var (h, c) = (graph.Input("h", 12), graph.Input("c", 12));
        var time = Dimension.Free("time", 20);
        var states = graph.ApplyAll(new Lstm(12), graph.IndexInput("characters", time).Embedding(30, 8), h, c);
        graph.Output(states[1]);
        graph.Output(states[2]);
        var next = states[0].Gru(12).Affine(30);
        graph.Loss(next.Apply(new SoftmaxCrossEntropy(), graph.IndexInput("next", time)));
        Check(graph, "affine1", indices: _ => (0, 29), sizes: [20, 5, 1]);
    }

    private static void Check(GraphBuilder graph, string output, Func<float, int, double>? input = null, Func<string, (int Least, int Most)>? indices = null,
        int[]? sizes = null)
    {
        var network = graph.Build().CreateNetwork<float>(seed: 3);
        var workspace = network.CreateWorkspace(Rows);
        var adam = new Adam<float>(network, 0.01f);
        var random = new TestRandom(4);
        for (var step = 0; step < 30; step++)
        {
            Fill(workspace);
            Assert.True(double.IsFinite(network.Step(workspace, adam)));
        }

        var outputs = network.Definition.OutputNames.Append(output).Distinct().ToArray();
        foreach (var opset in (int[])[17, 20])
        {
            using var run = OnnxRun.Of(network, new OnnxSaveOptions { Opset = opset, Outputs = outputs });
            Assert.Contains(output, run.Outputs);
            foreach (var rows in (int[])[1, Rows])
            {
                foreach (var size in sizes ?? [0])
                {
                    var inference = network.CreateWorkspace(rows, WorkspaceOptions.Inference with { Retain = Retain.Nodes(output) });
                    if (size > 0)
                        inference.SetSizes(("time", size));
                    Fill(inference);
                    Assert.InRange(run.Difference(inference), 0, 1e-5);
                }
            }
        }

        void Fill(Workspace<float> filled)
        {
            foreach (var name in network.Definition.InputNames)
            {
                if (network.Definition.TypeOf(name).Kind != EdgeKind.Indices)
                {
                    var values = filled.Input(name);
                    for (var i = 0; i < values.Length; i++)
                        values[i] = (float)(input?.Invoke(random.Signed<float>(), i) ?? random.Signed<float>());
                    continue;
                }

                var (least, most) = indices?.Invoke(name) ?? (0, Classes - 1);
                foreach (ref var index in filled.IndexInput(name))
                    index = random.Integer(least, most);
            }
        }
    }
}
