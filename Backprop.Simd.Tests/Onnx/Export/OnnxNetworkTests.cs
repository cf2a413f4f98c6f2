using Backprop.Simd.Activations;
using Backprop.Simd.Interchange;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>What a model holds of a network: its inputs, outputs and parameters, and what is refused.</summary>
public sealed class OnnxNetworkTests
{
    /// <summary>A network whose parameters and statistics are all random.</summary>
    internal static Network<float> Filled(NetworkDefinition definition)
    {
        var network = definition.CreateNetwork<float>(seed: 5);
        var random = new TestRandom(9);
        foreach (ref var value in network.Parameters)
            value += 0.2f * (float)random.Signed<double>();
        foreach (ref var value in network.State)
            value = 1 + 0.5f * (float)random.Signed<double>();
        return network;
    }

    [Fact]
    public void Shared_layers_and_parameters_that_are_read_have_one_set_of_numbers()
    {
        var graph = new GraphBuilder();
        var (encoder, memory) = (graph.Share(new Affine(6)), graph.Share(new Lstm(6)));
        var (a, b) = (graph.Input("a", 5, 4), graph.Input("b", 5, 4));
        var e = a.Apply(encoder);
        graph.Output(e.Apply(memory));
        graph.Output(b.Apply(encoder).Apply(memory));
        graph.Output(Node.MatrixProduct(e, e.ParameterOf("weight").Transpose(1, 0)));
        graph.Output(e.ParameterOf("weight"));
        graph.Output(a.EachStep(encoder));
        var network = Filled(graph.Build());
        var model = OnnxModel.Parse(OnnxRun.Model(network));
        Assert.Equal(1, model.Initializers.Keys.Count(k => k == "affine1.bias"));
        Assert.Equal(2, model.Initializers.Keys.Count(k => k.StartsWith("affine1.weight", StringComparison.Ordinal)));
        Assert.Equal(3, model.Initializers.Keys.Count(k => k.StartsWith("lstm1.", StringComparison.Ordinal)));
        Equal(network);
    }

    [Fact]
    public void An_output_may_be_an_input_or_the_value_of_another_output()
    {
        var graph = new GraphBuilder();
        var (x, shared) = (graph.Input("x", 3), graph.SharedInput("shared", 2, 3));
        graph.Output(x);
        graph.Output(x.Dropout(0.5).Named("dropped"));
        var y = x.Affine(3);
        graph.Output(y.Named("y"));
        graph.Output(y.StopGradient().Named("stopped"));
        graph.Output(y.Apply(new GaussianNoise(0.1)).Named("noisy"));
        graph.Output(shared);
        graph.Output(shared * 2);
        graph.Output(shared.Sum());
        graph.Output((shared * x).Mean(0));
        var network = Filled(graph.Build());
        using var run = OnnxRun.Of(network);
        Assert.Equal(network.Definition.OutputNames, run.Outputs);
        Equal(network);
    }

    [Fact]
    public void Names_may_hold_any_characters()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("größe (m²)/x:0", 3, 4);
        var y = x.Convolution1D(4, 3, padding: 1).Named("a b\n\"c\"").Relu().Named("y.relu");
        graph.Output(y);
        graph.Output(y.Flatten().Affine(2).Named("число"));
        var network = Filled(graph.Build());
        using var run = OnnxRun.Of(network);
        Assert.Equal(["y.relu", "число"], run.Outputs);
        Assert.Equal(["größe (m²)/x:0"], run.Inputs);
        Equal(network);
    }

    [Fact]
    public void A_batch_may_be_empty()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 6, 4);
        graph.Output(x.Convolution1D(4, 3).BatchNormalization().Relu().Reshape(2, 8).Affine(3));
        graph.Output(x.EachStep(new Affine(2)).SelfAttention(2));
        var network = Filled(graph.Build());
        using var run = OnnxRun.Of(network);
        Assert.Equal([[0, 2, 3], [0, 6, 2]], run.ShapesWithoutRows(network.Definition));
    }

    [Fact]
    public void Options_choose_outputs_operators_and_the_name_of_the_batch()
    {
        var graph = new GraphBuilder();
        var (x, labels) = (graph.Input("x", 4), graph.IndexInput("labels"));
        var hidden = x.Affine(8).Gelu().Named("hidden");
        var unused = graph.Input("unused", 2).Affine(2);
        graph.Output(unused);
        graph.Loss(graph.Apply(new SoftmaxCrossEntropy(), hidden.Affine(3).Named("logits"), labels));
        var network = Filled(graph.Build());
        var options = new OnnxSaveOptions
        {
            Opset = 20,
            Outputs = ["logits", "hidden"],
            Batch = "rows",
            Metadata = new Dictionary<string, string> { ["author"] = "a", ["größe"] = "" },
        };
        var model = OnnxModel.Parse(OnnxRun.Model(network, options));
        Assert.Equal(20, model.Opset);
        Assert.Equal(["x"], model.Inputs.Select(i => i.Name));
        Assert.Equal(["logits", "hidden"], model.Outputs.Select(o => o.Name));
        Assert.Equal([new(null, "rows"), new(3, null)], model.Outputs[0].Dimensions!);
        Assert.Equal(options.Metadata, model.Metadata);
        Assert.Contains(model.Nodes, n => n.Operator == "Gelu");
        Assert.Contains(OnnxModel.Parse(OnnxRun.Model(network, options with { Opset = 19 })).Nodes, n => n.Operator == "Erf");
        foreach (var wrong in (OnnxSaveOptions[])[options with { Opset = 16 }, options with { Opset = 21 }, options with { Batch = " " },
            options with { Outputs = [] }, options with { Outputs = ["softmaxcrossentropy1"] }, options with { Outputs = ["labels"] },
            options with { Outputs = ["nothing"] }, options with { Outputs = [null!] }, options with { Metadata = null! }])
        {
            Assert.Throws<ArgumentException>("options", () => OnnxRun.Model(network, wrong));
        }
    }

    [Fact]
    public void Layers_that_are_not_the_librarys_are_refused_all_at_once()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4);
        var y = x.Apply(new Activation<Own>(default)).Affine(2).Named("y").Apply(new OwnLayer()).Named("mine");
        graph.Output(y.Apply(new ExpressionLossOf()).Named("last"));
        var message = Assert.Throws<ArgumentException>("network", () => OnnxRun.Model(Filled(graph.Build()))).Message;
        Assert.Contains("cannot say 3 of the layers", message, StringComparison.Ordinal);
        Assert.Contains("'mine' (ownlayer): the class OwnLayer is no layer of the library", message, StringComparison.Ordinal);
        Assert.Contains("'own1' (own)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_of_losses_alone_has_no_model()
    {
        var graph = new GraphBuilder();
        graph.Loss(graph.Input("x", 4).SquaredNorm());
        var network = graph.Build().CreateNetwork<float>();
        Assert.Contains("no output but losses", Assert.Throws<ArgumentException>("options", () => OnnxRun.Model(network)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_written_in_whole_or_not_at_all()
    {
        var path = Path.Combine(Path.GetTempPath(), $"backprop-{Guid.NewGuid():N}.onnx");
        try
        {
            var network = GraphBuilder.Chain(3).Affine(2).Softmax().Build<float>(seed: 1);
            network.SaveOnnx(path);
            var bytes = File.ReadAllBytes(path);
            Assert.Equal(OnnxRun.Model(network), bytes);
            Assert.Throws<ArgumentException>(() => network.SaveOnnx(path, new OnnxSaveOptions { Outputs = ["no"] }));
            Assert.Equal(bytes, File.ReadAllBytes(path));
            using var closed = new MemoryStream(bytes, writable: false);
            Assert.Throws<ArgumentException>("stream", () => network.SaveOnnx(closed));
            Assert.Throws<ArgumentNullException>("network", () => ((Network<float>)null!).SaveOnnx(path));
            Assert.Throws<DirectoryNotFoundException>(() => network.SaveOnnx(Path.Combine(path + ".d", "x.onnx")));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Equal(Network<float> network)
    {
        using var run = OnnxRun.Of(network);
        foreach (var rows in (int[])[1, 3])
            Assert.InRange(run.Difference(network, rows), 0, 1e-5);
    }

    private readonly struct Own : IActivation
    {
        public string Name => "own";

        public bool BackwardUsesInput => false;

        public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => x;

        public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => outputGradient;
    }

    private class OwnLayer : Layer
    {
        public override string Kind => "ownlayer";

        public override void Declare(LayerDeclaration declaration) => declaration.AddOutput(declaration.Inputs[0]);

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
    }

    private sealed class ExpressionLossOf : OwnLayer;
}
