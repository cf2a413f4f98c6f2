using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>Writes one layer: its inputs as they are in the model, the types of its outputs, its numbers, and short forms of operators.</summary>
internal sealed partial class OnnxLayerWriter(OnnxWriter graph, GraphNode node, Func<string, OnnxTensor> numbers, OnnxEdge[] inputs, OnnxEdgeType[] outputs)
{
    public OnnxWriter Graph => graph;

    public GraphNode Node => node;

    public IReadOnlyList<OnnxEdge> Inputs => inputs;

    public IReadOnlyList<OnnxEdgeType> Outputs => outputs;

    public OnnxEdge Input => inputs[0];

    public OnnxEdgeType Output => outputs[0];

    public bool HasParameter(int parameter) => parameter < node.Parameters.Count;

    /// <summary>A parameter as a constant.</summary>
    public string Parameter(int parameter) => graph.Parameter(node.Parameters[parameter], () => numbers(node.Parameters[parameter]));

    public double[] ParameterNumbers(int parameter) => numbers(node.Parameters[parameter]).Numbers;

    public string State(int state) => graph.Parameter(node.States[state], () => numbers(node.States[state]));

    public double[] StateNumbers(int state) => numbers(node.States[state]).Numbers;

    /// <summary>The same layer's numbers, with other inputs and outputs.</summary>
    public OnnxLayerWriter With(OnnxEdge[] otherInputs, OnnxEdgeType[] otherOutputs) => new(graph, node, numbers, otherInputs, otherOutputs);

    /// <summary>A result with its features last.</summary>
    public OnnxEdge Last(string tensor, int output = 0) => new(graph, outputs[output], tensor);

    /// <summary>A result with its channels first.</summary>
    public OnnxEdge First(string tensor, int output = 0) => new(graph, outputs[output], tensor, true);

    /// <summary>A result in the layout of the first input.</summary>
    public OnnxEdge Same(string tensor) => new(graph, outputs[0], tensor, Input.IsChannelsFirst);

    /// <summary>One operator on each element of the first input.</summary>
    public OnnxEdge Unary(string kind, params ReadOnlySpan<OnnxAttribute> attributes) => Same(graph.Node(kind, [Input.Home], attributes));

    /// <summary>A function of each element of the first input.</summary>
    public OnnxEdge Map(Func<string, string> function) => Same(function(Input.Home));

    /// <summary>The first input itself: layers that do nothing in inference.</summary>
    public OnnxEdge Unchanged() => Input;

    /// <summary>A function of inputs that are broadcast to the first output.</summary>
    public OnnxEdge Gate(string kind, params ReadOnlySpan<OnnxEdge> operands)
    {
        var first = IsFirst(operands);
        var tensors = new string[operands.Length];
        for (var i = 0; i < tensors.Length; i++)
            tensors[i] = Aligned(operands[i], first);
        return new(graph, Output, graph.Node(kind, tensors), first);
    }

    /// <summary>Whether operands meet with their channels first: one of them was made so.</summary>
    public bool IsFirst(ReadOnlySpan<OnnxEdge> operands)
    {
        foreach (var operand in operands)
        {
            if (operand.IsChannelsFirst && operand.Rank == Output.Rank)
                return true;
        }

        return false;
    }

    /// <summary>An operand as the operators of ONNX broadcast it: dimensions of size 1 stand between the batch and those that it has.</summary>
    public string Aligned(OnnxEdge operand, bool channelsFirst)
    {
        var missing = Output.Rank - operand.Rank;
        if (!channelsFirst)
            return operand.Type.IsShared ? operand.Last : graph.Unsqueezed(operand.Last, [.. Enumerable.Range(1, missing)]);
        if (operand.Type.IsShared)
        {
            if (operand.Rank < 2)
                return operand.Rank == 0 ? operand.Last : graph.Unsqueezed(operand.Last, [.. Enumerable.Range(1, missing)]);
            var whole = graph.Unsqueezed(operand.Last, [.. Enumerable.Range(0, missing)]);
            return graph.Transposed(whole, [Output.Rank - 1, .. Enumerable.Range(0, Output.Rank - 1)]);
        }

        if (missing == 0)
            return operand.First;
        if (operand.Rank < 2)
            return graph.Unsqueezed(operand.Last, [.. Enumerable.Range(1 + operand.Rank, missing)]);
        var last = graph.Unsqueezed(operand.Last, [.. Enumerable.Range(1, missing)]);
        return graph.Transposed(last, [0, Output.Rank, .. Enumerable.Range(1, Output.Rank - 1)]);
    }

    /// <summary>Numbers that do not change, as an operand: one, one for each channel, or one for each element of a row.</summary>
    public OnnxEdge Pattern(double[] values)
    {
        var shape = values.Length == 1 ? Shape.Scalar : Output.Rank > 0 && values.Length == Output.Shape.Last ? new Shape(values.Length) : Output.Shape;
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        int[] all = [.. shape.CopyTo(sizes)];
        return new(graph, new(EdgeKind.Shared, shape, new bool[all.Length]), graph.Constant(values, all));
    }

    /// <summary>A constant of one number for each channel, or of one number, as an operand.</summary>
    public OnnxEdge Vector(string tensor, int length) => Output.Rank == 0
        ? new(graph, OnnxEdgeType.Of(EdgeKind.Shared), graph.Reshaped(tensor)) : new(graph, OnnxEdgeType.Of(EdgeKind.Shared, length), tensor);

    public string Number(double value) => graph.Number(value);

    public string Add(string x, string y) => graph.Node("Add", [x, y]);

    public string Sub(string x, string y) => graph.Node("Sub", [x, y]);

    public string Mul(string x, string y) => graph.Node("Mul", [x, y]);

    public string Div(string x, string y) => graph.Node("Div", [x, y]);

    public string Do(string kind, params ReadOnlySpan<string> operands) => graph.Node(kind, operands);

    public string Concat(int axis, params ReadOnlySpan<string> parts) =>
        parts.Length == 1 ? parts[0] : graph.Node("Concat", parts, OnnxAttributes.Whole("axis", axis));

    /// <summary>Parts of given sizes along one dimension.</summary>
    public string[] Split(string x, int axis, params long[] sizes) =>
        graph.Nodes("Split", sizes.Length, [x, graph.Integers(sizes)], OnnxAttributes.Whole("axis", axis));

    /// <summary>The size of a dimension of a row: a number, or what it is at run time.</summary>
    public OnnxSize SizeOf(OnnxEdge edge, int axis)
    {
        axis += axis < 0 ? edge.Rank : 0;
        if (!edge.Type.Free[axis])
            return edge.Shape[axis];
        var at = edge.HomeAxis(axis);
        return graph.SizesOf(edge.Home, at, at + 1);
    }

    /// <summary>The first elements of a constant along a dimension, as many as an edge has along one of its dimensions.</summary>
    public string CutTo(string x, int axis, OnnxEdge edge, int dimension) =>
        SizeOf(edge, dimension) is { Tensor: { } size } ? graph.Slice(x, axis, 0, size) : x;

    /// <summary>The dimensions of the input as the operators of a reduction take them: those of a row.</summary>
    public int[] AxesOf(IReadOnlyList<int> axes, bool channelsFirst)
    {
        IEnumerable<int> all = axes.Count > 0 ? axes : Enumerable.Range(0, Input.Rank);
        return [.. all.Select(a => Input.AxisIn(channelsFirst, a)).Order()];
    }
}
