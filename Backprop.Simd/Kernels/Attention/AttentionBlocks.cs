using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Attention in blocks of queries and keys: no more scores than a tile exist at a time. Forward keeps the maximum and the sum of each query;
/// backward computes the scores again. Dao, Fu, Ermon, Rudra and Re, "FlashAttention", NeurIPS 2022, algorithms 1 and 4.
/// </summary>
internal static class AttentionBlocks
{
    /// <summary>The tiles of one head of a row: probabilities, and their gradients.</summary>
    public const int Tiles = 2 * BlockSoftmax.Tile;

    /// <summary>A block of scores: Q K^T scale, with the masks. Behind its columns the tile has room up to the next row.</summary>
    public static Matrix<T> Scores<T>(in AttentionRules<T> rules, Span<T> tile, ReadOnlyMatrix<T> q, ReadOnlyMatrix<T> k, int item, int t, int s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var scores = new Matrix<T>(tile[..BlockSoftmax.Tile], q.Rows, k.Rows, BlockSoftmax.Keys);
        Gemm.Multiply(AttentionCost.Scale<T>(rules.Sizes), q, k.Transposed, T.Zero, scores);
        rules.Apply(scores, item, t, s);
        return scores;
    }

    /// <summary>The keys that a block of queries sees at most, and which of those from s on its first query sees.</summary>
    public static (int Seen, int First) Visible<T>(in AttentionRules<T> rules, int item, int t, int count, int s)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        rules.IsCausal ? (Math.Min(rules.KeysOf(item), t + count), t + 1 - s) : (rules.KeysOf(item), int.MaxValue);
}

/// <summary>C = softmax(Q K^T scale + bias) V for each row and head, in blocks.</summary>
internal readonly ref struct BlockAttentionForward<T>(AttentionParts<T> parts, AttentionRules<T> rules, Span<T> tiles) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AttentionParts<T> _parts = parts;
    private readonly AttentionRules<T> _rules = rules;
    private readonly Span<T> _tiles = tiles;

    public void Run(ComputeContext compute)
    {
        var sizes = _rules.Sizes;
        compute.For(sizes.Rows * sizes.Heads, 1, AttentionCost.Of(sizes, 2), in this);
    }

    public void Execute(int start, int limit)
    {
        var sizes = _rules.Sizes;
        for (var item = start; item < limit; item++)
        {
            Matrix<T> q = _parts.OfQueries(_parts.Queries, item), c = _parts.OfQueries(_parts.Context, item);
            Matrix<T> k = _parts.OfKeys(_parts.Keys, item / sizes.Group), v = _parts.OfKeys(_parts.Values, item / sizes.Group);
            var tile = _tiles.Slice(item * AttentionBlocks.Tiles, AttentionBlocks.Tiles);
            for (var t = 0; t < sizes.Steps; t += BlockSoftmax.Queries)
            {
                var count = Math.Min(BlockSoftmax.Queries, sizes.Steps - t);
                Span<T> maxima = _parts.MaximumOf(item).Slice(t, count), sums = _parts.SumOf(item).Slice(t, count);
                var context = c.SliceRows(t, count);
                maxima.Fill(T.NegativeInfinity);
                sums.Clear();
                AttentionBackward<T>.Clear(context);
                var seen = AttentionBlocks.Visible(in _rules, item, t, count, 0).Seen;
                for (var s = 0; s < seen; s += BlockSoftmax.Keys)
                {
                    var keys = Math.Min(BlockSoftmax.Keys, seen - s);
                    var p = AttentionBlocks.Scores(in _rules, tile, q.SliceRows(t, count), k.SliceRows(s, keys), item, t, s);
                    BlockSoftmax.Forward(p, AttentionBlocks.Visible(in _rules, item, t, count, s).First, maxima, sums, context);
                    if (_rules.Drops)
                        _rules.Drop(p, p, item, t, s);
                    Gemm.MultiplyAdd(p, v.SliceRows(s, keys), context);
                }

                BlockSoftmax.Finish(maxima, sums, context);
            }
        }
    }
}

/// <summary>
/// The gradients of <see cref="AttentionBackward{T}"/>, in blocks. The sum of P dP of a query is the product of its context with the gradient
/// of its context.
/// </summary>
internal readonly ref struct BlockAttentionBackward<T>(AttentionParts<T> parts, AttentionParts<T> gradients, AttentionRules<T> rules, Span<T> tiles)
    : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AttentionParts<T> _parts = parts, _gradients = gradients;
    private readonly AttentionRules<T> _rules = rules;
    private readonly Span<T> _tiles = tiles;

    public void Run(ComputeContext compute)
    {
        var sizes = _rules.Sizes;
        compute.For(sizes.Rows * sizes.KeyHeads, 1, AttentionCost.Of(sizes, 5), in this);
    }

    public void Execute(int start, int limit)
    {
        for (var item = start; item < limit; item++)
        {
            Matrix<T> dk = _parts.OfKeys(_gradients.Keys, item), dv = _parts.OfKeys(_gradients.Values, item);
            AttentionBackward<T>.Clear(dk);
            AttentionBackward<T>.Clear(dv);
            for (var i = 0; i < _rules.Sizes.Group; i++)
                Head(item * _rules.Sizes.Group + i, dk, dv);
        }
    }

    private void Head(int item, Matrix<T> dk, Matrix<T> dv)
    {
        var sizes = _rules.Sizes;
        var tile = _tiles.Slice(item * AttentionBlocks.Tiles, AttentionBlocks.Tiles);
        var scale = AttentionCost.Scale<T>(sizes);
        Matrix<T> q = _parts.OfQueries(_parts.Queries, item), dq = _parts.OfQueries(_gradients.Queries, item);
        var k = _parts.OfKeys(_parts.Keys, item / sizes.Group);
        AttentionBackward<T>.Clear(dq);
        for (var t = 0; t < sizes.Steps; t += BlockSoftmax.Queries)
        {
            var count = Math.Min(BlockSoftmax.Queries, sizes.Steps - t);
            var seen = AttentionBlocks.Visible(in _rules, item, t, count, 0).Seen;
            for (var s = 0; s < seen; s += BlockSoftmax.Keys)
            {
                var keys = Math.Min(BlockSoftmax.Keys, seen - s);
                var ds = Block(tile, item, (t, count), (s, keys), scale, dv.SliceRows(s, keys));
                Gemm.MultiplyAdd(ds, k.SliceRows(s, keys), dq.SliceRows(t, count));
                Gemm.MultiplyAdd(ds.AsReadOnly().Transposed, q.SliceRows(t, count), dk.SliceRows(s, keys));
            }
        }
    }

    /// <summary>The gradient by the scores of a block, times <paramref name="scale"/>; dV is added to where it is given.</summary>
    internal Matrix<T> Block(Span<T> tile, int item, (int From, int Count) queries, (int From, int Count) keys, T scale, Matrix<T> dv)
    {
        var group = _rules.Sizes.Group;
        var (t, count) = queries;
        Matrix<T> q = _parts.OfQueries(_parts.Queries, item), k = _parts.OfKeys(_parts.Keys, item / group), v = _parts.OfKeys(_parts.Values, item / group);
        var dc = _parts.OfQueries(_gradients.Context, item).SliceRows(t, count);
        var p = AttentionBlocks.Scores(in _rules, tile, q.SliceRows(t, count), k.SliceRows(keys.From, keys.Count), item, t, keys.From);
        var first = AttentionBlocks.Visible(in _rules, item, t, count, keys.From).First;
        BlockSoftmax.Again(p, first, _parts.MaximumOf(item).Slice(t, count), _parts.SumOf(item).Slice(t, count));
        var d = new Matrix<T>(tile[BlockSoftmax.Tile..], count, keys.Count, BlockSoftmax.Keys);
        if (dv.Rows > 0)
        {
            if (_rules.Drops)
                _rules.Drop(p, d, item, t, keys.From);
            Gemm.MultiplyAdd((_rules.Drops ? d : p).AsReadOnly().Transposed, dc, dv);
        }

        Gemm.Multiply(dc, v.SliceRows(keys.From, keys.Count).AsReadOnly().Transposed, d);
        if (_rules.Drops)
            _rules.Drop(d, d, item, t, keys.From);
        Span<T> means = stackalloc T[BlockSoftmax.Queries];
        Means(means, item, t, count);
        BlockSoftmax.Backward(p, d, means, scale);
        return d;
    }

    private void Means(Span<T> means, int item, int t, int count)
    {
        Matrix<T> c = _parts.OfQueries(_parts.Context, item), dc = _parts.OfQueries(_gradients.Context, item);
        for (var i = 0; i < count; i++)
            means[i] = Reductions.Dot<T>(c.Span.Slice((t + i) * c.RowStride, c.Columns), dc.Span.Slice((t + i) * dc.RowStride, dc.Columns));
    }
}
