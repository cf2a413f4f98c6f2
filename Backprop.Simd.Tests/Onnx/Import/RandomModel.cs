using Backprop.Simd.Interchange;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A small random model of ONNX: 3 to 12 nodes that transpose, reshape, broadcast, reduce, join, take and compute.</summary>
/// <remarks>The batch is dimension 0 of each input, free or written into the shapes; some nodes move it, or make it one dimension with others.</remarks>
internal sealed partial class RandomModel
{
    private readonly Random _random;
    private readonly List<(string Name, int[] Shape)> _values = [];
    private readonly bool _isFree;
    private int _names;

    public RandomModel(int seed)
    {
        _random = new(seed);
        _isFree = seed % 2 == 0;
        Rows = 1 + _random.Next(3);
        Model = new() { Opset = 17 };
        for (var i = 0; i < 1 + _random.Next(2); i++)
            AddInput($"x{i}");
        var nodes = 3 + _random.Next(10);
        while (Model.Nodes.Count < nodes)
            AddNode();
        foreach (var name in (string[])[_values[^1].Name, _values[_random.Next(_values.Count)].Name])
        {
            if (Model.Outputs.All(o => o.Name != name) && !Inputs.ContainsKey(name))
                Model.Outputs.Add(new(name, OnnxType.Float, null));
        }
    }

    public int Rows { get; }

    public OnnxModel Model { get; }

    public Dictionary<string, OnnxTensor> Inputs { get; } = [];

    private static int Size(params ReadOnlySpan<int> shape) => OnnxTensor.Product(shape);

    private bool Chance(double share) => _random.NextDouble() < share;

    private static int[] Below(int count) => [.. Enumerable.Range(0, count)];

    private double[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Round(_random.NextDouble() * 4 - 2, 3))];

    private void AddInput(string name)
    {
        int[] row = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _random.Next(1, 5))];
        if (row.Length == 3 && Chance(0.5))
            row = [row[0] * 2, row[1] + 2, row[2] + 2];
        int[] shape = [Rows, .. row];
        Model.AllInputs.Add(new(name, OnnxType.Float, [.. shape.Select((d, i) => i == 0 && _isFree ? new OnnxDimension(null, "batch") : new(d, null))]));
        Inputs[name] = OnnxTensor.Of(OnnxType.Float, shape, Numbers(Size(shape)));
        _values.Add((name, shape));
    }

    private string Constant(int[] shape, double[] numbers)
    {
        var name = $"c{_names++}";
        Model.Initializers[name] = OnnxTensor.Of(OnnxType.Float, shape, numbers);
        return name;
    }

    private string Constant(params int[] shape) => Constant(shape, Numbers(Size(shape)));

    private string Integers(params int[] values)
    {
        var name = $"i{_names++}";
        Model.Initializers[name] = OnnxTensor.OfIntegers(OnnxType.Int64, [values.Length], [.. values.Select(v => (long)v)]);
        return name;
    }

    private void Node(string kind, int[] shape, string[] inputs, params OnnxAttribute[] attributes)
    {
        if (Size(shape) is 0 or > 4000 || shape.Length > 6)
            return;
        var name = $"v{_names++}";
        Model.Nodes.Add(new(kind, "", inputs, [name], attributes) { Name = name });
        _values.Add((name, shape));
    }

    /// <summary>A value, most often one of the last.</summary>
    private (string Name, int[] Shape) Any() => Chance(0.7) ? _values[^1] : _values[_random.Next(_values.Count)];

    private static OnnxAttribute Integer(string name, int value) => new(name) { Integer = value };

    private static OnnxAttribute List(string name, params int[] values) => new(name) { Integers = [.. values.Select(v => (long)v)] };

    private void AddNode()
    {
        var (x, s) = Any();
        switch (_random.Next(26))
        {
            case 0: Node(Pick("Relu", "Sigmoid", "Tanh", "Neg", "Abs", "LeakyRelu", "Softplus", "HardSwish", "Elu"), s, [x]); break;
            case 1 or 2: AddBroadcast(x, s); break;
            case 3 or 4 or 5: AddTranspose(x, s); break;
            case 6 or 7 or 8: AddReshape(x, s); break;
            case 9 or 10: AddReduce(x, s); break;
            case 11 or 12: AddConcat(x, s); break;
            case 13: AddSlice(x, s); break;
            case 14: AddGather(x, s); break;
            case 15: AddUnsqueeze(x, s); break;
            case 16 when s.Length > 0: Node(Pick("Softmax", "LogSoftmax"), s, [x], Integer("axis", Axis(s))); break;
            case 17: AddProduct(x, s); break;
            case 18: AddPairs(x, s); break;
            case 19 or 20: AddImage(x, s); break;
            case 21: AddExpand(x, s); break;
            case 22: AddPad(x, s); break;
            case 23: AddWhere(x, s); break;
            case 24 when s.Length > 1: AddNormalization(x, s); break;
            case 25 when s.Length > 0: AddAlong(x, s); break;
        }
    }

    private string Pick(params string[] names) => names[_random.Next(names.Length)];

    /// <summary>A random dimension. It is rarely the batch, and sometimes negative.</summary>
    private int Axis(int[] shape)
    {
        var axis = shape.Length > 1 && Chance(0.9) ? _random.Next(1, shape.Length) : _random.Next(shape.Length);
        return Chance(0.3) ? axis - shape.Length : axis;
    }

    private static int From(int axis, int[] shape) => axis < 0 ? axis + shape.Length : axis;

    private int[] Permutation(int count)
    {
        var order = Below(count);
        _random.Shuffle(order);
        return order;
    }
}
