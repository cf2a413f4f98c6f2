using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Queries, keys, values and contexts of all rows, [rows * positions, D], and one [T, S] per row and head: probabilities in
/// forward, their gradients and those by the scores in backward.
/// </summary>
internal readonly ref struct AttentionParts<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public AttentionParts(Span<T> block, int rows, int steps, int length, int size)
    {
        int queries = rows * steps, keys = rows * length;
        Queries = new(block, queries, size);
        Context = new(block[(queries * size)..], queries, size);
        Keys = new(block[(2 * queries * size)..], keys, size);
        Values = new(block[((2 * queries + keys) * size)..], keys, size);
        Scores = block[((queries + keys) * 2 * size)..];
        Rows = rows;
    }

    public int Rows { get; }

    public Matrix<T> Queries { get; }

    public Matrix<T> Context { get; }

    public Matrix<T> Keys { get; }

    public Matrix<T> Values { get; }

    public Span<T> Scores { get; }

    /// <summary>The columns of one head in one row of the batch.</summary>
    public static Matrix<T> Head(Matrix<T> all, int item, int heads, int positions)
    {
        var columns = all.Columns / heads;
        return all.SliceRows(item / heads * positions, positions).SliceColumns(item % heads * columns, columns);
    }

    public Matrix<T> ScoresOf(int item, int steps, int length) => new(Scores[(item * steps * length)..], steps, length);
}

/// <summary>How many keys the queries see.</summary>
internal static class AttentionMask
{
    /// <summary>Queries at a time in a causal layer: what no query of a block sees is left out.</summary>
    public const int CausalBlock = 64;

    /// <summary>Nanoseconds per probability: a multiply-add per column in each of <paramref name="products"/>, and the softmax.</summary>
    public static double Cost(int products, int columns) => 1 + products * columns * 0.02;
}

/// <summary>P = softmax(Q K^T scale), C = P V, for each row and head.</summary>
internal readonly ref struct AttentionForward<T>(AttentionParts<T> parts, ReadOnlySpan<int> lengths, int steps, int length, int heads, bool causal) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AttentionParts<T> _parts = parts;
    private readonly ReadOnlySpan<int> _lengths = lengths;

    public void Run(ComputeContext compute) =>
        compute.For(_parts.Rows * heads, 1, (double)_parts.Rows * heads * steps * length * AttentionMask.Cost(2, _parts.Queries.Columns / heads), in this);

    public void Execute(int start, int limit)
    {
        var scale = T.One / T.Sqrt(T.CreateChecked(_parts.Queries.Columns / heads));
        for (var item = start; item < limit; item++)
        {
            var keysSeen = _lengths.IsEmpty ? length : _lengths[item / heads];
            Matrix<T> q = AttentionParts<T>.Head(_parts.Queries, item, heads, steps), c = AttentionParts<T>.Head(_parts.Context, item, heads, steps);
            Matrix<T> k = AttentionParts<T>.Head(_parts.Keys, item, heads, length), v = AttentionParts<T>.Head(_parts.Values, item, heads, length);
            var p = _parts.ScoresOf(item, steps, length);
            var block = causal ? AttentionMask.CausalBlock : steps;
            for (var t = 0; t < steps; t += block)
            {
                var count = Math.Min(block, steps - t);
                var seen = causal ? Math.Min(keysSeen, t + count) : keysSeen;
                var scores = p.SliceRows(t, count).SliceColumns(0, seen);
                Gemm.Multiply(scale, q.SliceRows(t, count), k.SliceRows(0, seen).AsReadOnly().Transposed, T.Zero, scores);
                PrefixSoftmax.Forward(scores, causal ? t + 1 : seen);
                Gemm.Multiply(scores, v.SliceRows(0, seen), c.SliceRows(t, count));
            }
        }
    }
}

/// <summary>
/// dV = P^T dC, dP = dC V^T, dS = P (dP - sum of P dP) scale over each query, dQ = dS K, dK = dS^T Q, for each row and head.
/// </summary>
internal readonly ref struct AttentionBackward<T>(
    AttentionParts<T> parts, AttentionParts<T> gradients, ReadOnlySpan<int> lengths, int steps, int length, int heads, bool causal) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AttentionParts<T> _parts = parts, _gradients = gradients;
    private readonly ReadOnlySpan<int> _lengths = lengths;

    public void Run(ComputeContext compute) =>
        compute.For(_parts.Rows * heads, 1, (double)_parts.Rows * heads * steps * length * AttentionMask.Cost(4, _parts.Queries.Columns / heads), in this);

    public void Execute(int start, int limit)
    {
        var scale = T.One / T.Sqrt(T.CreateChecked(_parts.Queries.Columns / heads));
        for (var item = start; item < limit; item++)
        {
            var keysSeen = _lengths.IsEmpty ? length : _lengths[item / heads];
            Matrix<T> q = AttentionParts<T>.Head(_parts.Queries, item, heads, steps), dq = AttentionParts<T>.Head(_gradients.Queries, item, heads, steps);
            Matrix<T> k = AttentionParts<T>.Head(_parts.Keys, item, heads, length), dk = AttentionParts<T>.Head(_gradients.Keys, item, heads, length);
            Matrix<T> v = AttentionParts<T>.Head(_parts.Values, item, heads, length), dv = AttentionParts<T>.Head(_gradients.Values, item, heads, length);
            var dc = AttentionParts<T>.Head(_gradients.Context, item, heads, steps);
            Matrix<T> p = _parts.ScoresOf(item, steps, length), ds = _gradients.ScoresOf(item, steps, length);
            for (var s = 0; s < length; s++)
            {
                dk.Span.Slice(s * dk.RowStride, dk.Columns).Clear();
                dv.Span.Slice(s * dv.RowStride, dv.Columns).Clear();
            }

            var block = causal ? AttentionMask.CausalBlock : steps;
            for (var t = 0; t < steps; t += block)
            {
                var count = Math.Min(block, steps - t);
                var seen = causal ? Math.Min(keysSeen, t + count) : keysSeen;
                var probabilities = p.SliceRows(t, count).SliceColumns(0, seen).AsReadOnly();
                var scores = ds.SliceRows(t, count).SliceColumns(0, seen);
                var dcBlock = dc.SliceRows(t, count);
                Gemm.MultiplyAdd(probabilities.Transposed, dcBlock, dv.SliceRows(0, seen));
                Gemm.Multiply(dcBlock, v.SliceRows(0, seen).AsReadOnly().Transposed, scores);
                PrefixSoftmax.Backward(probabilities, scores, causal ? t + 1 : seen, scale);
                Gemm.Multiply(scores, k.SliceRows(0, seen), dq.SliceRows(t, count));
                Gemm.MultiplyAdd(scores.AsReadOnly().Transposed, q.SliceRows(t, count), dk.SliceRows(0, seen));
            }
        }
    }
}
