using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Which module goes to which node, and what is said where something does not fit. The numbers are held to PyTorch's in
/// <c>Interchange/PyTorchModelsTests</c>.</summary>
public sealed class PyTorchLayoutTests
{
    [Fact]
    public void A_square_weight_is_transposed()
    {
        var network = GraphBuilder.Chain(2).Affine(2, bias: false).Build<float>(seed: 1);
        network.Load(Of(("fc.weight", [2, 2], [1, 2, 3, 4])), NetworkLoadOptions.PyTorch);
        Assert.Equal([1, 3, 2, 4], network.Parameters[..4]);
        Assert.Equal([1, 2, 3, 4], Read(network.ToPyTorch().Tensors[0]));
    }

    [Fact]
    public void Two_biases_are_added_and_saved_as_one()
    {
        var network = GraphBuilder.Chain(new Shape(2, 1)).Gru(1).Build<float>(seed: 1);
        network.Load(Of(("gru.weight_ih_l0", [3, 1], [1, 2, 3]), ("gru.weight_hh_l0", [3, 1], [4, 5, 6]), ("gru.bias_ih_l0", [3], [10, 20, 30]),
            ("gru.bias_hh_l0", [3], [1, 2, 3])), NetworkLoadOptions.PyTorch);
        Assert.Equal([11, 22, 30], Entry(network, "gru1.bias"));
        Assert.Equal([3], Entry(network, "gru1.hiddenBias"));
        var saved = network.ToPyTorch().Tensors;
        Assert.Equal(["gru1.weight_ih_l0", "gru1.weight_hh_l0", "gru1.bias_ih_l0", "gru1.bias_hh_l0"], saved.Select(static t => t.Name));
        Assert.Equal([11, 22, 30], Read(saved[2]));
        Assert.Equal([0, 0, 3], Read(saved[3]));
    }

    [Fact]
    public void Names_come_first_then_the_map_then_the_order()
    {
        var file = Of(("a.weight", [2, 2], [1, 2, 3, 4]), ("b.weight", [2, 2], [5, 6, 7, 8]));

        // By order.
        var network = Two("affine1", "affine2");
        Assert.Equal([("affine1", "a"), ("affine2", "b")], Modules(network.LoadPyTorch(Ordered(file))));

        // By name.
        network = Two("b", "a");
        Assert.Equal([("a", "a"), ("b", "b")], Modules(network.LoadPyTorch(file)));

        // By the map, also where names are equal; what is left by order.
        network = Two("b", "a");
        Assert.Equal([("a", "b"), ("b", "a")], Modules(network.LoadPyTorch(file, With(("b", "a")))));
        network = Two("affine1", "affine2");
        Assert.Equal([("affine1", "b"), ("affine2", "a")], Modules(network.LoadPyTorch(file, With(("affine1", "b")))));
        Assert.Equal([5, 7, 6, 8], Entry(network, "affine1.weight"));
    }

    [Fact]
    public void A_file_that_is_sorted_by_name_is_not_matched_by_guess()
    {
        var file = Of(("decoder.weight", [2, 2], [1, 2, 3, 4]), ("encoder.weight", [2, 2], [5, 6, 7, 8]));
        Assert.Contains("is not in the order of the modules, and 'decoder', 'encoder' fit 'affine1' alike", Refusal(Two("affine1", "affine2"), file));

        // Numbers say the order, as numbers.
        var network = Two("affine1", "affine2");
        network.LoadPyTorch(Of(("layers.10.weight", [2, 2], [1, 2, 3, 4]), ("layers.9.weight", [2, 2], [5, 6, 7, 8])));
        Assert.Equal([5, 7, 6, 8], Entry(network, "affine1.weight"));

        // So do shapes.
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 2).Affine(3, bias: false).Affine(2, bias: false));
        network = graph.Build().CreateNetwork<float>();
        network.LoadPyTorch(Of(("a.weight", [2, 3], new float[6]), ("b.weight", [3, 2], new float[6])));
    }

    [Fact]
    public void What_does_not_fit_is_listed()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4, 4, 1).Convolution2D(2, 3).BatchNormalization().Flatten();
        graph.Output(x.Affine(3));
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        float[] before = [.. network.Parameters];
        var file = Of(("conv.weight", [2, 1, 5, 5], new float[50]), ("conv.bias", [2], new float[2]), ("fc.weight", [3, 8], new float[24]),
            ("bn.running_mean", [2], new float[2]), ("bn.weight", [2], new float[2]), ("bn.bias", [2], new float[2]), ("table", [7], new float[7]));
        var message = Refusal(network, file);
        Assert.Contains("missing: 'bn.running_var' [2] of 'batchnormalization1', 'fc.bias' [3] of 'affine1'", message);
        Assert.Contains("unexpected: 'table' [7]", message);
        Assert.Contains("different: 'conv.weight' is [2, 1, 5, 5], 'convolution2d1' takes [2, 1, 3, 3]", message);
        Assert.Equal(before, network.Parameters);

        var other = Of(("conv.weight", [2, 1, 3, 3], new float[18]), ("conv.bias", [2], new float[2]), ("module.fc.weight", [3, 8], new float[24]),
            ("bn.running_mean", [2], [4, 5]), ("bn.weight", [2], new float[2]), ("bn.bias", [2], new float[2]), ("table", [7], new float[7]));
        network.LoadPyTorch(other, new() { AllowMissing = true, Rename = name => name == "table" ? null : name.Replace("module.", "") });
        Assert.Equal([4, 5], network.State[..2]);
        Assert.Contains("'fc.weight' [3, 8], 'fc.bias' [3]", Refusal(network, Of(("x.weight", [1], [1])), With(("affine1", "fc"))));
    }

    [Fact]
    public void Elements_that_do_not_fit_are_different()
    {
        var writer = new SafetensorsWriter();
        writer.Add("fc.weight", new Shape(1, 2), new double[2]);
        var network = GraphBuilder.Chain(2).Affine(1, bias: false).Build<float>(seed: 1);
        Assert.Contains("different: 'fc.weight' is F64, which F32 cannot hold without loss", Refusal(network, Written(writer)));
        network.LoadPyTorch(Written(writer), new() { AllowNarrowing = true });
    }

    [Fact]
    public void What_PyTorch_does_not_have_is_refused_by_name()
    {
        var network = GraphBuilder.Chain(new Shape(2, 3)).Gru(2, resetAfter: false).Build<float>(seed: 1);
        Assert.Contains("'gru1' has no form in PyTorch: its reset gate multiplies before the product",
            Assert.Throws<ArgumentException>(() => network.ToPyTorch()).Message);
        Assert.Contains("'gru1' has no form in PyTorch", Refusal(network, Of(("x.weight", [1], [1]))));
        var grouped = GraphBuilder.Chain(new Shape(2, 4)).SelfAttention(2, keyValueHeads: 1).Build<float>(seed: 1);
        Assert.Contains("heads of keys and values are fewer", Assert.Throws<ArgumentException>(() => grouped.ToPyTorch()).Message);
    }

    [Fact]
    public void Options_that_do_not_belong_together_are_refused()
    {
        var network = GraphBuilder.Chain(2).Affine(1).Build<float>(seed: 1);
        var file = Of(("fc.weight", [1, 2], [1, 2]), ("fc.bias", [1], [3]));
        Assert.Contains("'linear1' has no parameters and no state of its own. The network has: affine1",
            Assert.Throws<ArgumentException>(() => network.LoadPyTorch(file, With(("linear1", "fc")))).Message);
        Assert.Throws<ArgumentException>(() => network.LoadPyTorch(file, new() { Axes = static _ => null }));
        Assert.Throws<ArgumentException>(() => network.Load(file, new() { Modules = new Dictionary<string, string> { ["affine1"] = "fc" } }));
        Assert.Throws<ArgumentException>(() => network.Save(new MemoryStream(), new() { Modules = new Dictionary<string, string> { ["affine1"] = "fc" } }));
        var same = Two("affine1", "affine2");
        Assert.Contains("Two tensors would be named 'fc.weight'", Assert.Throws<ArgumentException>(
            () => same.ToPyTorch(new() { Modules = new Dictionary<string, string> { ["affine1"] = "fc", ["affine2"] = "fc" } })).Message);
    }

    [Fact]
    public void A_file_in_PyTorchs_layout_says_so_and_keeps_the_callers_texts()
    {
        var network = GraphBuilder.Chain(2).Affine(1).Build<float>(seed: 1);
        var memory = new MemoryStream();
        network.Save(memory, NetworkSaveOptions.PyTorch with { Metadata = [new("classes", "a,b")] });
        memory.Position = 0;
        using var file = SafetensorsFile.Open(memory);
        Assert.Equal("pt", file.FindMetadata("format"));
        Assert.Equal("a,b", network.Load(file, NetworkLoadOptions.PyTorch).Metadata["classes"]);
        Assert.True(file.HasChecksum);
        var bytes = memory.ToArray();
        bytes[^1] ^= 1;
        Assert.Contains("does not match its checksum",
            Assert.Throws<ModelFileException>(() => network.Load(new MemoryStream(bytes), NetworkLoadOptions.PyTorch)).Message);
        network.Load(new MemoryStream(bytes), NetworkLoadOptions.PyTorch with { IgnoreChecksum = true });
    }

    [Theory]
    [InlineData(TensorType.F16, 65536f)]
    [InlineData(TensorType.BF16, 3.4e38f)]
    public void A_file_in_PyTorchs_layout_can_have_half_the_size(TensorType type, float tooLarge)
    {
        var network = GraphBuilder.Chain(3).Affine(2).BatchNormalization().Build<float>(seed: 1);
        var (memory, back) = (new MemoryStream(), GraphBuilder.Chain(3).Affine(2).BatchNormalization().Build<float>(seed: 2));
        network.Save(memory, NetworkSaveOptions.PyTorch with { Type = type });
        memory.Position = 0;
        using var file = SafetensorsFile.Open(memory);
        Assert.All(file.Tensors, tensor => Assert.Equal(type, tensor.Type));
        Assert.Equal([2, 3], file["affine1.weight"].Shape.ToArray());
        back.Load(file, NetworkLoadOptions.PyTorch);
        for (var i = 0; i < network.Parameters.Length; i++)
        {
            var x = network.Parameters[i];
            Assert.Equal(type == TensorType.F16 ? (float)(Half)x : BitConverter.UInt32BitsToSingle((uint)UpperHalf.Nearest(x).Bits << 16), back.Parameters[i]);
        }

        network.Parameters[0] = tooLarge;
        var narrow = NetworkSaveOptions.PyTorch with { Type = type };
        Assert.Contains("cannot hold", Assert.Throws<ArgumentException>(() => network.Save(new MemoryStream(), narrow)).Message);
        Assert.Throws<ArgumentException>(() => network.Save(new MemoryStream(), NetworkSaveOptions.PyTorch with { Type = TensorType.I32 }));
    }

    [Fact]
    public void Shared_layers_are_one_module_and_parameters_have_names_of_their_own()
    {
        var graph = new GraphBuilder();
        var shared = graph.Share(new Affine(2));
        var x = graph.Input("x", 2).Apply(shared).Tanh().Apply(shared);
        graph.Output(x * graph.Parameter("scale", new Shape(2)));
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        Assert.Equal(["scale", "affine1.weight", "affine1.bias"], network.ToPyTorch().Tensors.Select(static t => t.Name));
        Assert.Equal("head.gain", network.ToPyTorch(new() { Modules = new Dictionary<string, string> { ["scale"] = "head.gain" } }).Tensors[0].Name);
        var doubles = new double[2];
        network.ToPyTorch().Tensors[0].Read<double>(doubles);
        Assert.Equal(Entry(network, "scale")[0], (float)doubles[0]);
        Assert.Throws<ModelFileException>(() => network.ToPyTorch().Tensors[0].Read<int>(new int[2]));
        Assert.Throws<ArgumentException>(() => network.ToPyTorch().Tensors[0].Read<float>(new float[3]));
    }

    [Fact]
    public void A_layer_of_the_user_keeps_its_names()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 2).Apply(new Stretch()));
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        Assert.Equal(["stretch1.gain", "stretch1.weight"], network.ToPyTorch().Tensors.Select(static t => t.Name));
        network.LoadPyTorch(Of(("block.weight", [2], [1, 2]), ("gain", [2], [3, 4])));
        Assert.Equal([3, 4], Entry(network, "stretch1.gain"));
        Assert.Equal([1, 2], Entry(network, "stretch1.weight"));
    }

    /// <summary>Every place of a flattened image, also at each step of time, and of vectors joined to it.</summary>
    [Fact]
    public void Flattened_images_are_in_the_order_of_channels()
    {
        // Affine 2 x 3 x 2 to 1: weight k there stands for channel k / 6, row k / 3 % 2, column k % 3.
        float[] theirs = [.. Enumerable.Range(0, 12).Select(static i => (float)i)];
        float[] ours =
        [
            .. from h in Enumerable.Range(0, 2) from w in Enumerable.Range(0, 3) from c in Enumerable.Range(0, 2) select (float)(c * 6 + h * 3 + w),
        ];
        Func<Node, Node>[] ways =
        [
            static x => x.Flatten(), static x => x.Reshape(12), static x => x.Relu().Flatten().Dropout(0.5).Tanh(), static x => x.Reshape(2, 3, 2).Flatten(),
            static x => (x * 2).Flatten() + x.Flatten(), static x => x.Flatten().BatchNormalization(affine: false),
        ];
        foreach (var way in ways)
        {
            var network = way(GraphBuilder.Chain(new Shape(2, 3, 2))).Affine(1, bias: false).Build<float>(seed: 1);
            var states = network.Definition.State.Entries.Count == 0 ? []
                : new[] { ("bn.running_mean", new long[] { 12 }, theirs), ("bn.running_var", [12], theirs) };
            network.LoadPyTorch(Of([("fc.weight", [1, 12], theirs), .. states]));
            Assert.Equal(ours, network.Parameters[..12]);
            if (states.Length > 0)
                Assert.Equal(ours, network.State[..12]);
        }

        var steps = GraphBuilder.Chain(new Shape(4, 2, 3, 2)).EachStep(new Flatten()).Lstm(1).Build<float>(seed: 1);
        var file = steps.ToPyTorch();
        for (var i = 0; i < 12; i++)
            steps.Parameters[i * 4] = ours[i];
        var weights = new float[48];
        file.Tensors[0].Read<float>(weights);
        Assert.Equal(theirs, weights[..12]);

        var vector = GraphBuilder.Chain(12).Affine(1, bias: false).Build<float>(seed: 1);
        vector.LoadPyTorch(Of(("fc.weight", [1, 12], theirs)));
        Assert.Equal(theirs, vector.Parameters[..12]);
    }

    private static Network<float> Two(string first, string second)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2).Affine(2, bias: false).Named(first).Affine(2, bias: false).Named(second);
        graph.Output(x);
        return graph.Build().CreateNetwork<float>(seed: 1);
    }

    [Fact]
    public void Modules_that_leave_a_container_and_come_back_are_not_matched_by_order()
    {
        // Registered: a.one, a.two, b; the network runs b between both.
        var file = Of(("a.one.weight", [2, 2], [1, 2, 3, 4]), ("a.two.weight", [3, 2], [1, 2, 3, 4, 5, 6]), ("b.weight", [2, 2], [5, 6, 7, 8]));
        static Network<float> Net() => With(GraphBuilder.Chain(2).Affine(2, bias: false).Affine(2, bias: false).Affine(3, bias: false));
        static Network<float> With(Node end)
        {
            end.Graph.Output(end);
            return end.Graph.Build().CreateNetwork<float>();
        }

        Assert.Contains("leaves 'a' and comes back to it for 'a.two'", Refusal(Net(), Ordered(file)), StringComparison.Ordinal);
        var named = new NetworkLoadOptions { Modules = new Dictionary<string, string> { ["affine2"] = "b" } };
        Assert.Equal([("affine1", "a.one"), ("affine2", "b"), ("affine3", "a.two")], Modules(Net().LoadPyTorch(Ordered(file), named)));
    }

    private static float[] Entry(Network<float> network, string name)
    {
        var range = network.Definition.Parameters[name].Range;
        return [.. network.Parameters.Slice(range.Start, range.Length)];
    }

    private static IEnumerable<(string, string)> Modules(NetworkFileContent content) => content.Modules.Select(static m => (m.Key, m.Value)).Order();

    private static NetworkLoadOptions With(params (string Node, string Module)[] names) =>
        new() { Modules = names.ToDictionary(static n => n.Node, static n => n.Module) };

    private static string Refusal(Network<float> network, ITensorFile file, NetworkLoadOptions? options = null) =>
        Assert.Throws<ModelFileException>(() => network.LoadPyTorch(file, options)).Message;

    private static float[] Read(INamedTensor tensor)
    {
        var values = new float[tensor.Shape.ToArray().Aggregate(1L, static (x, y) => x * y)];
        tensor.Read<float>(values);
        return values;
    }

    private static SafetensorsFile Of(params (string Name, long[] Shape, float[] Values)[] tensors)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, shape, values) in tensors)
            writer.Add(name, shape, values);
        return Written(writer);
    }

    private static SafetensorsFile Written(SafetensorsWriter writer)
    {
        var memory = new MemoryStream();
        writer.Write(memory);
        memory.Position = 0;
        return SafetensorsFile.Open(memory);
    }

    private static InOrder Ordered(SafetensorsFile file) => new InOrder(file);

    private sealed class InOrder(SafetensorsFile file) : ITensorFile
    {
        public string Origin => file.Origin;

        public IReadOnlyList<INamedTensor> Tensors => file.Tensors;

        public bool IsInOrder => true;
    }

    private sealed class Stretch : Layer
    {
        public override string Kind => "stretch";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(1);
            declaration.AddParameter("gain", new Shape(2), 1, 1, null);
            declaration.AddParameter("weight", new Shape(2), 1, 1, null);
            declaration.AddOutput(declaration.Inputs[0]);
        }

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
    }
}
