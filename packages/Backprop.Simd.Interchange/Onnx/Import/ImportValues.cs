using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>What a name of an ONNX graph stands for while the graph is imported: numbers that are known, or a node with a view.</summary>
internal abstract class ImportValue
{
    private const int LargestRank = 32;

    /// <summary>The dimensions as ONNX counts them.</summary>
    public abstract int Rank { get; }

    public abstract SymbolicSize SizeOf(int axis);

    /// <summary>The dimensions as ONNX counts them.</summary>
    public SymbolicSize[] Sizes() => [.. Enumerable.Range(0, Rank).Select(SizeOf)];

    /// <summary>The same dimensions, if they are not more than files have.</summary>
    protected static T[] Bounded<T>(T[] dimensions) => dimensions.Length <= LargestRank ? dimensions
        : throw new UnsupportedException($"it makes {dimensions.Length} dimensions; at most {LargestRank} are");

    public string Text() => $"[{string.Join(", ", Sizes())}]";
}

/// <summary>Numbers that are known: an initializer, or what is computed from such and from sizes. Sizes may depend on the batch.</summary>
internal sealed class Folded(OnnxType type, int[] shape, double[] values, int[]? powers = null) : ImportValue
{
    public OnnxType Type => type;

    public int[] Shape { get; } = Bounded(shape);

    public double[] Values => values;

    /// <summary>The powers of the rows; null where no number depends on them.</summary>
    public int[]? Powers { get; } = powers is null || Array.TrueForAll(powers, p => p == 0) ? null : powers;

    /// <summary>The dimension whose one element stands for that of each row of the batch: numbers that a graph repeats for the rows. -1 if none does.
    /// </summary>
    public int BatchAxis { get; init; } = -1;

    /// <summary>The name of the tensor in the file; empty for what is computed.</summary>
    public string Name { get; init; } = "";

    public bool IsFloat => type is OnnxType.Float or OnnxType.Double or OnnxType.Half or OnnxType.BFloat16;

    public override int Rank => Shape.Length;

    /// <summary>The elements as whole numbers, none of which may depend on the batch.</summary>
    public int[] Integers => Powers is null ? [.. values.Select(v => (int)Math.Clamp(v, int.MinValue, int.MaxValue))]
        : throw new UnsupportedException("it needs sizes that depend on the rows of the batch");

    /// <summary>The one element.</summary>
    public double Scalar => values.Length == 1 && Powers is null ? values[0] : throw new UnsupportedException($"it needs one number; there is {Text()}");

    public static Folded Of(OnnxTensor tensor) => new(tensor.Type, tensor.Shape, tensor.Values) { Name = tensor.Name };

    public static Folded OfSizes(params ReadOnlySpan<SymbolicSize> sizes)
    {
        var (values, powers) = (new double[sizes.Length], new int[sizes.Length]);
        for (var i = 0; i < sizes.Length; i++)
            (values[i], powers[i]) = (sizes[i].Value, sizes[i].Power);
        return new(OnnxType.Int64, [sizes.Length], values, powers);
    }

    public override SymbolicSize SizeOf(int axis) => axis == BatchAxis ? SymbolicSize.Batch : new(Shape[axis]);

    public SymbolicSize At(int index) => new(values[index], Powers?[index] ?? 0);

    /// <summary>The elements at some places, in another shape.</summary>
    public Folded Pick(int[] places, params int[] to) =>
        new(type, to, Array.ConvertAll(places, p => values[p]), Powers is null ? null : Array.ConvertAll(places, p => Powers[p]));

    /// <summary>The same elements in another shape.</summary>
    public Folded As(params int[] to) => OnnxTensor.Product(to) == values.Length ? new(type, to, values, Powers) { Name = Name }
        : throw new UnsupportedException($"{Text()} has no shape [{string.Join(", ", to)}]");

    /// <summary>Dimension d of the result is dimension <paramref name="axes"/>[d] here.</summary>
    public Folded Transposed(params int[] axes)
    {
        if (axes.Select((a, d) => a == d).All(same => same))
            return this;
        var moved = OnnxTensor.Of(OnnxType.Double, Shape, values).Transposed(axes);
        return new(type, moved.Shape, moved.Numbers, Powers is null ? null
            : [.. OnnxTensor.OfIntegers(OnnxType.Int64, Shape,
                [.. Powers.Select(p => (long)p)]).Transposed(axes).Integers.Select(p => (int)p)])
        { Name = Name };
    }
}

/// <summary>A node of the graph that is built, and how its dimensions make up those that ONNX counts.</summary>
/// <remarks>
/// <para>Dimension 0 of a node is the batch; dimension d + 1 is dimension d of a row. <see cref="Axes"/> lists, for each dimension that ONNX counts,
/// the dimensions of the node that it is made of: an image [N, C, H, W] that lies in a row [H, W, C] has ((0), (3), (1), (2)), flattened to
/// [N, C H W] it has ((0), (3, 1, 2)), and a dimension of size 1 may have none. So transpositions and reshapes of a graph cost nothing until
/// something needs the numbers in their order.</para>
/// </remarks>
internal sealed class NodeValue(Node node, int[][] axes) : ImportValue
{
    public Node Node => node;

    public int[][] Axes { get; } = Bounded(axes);

    public override int Rank => Axes.Length;

    /// <summary>The dimension, as ONNX counts, that holds the batch; -1 if none does.</summary>
    public int BatchAxis => Array.FindIndex(Axes, a => a.Contains(0));

    /// <summary>The sizes of a row of the node.</summary>
    public int[] Row => [.. Enumerable.Range(0, node.Type.Shape.Rank).Select(d => node.Type.Shape[d])];

    public override SymbolicSize SizeOf(int axis) => Axes[axis].Aggregate(new SymbolicSize(1), (size, p) => size * Physical(p));

    /// <summary>The size of a dimension of the node.</summary>
    public SymbolicSize Physical(int dimension) => dimension == 0 ? SymbolicSize.Batch : new(node.Type.Shape[dimension - 1]);

    public NodeValue With(Node other) => new(other, Axes);
}

/// <summary>An operator asks for what the library, or this reader, does not do.</summary>
/// <param name="reason">What that is, as the end of a sentence.</param>
internal sealed class UnsupportedException(string reason) : Exception(reason);
