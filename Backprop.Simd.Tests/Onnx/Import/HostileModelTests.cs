using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Damaged and hostile models are refused with one type of exception, in time and memory near those of the file.</summary>
/// <param name="output">What is told.</param>
public sealed class HostileModelTests(ITestOutputHelper output)
{
    private static readonly string[] _small = ["Mlp", "LstmStates", "Channels", "Views", "Padded", "SqueezeExcite", "Embedded", "Slopes"];

    /// <summary>Reads and imports; only the two exceptions may come out.</summary>
    /// <returns>Whether it was imported.</returns>
    private static bool Import(byte[] bytes)
    {
        try
        {
            OnnxFile.Open(new MemoryStream(bytes)).AddTo(new GraphBuilder());
            return true;
        }
        catch (Exception e) when (e is ModelFileException or ArgumentException)
        {
            return false;
        }
    }

    private static bool Import(OnnxModel model) => Import(model.Write().ToArray());

    private static OnnxModel Model(params OnnxNode[] nodes)
    {
        var model = new OnnxModel { Opset = 17 };
        model.AllInputs.Add(new("x", OnnxType.Float, [new(null, "n"), new(3, null), new(4, null)]));
        model.Nodes.AddRange(nodes);
        model.Outputs.Add(new("y", OnnxType.Float, null));
        return model;
    }

    private static OnnxNode Node(string kind, string[] inputs, string output, params OnnxAttribute[] attributes) => new(kind, "", inputs, [output], attributes);

    private static OnnxTensor Longs(params long[] values) => OnnxTensor.OfIntegers(OnnxType.Int64, [values.Length], values);

    [Fact]
    public void Truncated_models_are_refused()
    {
        var bytes = PyTorchExport.Open("Slopes").Bytes;
        var imported = 0;
        for (var length = 0; length < bytes.Length; length++)
            imported += Import(bytes[..length]) ? 1 : 0;
        Assert.True(imported <= 8, $"{imported} truncated models were imported."); // what is cut off are only notes, and sizes of the output
    }

    [Fact]
    public void Mutated_models_throw_nothing_else()
    {
        var random = new Random(11);
        byte[][] models = [.. _small.Select(n => PyTorchExport.Open(n).Bytes)];
        var imported = 0;
        for (var n = 0; n < 6000; n++)
        {
            var bytes = (byte[])models[n % models.Length].Clone();
            for (var k = random.Next(1, 5); k > 0; k--)
            {
                var at = random.Next(bytes.Length);
                bytes[at] = random.Next(4) switch
                {
                    0 => (byte)random.Next(256),
                    1 => (byte)(bytes[at] ^ 1 << random.Next(8)),
                    2 => 255,
                    _ => bytes[random.Next(bytes.Length)]
                };
            }

            imported += Import(bytes) ? 1 : 0;
        }

        output.WriteLine($"{imported} of 6000 were imported");
    }

    [Fact]
    public void Attributes_and_sizes_of_any_value_throw_nothing_else()
    {
        long[] extremes = [long.MinValue, long.MaxValue, int.MinValue, int.MaxValue, -1, 0, 7, 1 << 20];
        float[] numbers = [float.NaN, float.PositiveInfinity, -1, 0, float.MaxValue];
        foreach (var name in PyTorchExport.Names)
        {
            var model = PyTorchExport.Open(name).Model;
            for (var i = 0; i < model.Nodes.Count; i++)
            {
                var node = model.Nodes[i];
                for (var a = 0; a < node.Attributes.Count; a++)
                {
                    var attribute = node.Attributes[a];
                    IEnumerable<OnnxAttribute> changed = attribute.Integer is not null ? extremes.Select(v => attribute with { Integer = v })
                        : attribute.Float is not null ? numbers.Select(v => attribute with { Float = v })
                        : attribute.Integers.Count > 0 ? [.. extremes.Select(v => attribute with { Integers = [v, .. attribute.Integers.Skip(1)] }),
                            attribute with { Integers = [] }]
                        : attribute.Text is not null ? [attribute with { Text = "?" }] : [];
                    foreach (var other in changed)
                    {
                        model.Nodes[i] = node with { Attributes = [.. node.Attributes.Select((old, at) => at == a ? other : old)] };
                        Import(model);
                    }
                }

                model.Nodes[i] = node;
            }

            foreach (var (key, tensor) in model.Initializers.Where(t => t.Value.IsInteger && t.Value.Size is > 0 and < 20).ToArray())
            {
                foreach (var value in extremes)
                {
                    model.Initializers[key] = OnnxTensor.OfIntegers(OnnxType.Int64, tensor.Shape, [value, .. tensor.Integers.Skip(1)]);
                    Import(model);
                }

                model.Initializers[key] = tensor;
            }
        }
    }

    [Fact]
    public void Graphs_that_are_none_are_refused()
    {
        // Cycles, names that two nodes make, names that hide initializers, missing names, empty names.
        Assert.False(Import(Model(Node("Relu", ["b"], "a"), Node("Relu", ["a"], "b"), Node("Add", ["x", "b"], "y"))));
        Assert.False(Import(Model(Node("Relu", ["y"], "y"))));
        Assert.False(Import(Model(Node("Relu", ["x"], "y"), Node("Neg", ["x"], "y"))));
        Assert.False(Import(Model(Node("Relu", ["x"], "x"), Node("Neg", ["x"], "y"))));
        Assert.False(Import(Model(Node("Relu", ["nothing"], "y"))));
        Assert.False(Import(Model(Node("Relu", [""], "y"))));
        Assert.False(Import(Model(Node("Relu", [], "y"))));
        Assert.False(Import(Model(Node("", ["x"], "y"))));
        Assert.False(Import(Model(new OnnxNode("Relu", "", ["x"], [], []))));
        var shadow = Model(Node("Relu", ["x"], "y"));
        shadow.Initializers["y"] = Longs(1);
        Assert.False(Import(shadow));
        var twice = Model(Node("Relu", ["x"], "y"));
        twice.AllInputs.Add(twice.AllInputs[0]);
        Assert.False(Import(twice));
        foreach (var kind in Operators.Known)
        {
            Import(Model(Node(kind, [], "y")));
            Import(Model(Node(kind, ["x"], "y")));
            Import(Model(Node(kind, ["x", "x"], "y")));
            Import(Model(Node(kind, ["x", "x", "x", "x", "x", "x"], "y")));
            Import(Model(Node(kind, ["x", "", "", "", "x"], "y")));
        }
    }

    [Fact]
    public void Sizes_of_any_kind_are_refused_or_imported()
    {
        long?[] sizes = [0, -1, 1, int.MaxValue, long.MaxValue, long.MinValue, 1 << 16, null];
        foreach (var a in sizes)
        {
            foreach (var b in sizes)
            {
                var model = Model(Node("Slice", ["x", "s", "e", "a"], "b"), Node("Reshape", ["b", "r"], "y"));
                model.AllInputs[0] = new("x", OnnxType.Float, [new(a, null), new(b, null), new(a, null)]);
                (model.Initializers["s"], model.Initializers["e"], model.Initializers["a"]) = (Longs(1), Longs(int.MaxValue), Longs(1));
                model.Initializers["r"] = Longs(0, -1);
                Import(model);
            }
        }

        var ranks = Model(Node("Relu", ["x"], "y"));
        ranks.AllInputs[0] = new("x", OnnxType.Float, [.. Enumerable.Repeat(new OnnxDimension(1, null), 1_000_000)]);
        Assert.False(Import(ranks));
        foreach (var kind in (string[])["Unsqueeze", "Squeeze", "Reshape", "Expand", "Tile", "ReduceSum", "Pad"])
        {
            var model = Model(Node(kind, ["x", "a"], "y"));
            model.Initializers["a"] = Longs([.. Enumerable.Range(0, 300_000).Select(i => 1L)]);
            Assert.False(Import(model));
        }
    }

    [Fact]
    public void Small_files_do_not_fill_memory()
    {
        Assert.False(Grows([Node("ConstantOfShape", ["s"], "c")], Longs(100_000, 100_000)));
        Assert.False(Grows([Node("ConstantOfShape", ["s"], "c")], Longs(2_000_000_000)));
        Assert.False(Grows([Node("Expand", ["f", "s"], "c")], Longs(1 << 20, 1 << 10)));
        Assert.False(Grows([Node("Range", ["f", "big", "f"], "c")], Longs(1)));

        // First each node doubles its input. Then each node takes one more input than the node before.
        List<OnnxNode> nodes = [Node("Concat", ["f1", "f1"], "n0", new OnnxAttribute("axis") { Integer = 0 })];
        for (var i = 1; i < 60; i++)
            nodes.Add(Node("Concat", [$"n{i - 1}", $"n{i - 1}"], $"n{i}", new OnnxAttribute("axis") { Integer = 0 }));
        Assert.False(Grows([.. nodes, Node("ReduceSum", ["n59"], "c")], Longs(1)));
        List<OnnxNode> sums = [Node("ConstantOfShape", ["s"], "n0")];
        for (var i = 1; i < 2000; i++)
            sums.Add(Node("Add", [$"n{i - 1}", $"n{i - 1}"], $"n{i}"));
        Assert.False(Grows([.. sums, Node("ReduceSum", ["n1999"], "c")], Longs(1_000_000)));

        static bool Grows(OnnxNode[] made, OnnxTensor shape)
        {
            var model = Model([.. made, Node("Add", ["x", "c"], "y")]);
            model.Initializers["s"] = shape;
            model.Initializers["f"] = OnnxTensor.Of(OnnxType.Float, [], [1]);
            model.Initializers["f1"] = OnnxTensor.Of(OnnxType.Float, [1], [1]);
            model.Initializers["big"] = OnnxTensor.Of(OnnxType.Float, [], [1e9]);
            var before = GC.GetTotalAllocatedBytes();
            var isImported = Import(model);
            var used = GC.GetTotalAllocatedBytes() - before;
            Assert.True(used < 1L << 30, $"{used} bytes were used.");
            return isImported;
        }
    }

    [Theory]
    [InlineData("Relu", 199_000, false)]
    [InlineData("Identity", 199_000, true)]
    [InlineData("Sigmoid", 50_000, true)]
    public void Many_nodes_are_imported(string kind, int count, bool isStar)
    {
        // First a chain. Then many nodes that read one value, and one node that reads them all. An import with quadratic time would not end.
        var model = Model();
        for (var i = 0; i < count; i++)
            model.Nodes.Add(Node(kind, [isStar || i == 0 ? "x" : $"n{i - 1}"], $"n{i}"));
        model.Nodes.Add(isStar ? Node("Sum", [.. Enumerable.Range(0, count).Select(i => $"n{i}")], "y") : Node("Neg", [$"n{count - 1}"], "y"));
        Assert.True(Import(model));
        model.Nodes.AddRange(Enumerable.Range(0, 200_001 - model.Nodes.Count).Select(i => Node("Neg", ["x"], $"more{i}")));
        Assert.False(Import(model));
    }
}
