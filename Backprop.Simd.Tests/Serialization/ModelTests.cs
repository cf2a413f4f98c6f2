using System.Numerics;
using System.Text.Json;
using Backprop.Simd.Inference;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Networks;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>A model is one file: the graph comes back with the numbers, and the file of another graph is refused.</summary>
public sealed class ModelTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayerSamples.All.Count)];

    public void Dispose() => _directory.Dispose();

    [Theory, MemberData(nameof(Samples))]
    public void Every_layer_comes_back_in_its_graph(int sample)
    {
        var (layer, inputs) = (LayerSamples.All[sample].Layer, LayerSamples.All[sample].Inputs);
        var graph = new GraphBuilder();
        Node[] nodes = [.. inputs.Select((type, i) => type.Kind switch
        {
            EdgeKind.Values => graph.Input($"input{i}", type.Shape),
            EdgeKind.Indices => graph.IndexInput($"input{i}", type.Shape),
            _ => graph.Parameter($"input{i}", type.Shape),
        })];
        foreach (var output in graph.ApplyAll(layer, nodes))
            graph.Output(output);
        AssertComesBack(graph.Build().CreateNetwork<double>(seed: 7));
    }

    [Fact]
    public void Random_graphs_come_back()
    {
        LayerKinds.Register<CachedSquare>("cachedsquare", (_, _) => new());
        LayerKinds.Register<Fork>("fork", (_, _) => new());
        var random = new TestRandom(5);
        for (var seed = 0; seed < 200; seed++)
        {
            var choices = new (int, int, int, bool)[random.Integer(1, 12)];
            foreach (ref var choice in choices.AsSpan())
            {
                choice = (random.Integer(0, RandomGraph.Kinds - 1), random.Integer(0, 1000), random.Integer(0, 1000), random.Integer(0, 6) == 0);
            }

            AssertComesBack(RandomGraph.Build(choices, random.Integer(0, 1) == 0).CreateNetwork<float>((ulong)seed));
        }
    }

    [Fact]
    public void A_graph_with_everything_comes_back_and_trains_to_the_same_bits()
    {
        var (first, second) = (Everything().CreateNetwork<float>(seed: 3), Everything().CreateNetwork<float>(seed: 4));
        Train(first, 2);
        var model = new Model<float>(first) { Entries = { ["made by"] = "a test" } };
        model.ClassNames["logits"] = ["a", "b", "ü"];
        model.Vocabularies["words"] = [.. Enumerable.Range(0, 9).Select(i => $"word {i}")];
        model.Save(_directory["a.model"]);
        var again = Model.Load<float>(_directory["a.model"]);
        Assert.Equal(GraphText.Write(first.Definition), GraphText.Write(again.Network.Definition));
        Assert.Equal(first.Seed, again.Network.Seed);
        Assert.Equal(["a", "b", "ü"], again.ClassNames["logits"]);
        Assert.Equal("word 8", again.Vocabularies["words"][8]);
        Assert.Equal("a test", again.Entries["made by"]);
        second.Load(_directory["a.model"]);
        Bits.AssertEqual<float>(first.Parameters, second.Parameters, "parameters");

        // Sizes, sharing and random layers are the same: so is training.
        Train(first, 3);
        Train(again.Network, 3);
        Bits.AssertEqual<float>(first.Parameters, again.Network.Parameters, "parameters");
        Bits.AssertEqual<float>(first.State, again.Network.State, "state");
    }

    [Fact]
    public void The_file_of_another_graph_is_refused()
    {
        static Network<float> Net(Func<Node, Node> middle, int heads = 4) =>
            middle(GraphBuilder.Chain(new Shape(5, 8)).SelfAttention(heads)).Flatten().Affine(3).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var network = Net(x => x.Relu());
        network.Save(_directory["a.safetensors"]);
        Net(x => x.Relu()).Load(_directory["a.safetensors"]);
        Refused(Net(x => x.Relu(), heads: 2), "'multiheadattention1' has the setting 'heads' 2, and 4 in the file.");
        Refused(Net(x => x.Apply(new MultiHeadAttention(1)).Relu()), "missing");
        Refused(Net(x => x.Sigmoid()), "'sigmoid1'");
        Refused(Net(x => x.LeakyRelu().Named("relu1")), "'relu1' is of the kind 'leakyrelu', and 'relu' in the file.");
        var causal = GraphBuilder.Chain(new Shape(5, 8)).SelfAttention(4, causal: true).Relu().Flatten().Affine(3).SoftmaxCrossEntropy();
        Refused(causal.Build<float>(), "'causal'");
        var other = GraphBuilder.Chain(new Shape(5, 8)).SelfAttention(4).Relu().Flatten().Affine(3).SoftmaxCrossEntropy().Build<float>();
        other.Load(_directory["a.safetensors"]);

        // What is served has no loss, and may start its weights in another way.
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 5, 8).SelfAttention(4, initializer: Initialize.Zeros).Relu().Flatten().Affine(3));
        graph.Build().CreateNetwork<float>().Load(_directory["a.safetensors"]);

        void Refused(Network<float> target, string reason)
        {
            var before = target.Parameters.ToArray();
            var message = Assert.Throws<ModelFileException>(() => target.Load(_directory["a.safetensors"])).Message;
            Assert.Contains(reason, message, StringComparison.Ordinal);
            Assert.Equal(before, target.Parameters);
            if (reason != "missing")
                target.Load(_directory["a.safetensors"], new NetworkLoadOptions { IgnoreGraph = true });
        }
    }

    [Fact]
    public void Files_from_before_graphs_load_as_they_did()
    {
        var network = GraphBuilder.Chain(3).Affine(4).BatchNormalization().Relu().Affine(2).SoftmaxCrossEntropy().Build<float>(seed: 6);
        using var stream = typeof(ModelTests).Assembly.GetManifestResourceStream("Files.version1.safetensors")!;
        var before = network.Parameters.ToArray();
        var message = Assert.Throws<ModelFileException>(() => network.Load(stream)).Message;
        Assert.Contains("statistics of 'x'", message, StringComparison.Ordinal);
        Assert.Contains("ReadNormalizations", message, StringComparison.Ordinal);
        Bits.AssertEqual<float>(before, network.Parameters, "before");
        stream.Position = 0;
        var content = network.Load(stream, new() { IgnoreNormalizations = true });
        var expected = GraphBuilder.Chain(3).Affine(4).BatchNormalization().Relu().Affine(2).SoftmaxCrossEntropy().Build<float>(seed: 5);
        Bits.AssertEqual<float>(expected.Parameters, network.Parameters, "parameters");
        Assert.Equal("by 8ab114e, before files held graphs", content.Metadata["made"]);
        stream.Position = 0;
        using (var file = File.Create(_directory["old.safetensors"]))
            stream.CopyTo(file);
        var statistics = Assert.Single(NetworkFiles.ReadNormalizations(_directory["old.safetensors"]));
        Assert.Equal([1, 2, 3], statistics.Offsets.ToArray());

        // Into the graph, loaded, saved anew.
        var normalized = new GraphBuilder().Input("x", 3).Normalize(statistics).Affine(4).BatchNormalization().Relu().Affine(2).SoftmaxCrossEntropy()
            .Build<float>(seed: 7);
        normalized.Load(_directory["old.safetensors"], new() { IgnoreNormalizations = true });
        normalized.Save(_directory["new.safetensors"]);
        var (raw, other, logits, again) = (new float[] { 2, 0, 5 }, new float[] { 2, 0, 5 }, new float[2], new float[2]);
        statistics.Apply(other.AsSpan(), 1);
        new Predictor<float>(expected).Predict(other, logits);
        new Predictor<float>(Model.Load<float>(_directory["new.safetensors"]).Network).Predict(raw, again);
        Bits.AssertEqual<float>(logits, again, "the old program's outputs");
        stream.Position = 0;
        Assert.Contains("holds no graph", Assert.Throws<ModelFileException>(() => Model.Load<float>(stream)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TensorType.F16, 0.0005)]
    [InlineData(TensorType.BF16, 0.004)]
    public void Half_the_size_is_nearest(TensorType type, double tolerance)
    {
        var network = GraphBuilder.Chain(300).Affine(100).Relu().Affine(2).MeanSquaredError().Build<float>(seed: 2);
        var model = new Model<float>(network);
        model.Save(_directory["whole.model"]);
        model.Save(_directory["half.model"], type);
        Assert.InRange(new FileInfo(_directory["half.model"]).Length, 0, 0.53 * new FileInfo(_directory["whole.model"]).Length);
        foreach (var again in (float[][])[Model.Load<float>(_directory["half.model"]).Network.Parameters.ToArray(),
            [.. Model.Load<double>(_directory["half.model"]).Network.Parameters.ToArray().Select(x => (float)x)]])
        {
            for (var i = 0; i < again.Length; i++)
                Assert.InRange(Math.Abs(again[i] - network.Parameters[i]), 0, tolerance * Math.Abs(network.Parameters[i]) + 6e-8);
        }

        network.ParameterOf("affine1.bias")[0] = float.NaN;
        network.ParameterOf("affine1.bias")[1] = float.NegativeInfinity;
        model.Save(_directory["half.model"], type);
        var special = Model.Load<float>(_directory["half.model"]).Network.ParameterOf("affine1.bias");
        Assert.True(float.IsNaN(special[0]));
        Assert.Equal(float.NegativeInfinity, special[1]);
        network.ParameterOf("affine1.bias")[2] = type == TensorType.F16 ? 65520 : float.MaxValue;
        Assert.Contains("affine1.bias", Assert.Throws<ArgumentException>(() => model.Save(_directory["half.model"], type)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("options", () => model.Save(_directory["half.model"], TensorType.I32));
        Assert.Equal(float.NegativeInfinity, Model.Load<float>(_directory["half.model"]).Network.ParameterOf("affine1.bias")[1]);
    }

    [Fact]
    public void Damaged_graphs_are_refused_before_memory_is_taken()
    {
        var affine = GraphBuilder.Chain(3).Affine(2);
        affine.Graph.Loss((affine * affine).Sum());
        var text = GraphText.Write(affine.Graph.Build());
        foreach (var (from, to, reason) in new[]
        {
            ("\"outputs\":2,", "\"outputs\":200000000,", "does not fit"), ("\"shape\":[3]", "\"shape\":[2000000000]", "damaged"),
            ("\"shape\":[3]", "\"shape\":[-3]", "damaged"), ("\"version\":1", "\"version\":2", "version"),
            ("\"kind\":\"affine\"", "\"kind\":\"affin\"", "'affin'"),
            ("\"inputs\":[\"x\"]", "\"inputs\":[\"y\"]", "damaged"), ("\"graph\":[", "\"grap\":[", "damaged"),
            ("\"type\":\"values\"", "\"type\":\"value\"", "'value'"),
            ("\"weight\":1", "\"weight\":1e31", "damaged"), ("{\"version\"", "{{\"version\"", "JSON"),
        })
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            var writer = new SafetensorsWriter { Checksum = true };
            foreach (var (key, value) in new[] { ("format", "backprop.simd"), ("version", "2"), ("element", "F32"), ("seed", "1") })
                writer.AddMetadata(key, value);
            writer.AddMetadata("graph", text.Replace(from, to, StringComparison.Ordinal));
            writer.Add<float>("affine1.weight", new Shape(3, 2), new float[6]);
            writer.Add<float>("affine1.bias", new Shape(2), new float[2]);
            using var stream = new MemoryStream();
            writer.Write(stream);
            stream.Position = 0;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Assert.Throws<ModelFileException>(() => Model.Load<float>(stream));
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        }
    }

    [Fact]
    public void Names_must_fit_what_they_name()
    {
        var model = new Model<float>(Everything().CreateNetwork<float>(seed: 3));
        model.ClassNames["logits"] = ["a", "b"];
        Assert.Contains("'logits'", Assert.Throws<ArgumentException>(() => model.Save(_directory["a.model"])).Message, StringComparison.Ordinal);
        model.ClassNames.Clear();
        model.Vocabularies["x"] = ["a"];
        Assert.Contains("'x'", Assert.Throws<ArgumentException>(() => model.Save(_directory["a.model"])).Message, StringComparison.Ordinal);
        model.Vocabularies.Clear();
        model.ClassNames["batchnormalization1"] = ["a", "b", "b"];
        Assert.Contains("'b' twice", Assert.Throws<ArgumentException>(() => model.Save(_directory["a.model"])).Message, StringComparison.Ordinal);
        model.ClassNames.Clear();
        model.ColumnNames["logits"] = ["a", "b", "c"];
        Assert.Contains("got 'logits'", Assert.Throws<ArgumentException>(() => model.Save(_directory["a.model"])).Message, StringComparison.Ordinal);
        model.ColumnNames.Clear();
        model.ClassNames["nowhere"] = ["a"];
        Assert.Contains("'nowhere'", Assert.Throws<ArgumentException>(() => model.Save(_directory["a.model"])).Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Files);
    }

    [Fact]
    public void A_network_with_a_layer_that_is_not_registered_saves_without_its_graph()
    {
        var network = GraphBuilder.Chain(3).Apply(new Secret()).Affine(2).MeanSquaredError().Build<float>(seed: 1);
        network.Save(_directory["a.safetensors"]);
        network.Load(_directory["a.safetensors"]);
        var unknown = Assert.Throws<ArgumentException>(() => new Model<float>(network).Save(_directory["b.model"]));
        Assert.Contains("Secret", unknown.Message, StringComparison.Ordinal);
        var without = Assert.Throws<ModelFileException>(() => Model.Load<float>(_directory["a.safetensors"]));
        Assert.Contains("holds no graph", without.Message, StringComparison.Ordinal);
    }

    private static NetworkDefinition Everything()
    {
        var graph = new GraphBuilder();
        var time = Dimension.Free("time", 6, 2);
        var x = graph.Input("x", time, 4);
        var words = graph.IndexInput("words", time);
        var table = graph.Parameter("table", new Shape(9, 4), Initialize.Normal(0.1));
        var encoder = graph.Share(new Affine(4));
        var h = graph.Apply(encoder, x).Tanh() + table.Gather(words);
        h = graph.Apply(new EachStep(encoder), h);
        h = graph.Apply(encoder, h).Dropout(0.2).LayerNormalization();
        var (sorted, _) = (h.Lstm(3), 0);
        var features = sorted.Mean(0).Named("features").BatchNormalization();
        var logits = features.Affine(3).Named("logits");
        graph.Output(logits);
        graph.Output(features);
        logits.SoftmaxCrossEntropy(loss: new SoftmaxCrossEntropy([1, 2, 0.5], 0.1));
        var weight = logits.ParameterOf("weight");
        graph.Loss((weight * weight).Sum().Named("penalty"), 0.01);
        graph.Loss((features * graph.SharedInput("scale", 3)).Sum(), 1.0 / 3);
        return graph.Build();
    }

    private static void Train(Network<float> network, int steps)
    {
        var workspace = network.CreateWorkspace(5);
        workspace.SetSizes(("time", 4));
        var random = new TestRandom(9);
        foreach (ref var value in workspace.Input("x"))
            value = random.Signed<float>();
        for (var i = 0; i < workspace.IndexInput("words").Length; i++)
            workspace.IndexInput("words")[i] = i % 9;
        for (var i = 0; i < 5; i++)
            workspace.IndexInput("labels")[i] = i % 3;
        workspace.Input("scale").Fill(0.5f);
        var adam = new Adam<float>(network, 0.01);
        for (var step = 0; step < steps; step++)
            network.Step(workspace, adam);
    }

    private static void AssertComesBack<T>(Network<T> network) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var stream = new MemoryStream();
        new Model<T>(network).Save(stream);
        stream.Position = 0;
        var again = Model.Load<T>(stream).Network;
        Assert.Equal(GraphText.Write(network.Definition), GraphText.Write(again.Definition));
        Bits.AssertEqual<T>(network.Parameters, again.Parameters, "parameters");
        Bits.AssertEqual<T>(network.State, again.State, "state");
        Assert.Equal(network.Definition.InputNames, again.Definition.InputNames);
        Assert.Equal(network.Definition.OutputNames, again.Definition.OutputNames);
        Assert.Equal(network.Definition.LossNames, again.Definition.LossNames);
        foreach (var name in network.Definition.ComputedNames)
            Assert.Equal(network.Definition.TypeOf(name), again.Definition.TypeOf(name));
        using var document = JsonDocument.Parse(GraphText.Write(again.Definition));
        Assert.Equal(GraphText.Version, document.RootElement.GetProperty("version").GetInt32());
    }

    private sealed class Secret : Layer
    {
        public override string Kind => "secret";

        public override void Declare(LayerDeclaration declaration) => declaration.AddOutput(declaration.Inputs[0]);

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
    }
}
