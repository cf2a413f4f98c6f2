using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <summary>What an edge of the network is: its kind, its shape at the largest sizes, and which sizes are free until run time.</summary>
internal sealed record OnnxEdgeType(EdgeKind Kind, Shape Shape, bool[] Free)
{
    public int Rank => Shape.Rank;

    public bool IsShared => Kind == EdgeKind.Shared;

    public bool HasFree => Array.IndexOf(Free, true) >= 0;

    /// <summary>A type without free sizes.</summary>
    public static OnnxEdgeType Of(EdgeKind kind, params ReadOnlySpan<int> shape) => new(kind, new Shape(shape), new bool[shape.Length]);

    /// <summary>The type of a step: without the first dimension. A shared edge has no steps.</summary>
    public OnnxEdgeType OfStep()
    {
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        return IsShared ? this : new(Kind, new Shape(Shape.CopyTo(sizes)[1..]), Free[1..]);
    }
}

/// <summary>
/// A value of the network in the model: the tensor that holds it with its features last, [batch, H, W, C], and the tensor that holds it with its
/// channels first, [batch, C, H, W]. One is there from the beginning; a transposition makes the other where an operator asks for it.
/// </summary>
internal sealed class OnnxEdge
{
    private readonly OnnxWriter _graph;
    private string? _last, _first;

    /// <summary>A value with its features last.</summary>
    public OnnxEdge(OnnxWriter graph, OnnxEdgeType type, string tensor)
        : this(graph, type, tensor, false)
    {
    }

    /// <summary>A value in either layout.</summary>
    public OnnxEdge(OnnxWriter graph, OnnxEdgeType type, string tensor, bool channelsFirst)
    {
        (_graph, Type, IsChannelsFirst) = (graph, type, channelsFirst && HasLayouts(type));
        if (IsChannelsFirst)
            _first = tensor;
        else
            _last = tensor;
    }

    public OnnxEdgeType Type { get; }

    public int Rank => Type.Rank;

    public Shape Shape => Type.Shape;

    /// <summary>The layout in which the value was made.</summary>
    public bool IsChannelsFirst { get; }

    /// <summary>The tensor in the layout in which it was made.</summary>
    public string Home => IsChannelsFirst ? First : Last;

    /// <summary>The tensor with its features last.</summary>
    public string Last => _last ??= _graph.Transposed(_first!, [0, .. Enumerable.Range(2, Rank - 1), 1]);

    /// <summary>The tensor with its channels behind the batch. Vectors and what all rows share have one layout.</summary>
    public string First => !HasLayouts(Type) ? Last : _first ??= _graph.Transposed(_last!, [0, Rank, .. Enumerable.Range(1, Rank - 1)]);

    public string In(bool channelsFirst) => channelsFirst ? First : Last;

    /// <summary>Where a dimension of a row lies in the tensor; negative numbers count from the end.</summary>
    public int AxisIn(bool channelsFirst, int axis)
    {
        axis += axis < 0 ? Rank : 0;
        if (Type.IsShared)
            return axis;
        return !channelsFirst || !HasLayouts(Type) ? axis + 1 : axis == Rank - 1 ? 1 : axis + 2;
    }

    /// <summary>Where a dimension of a row lies in <see cref="Home"/>.</summary>
    public int HomeAxis(int axis) => AxisIn(IsChannelsFirst, axis);

    /// <summary>The size of a dimension of a row; refused where it is free until run time.</summary>
    public int Fixed(int axis, string what)
    {
        axis += axis < 0 ? Rank : 0;
        return !Type.Free[axis] ? Shape[axis] : throw new OnnxRefusal($"{what} depends on a size that is free until run time");
    }

    private static bool HasLayouts(OnnxEdgeType type) => type is { Kind: EdgeKind.Values, Rank: > 1 };
}
