using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The code of docs/layers.md, compiled and run; <see cref="LayersDocumentTests"/> holds it equal to the document.</summary>
internal static class LayersExamples
{
    public static Node Residual()
    {
        // begin Residual
        var graph = new GraphBuilder();
        var x = graph.Input("x", 32, 32, 16);
        var y = (x.Convolution2D(16, 3, padding: 1).BatchNormalization().Relu().Convolution2D(16, 3, padding: 1) + x).Relu();
        // end Residual
        return y;
    }

    public static GraphBuilder Agree()
    {
        // begin Agree
        var graph = new GraphBuilder();
        var encoder = graph.Share(new Affine(16));
        var a = graph.Input("a", 64).Apply(encoder).Tanh();
        var b = graph.Input("b", 64).Apply(encoder).Tanh();
        var scale = graph.Parameter("scale", new Shape(16));
        graph.Loss(((a - b) * scale).SquaredNorm());
        graph.Loss((1 - scale.SquaredNorm()).Relu(), 0.1);      // a norm below 1 costs
        // end Agree
        return graph;
    }

    public static List<double> Pieces(IEnumerable<(float[] X, float[] Targets)> pieces)
    {
        var losses = new List<double>();
        // begin Pieces
        var graph = new GraphBuilder();
        var states = graph.ApplyAll(new Lstm(32), graph.Input("x", 10, 1), graph.Input("h", 32), graph.Input("c", 32));
        states[0].Affine(1).MeanSquaredError();
        graph.Output(states[1]);                                        // h and c at the end of a piece
        graph.Output(states[2]);
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(16);
        var adam = new Adam<float>(network, 0.01);
        foreach (var (x, targets) in pieces)                            // of 16 sequences side by side, in order of time
        {
            workspace.SetInput("x", x);
            workspace.SetInput("targets", targets);
            losses.Add(network.Step(workspace, adam));                  // gradients end where the piece begins
            workspace.SetInput("h", workspace.Output(states[1].Name));  // the states go on
            workspace.SetInput("c", workspace.Output(states[2].Name));
        }
        // end Pieces
        return losses;
    }

    public static Workspace<float> Lengths()
    {
        // begin Lengths
        var graph = new GraphBuilder();
        var tokens = graph.IndexInput("tokens", Dimension.Free("time", 512));
        var x = tokens.Embedding(1000, 64);
        x += graph.Parameter("position", new Shape(512, 64)).CutTo(x);
        x.SelfAttention(4).Mean(0).Affine(2).SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(32);
        workspace.SetSizes(("time", 57));                                  // or Bind a batch, which tells its sizes
        // end Lengths
        return workspace;
    }

    public static void Accumulate(Network<float> network, Workspace<float> workspace, BatchLoader<float> batches, Optimizer<float> adam,
        ExponentialMovingAverage<float> average)
    {
        // begin Accumulate
        var accumulator = new GradientAccumulator<float>(network, workspace);
        for (var i = 0; i < 4; i++)
        {
            workspace.Bind(batches.Next());
            accumulator.Add();
        }

        accumulator.Average();                                // workspace.Gradients are those of one batch with all rows
        network.Update(workspace, adam);
        average.Update(network.Parameters);                   // an ExponentialMovingAverage<float>

        average.Swap(network.Parameters);                     // test with the average, then swap back
        // end Accumulate
    }

    public static LbfgsResult WholeBatch(Network<double> network, Workspace<double> workspace)
    {
        // begin WholeBatch
        var result = new Lbfgs<double>(network).Minimize(network.Parameters, (_, gradient) =>
        {
            var loss = network.Forward(workspace);
            network.Backward(workspace);
            workspace.Gradients.CopyTo(gradient);
            return loss;
        });
        // end WholeBatch
        return result;
    }
}

public sealed class LayersDocumentTests
{
    [Fact]
    public void The_residual_block_keeps_its_shape() => Assert.Equal(new Shape(32, 32, 16), LayersExamples.Residual().Type.Shape);

    [Fact]
    public void Sequences_of_another_length_train()
    {
        var workspace = LayersExamples.Lengths();
        Assert.Equal(32 * 57, workspace.IndexInput("tokens").Length);
        var adam = new Adam<float>(workspace.Network);
        var first = workspace.Network.Step(workspace, adam);
        Assert.InRange(workspace.Network.Step(workspace, adam), 0, first);
    }

    [Fact]
    public void Micro_batches_and_the_average_move_the_weights()
    {
        var network = GraphBuilder.Chain(64).Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var before = network.Parameters.ToArray();
        using var batches = new BatchLoader<float>(Digits.Split().Train.ToDataset<float>(), 16);
        var average = new ExponentialMovingAverage<float>(network);
        LayersExamples.Accumulate(network, network.CreateWorkspace(16), batches, new Adam<float>(network), average);
        Assert.True(average.IsSwapped);
        average.Swap(network.Parameters);
        Assert.NotEqual(before, network.Parameters.ToArray());
    }

    [Fact]
    public void The_whole_batch_fits_a_line()
    {
        var network = GraphBuilder.Chain(1).Affine(1).MeanSquaredError().Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(3);
        workspace.SetInput("x", [0, 1, 2]);
        workspace.SetInput("targets", [1, 3, 5]);
        LayersExamples.WholeBatch(network, workspace);
        Assert.InRange(network.ParameterOf("affine1.weight")[0], 2 - 1e-4, 2 + 1e-4);
    }

    /// <summary>After three values of a wave of period 25 its next value is known; the state carries the phase from piece to piece.</summary>
    [Fact]
    public void Pieces_of_long_sequences_are_learned()
    {
        var pieces = Enumerable.Range(0, 300).Select(piece =>
        {
            float[] Wave(int shift) => [.. Enumerable.Range(0, 16 * 10).Select(i => MathF.Sin(MathF.Tau / 25 * (i / 10 * 3 + piece * 10 + i % 10 + shift)))];
            return (Wave(0), Wave(1));
        });
        var losses = LayersExamples.Pieces(pieces);
        Assert.Equal(300, losses.Count);
        Assert.InRange(losses[^1], 0, 0.05 * losses[0]);
    }

    [Fact]
    public void Two_branches_come_to_agree()
    {
        var network = LayersExamples.Agree().Build().CreateNetwork<float>(seed: 1);
        Assert.Equal(3, network.Definition.Parameters.Entries.Count);
        var workspace = network.CreateWorkspace(8);
        var random = new Random(1);
        foreach (var name in (string[])["a", "b"])
        {
            foreach (ref var value in workspace.Input(name))
                value = random.NextSingle() - 0.5f;
        }

        var adam = new Adam<float>(network, learningRate: 0.01);
        var first = network.Step(workspace, adam);
        for (var step = 0; step < 200; step++)
            network.Step(workspace, adam);
        Assert.InRange(network.Step(workspace, adam), 0, 0.2 * first);
    }

    /// <summary>The examples in the order of the document.</summary>
    private static readonly string[] Names =
    [
        "Residual",
        "Lengths",
        "Agree",
        "Pieces",
        "Accumulate",
        "WholeBatch",
    ];

    public static TheoryData<string> Examples => [.. Names];

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_document_shows_what_is_run(string name) =>
        DocumentExamples.AssertShown("docs/layers.md", "Backprop.Simd.Tests/Documentation/LayersDocumentTests.cs", Names, name);
}
