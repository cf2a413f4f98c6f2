using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>An operation on arrays: broadcasting, reductions over axes, permutations, picking, scans, resizing, batches of products.</summary>
/// <param name="Name">What peers know it by.</param>
/// <param name="X">The shape of x.</param>
/// <param name="Y">The shape of y; empty for an operation of x alone.</param>
/// <param name="Z">The shape of the result.</param>
internal sealed record ArrayOperation(string Name, int[] X, int[] Y, int[] Z)
{
    public const string AddRows = "add a row", ScaleRows = "multiply each row", ScaleChannels = "multiply channels",
        SumRows = "sum of rows", SumColumns = "sum of columns", MaxRows = "max of rows", LogSumExpRows = "log-sum-exp of rows",
        Transpose = "transpose", ChannelsFirst = "channels first", Gather = "gather rows", ScatterAdd = "scatter rows",
        CumulativeSum = "cumulative sum of rows", TopK = "top of rows", Upsample = "upsample", MultiplyBatch = "batch of products";

    /// <summary>Multiplications and additions, where they are what costs.</summary>
    public double Operations { get; init; }

    /// <summary>What it reads and writes in arrays of one length; null where they differ.</summary>
    public Streams? Streams { get; init; }

    public override string ToString() => $"{Name} {string.Join('x', X)}{(Y.Length == 0 ? "" : $", {string.Join('x', Y)}")}";

    public static int Size(int[] shape) => shape.Aggregate(1, static (product, size) => product * size);
}

/// <summary>An operation with its data. The result of a call is z; of the top of rows, the values.</summary>
internal sealed class ArrayProblem
{
    private readonly float[] _scratch, _places;
    private readonly int[] _order;

    public ArrayProblem(ArrayOperation operation)
    {
        Operation = operation;
        (X, Y, Z) = (new(ArrayOperation.Size(operation.X)), new(ArrayOperation.Size(operation.Y)), new(ArrayOperation.Size(operation.Z)));
        Fill.Uniform(X.Span, seed: 1);
        Fill.Uniform(Y.Span, seed: 2);
        Indices = operation.Name is ArrayOperation.Gather ? Fill.Labels(operation.Z[0], operation.X[0], seed: 3)
            : operation.Name is ArrayOperation.ScatterAdd ? Fill.Labels(operation.X[0], operation.Z[0], seed: 3) : [];
        _scratch = new float[AxisReductions.Scratch(X.Length)];
        _places = new float[Z.Length];
        _order = new int[2 * Indices.Length];
    }

    public ArrayOperation Operation { get; }

    public AlignedBuffer<float> X { get; }

    public AlignedBuffer<float> Y { get; }

    public AlignedBuffer<float> Z { get; }

    /// <summary>The rows to pick, or where rows go.</summary>
    public int[] Indices { get; }

    /// <summary>This library's kernel.</summary>
    public void Run(ComputeContext? context) => Run<float>(X.Span, Y.Span, Z.Span, _scratch, _places, context);

    /// <summary>Against this library in double, whose kernels the tests hold against the definition.</summary>
    public string? Verify(double[] result)
    {
        var expected = new double[Z.Length];
        Run<double>(Fill.ToDouble<float>(X.Span), Fill.ToDouble<float>(Y.Span), expected, new double[_scratch.Length], new double[Z.Length], null);
        if (result.Length != expected.Length)
            return $"{result.Length} numbers instead of {expected.Length}";
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(result[i] - expected[i]) <= 1e-4 * (1 + Math.Abs(expected[i]))))
                return $"number {i} is {result[i]:G9} instead of {expected[i]:G9}";
        }

        return null;
    }

    private void Run<T>(ReadOnlySpan<T> xs, ReadOnlySpan<T> ys, Span<T> z, Span<T> scratch, Span<T> places, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (x, y) = (Operation.X, Operation.Y);
        ShapedSpan<T> a = new(xs, x), b = new(ys, y);
        switch (Operation.Name)
        {
            case ArrayOperation.AddRows:
                Broadcasting.Forward(default(Add), a, b, z, context);
                break;
            case ArrayOperation.ScaleRows or ArrayOperation.ScaleChannels:
                Broadcasting.Forward(default(Multiply), a, b, z, context);
                break;
            case ArrayOperation.SumRows or ArrayOperation.SumColumns:
                AxisReductions.Sum<T>(a, Operation.Z, z, scratch, context);
                break;
            case ArrayOperation.MaxRows:
                AxisReductions.Max(a, Operation.Z, z, scratch, context);
                break;
            case ArrayOperation.LogSumExpRows:
                AxisReductions.LogSumExp(a, Operation.Z, z, scratch, context);
                break;
            case ArrayOperation.Transpose:
                Permutation.Transpose<T>(a, [1, 0], z, context);
                break;
            case ArrayOperation.ChannelsFirst:
                Permutation.Transpose<T>(a, [0, 3, 1, 2], z, context);
                break;
            case ArrayOperation.Gather:
                Indexing.Gather<T>(new(xs, 1, 1, x[0], x[1]), Indices, Indices.Length, z, context);
                break;
            case ArrayOperation.ScatterAdd:
                Indexing.ScatterAdd<T>(new(xs, 1, 1, x[0], x[1]), Indices, [1, 1, Operation.Z[0], x[1]], z, _order, context);
                break;
            case ArrayOperation.CumulativeSum:
                AxisScans.CumulativeSum<T>(a, 1, exclusive: false, reverse: false, z, context);
                break;
            case ArrayOperation.TopK:
                AxisScans.TopK(a, 1, Operation.Z[1], largest: true, z, places, context);
                break;
            case ArrayOperation.Upsample:
                Resize.Forward(new ResizeShape(x[1], x[2], x[3], new Extent(Operation.Z[1], Operation.Z[2]), ResizeMode.Bilinear), xs, z, context);
                break;
            case ArrayOperation.MultiplyBatch:
                Gemm.MultiplyBatch<T>(a, b, z, context);
                break;
            default:
                throw new NotSupportedException(Operation.Name);
        }
    }
}
