using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The gradient by what was added to the scores: dS, summed over the rows, heads and queries that share it.</summary>
internal static class AttentionBias
{
    /// <summary>Tiles of a bias are shared out over so many lanes, each with space of its own. It bounds the threads, and the space.</summary>
    public const int Lanes = 8;

    /// <summary>Sums of blocks that wait, <see cref="BlockSums"/>: enough for 2^32 tiles.</summary>
    private const int Slots = 26;

    /// <summary>The tiles of a lane: two to compute with, and sums that wait.</summary>
    public const int LaneTiles = (2 + Slots) * BlockSoftmax.Tile;

    /// <summary>From dS of all rows and heads, [rows, heads, T, S].</summary>
    public static void FromScores<T>(in AttentionRules<T> rules, ReadOnlySpan<T> scores, Destination<T> bias, Span<T> scratch, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sizes = rules.Sizes;
        var elements = sizes.Rows * sizes.Heads * sizes.Steps * sizes.Length;
        AxisReductions.Sum(new ShapedSpan<T>(scores[..elements], sizes.Rows, sizes.Heads, sizes.Steps, sizes.Length),
            [rules.BiasShape.Rows, rules.BiasShape.Heads, rules.BiasShape.Steps, sizes.Length], bias, scratch, compute);
    }
}

/// <summary>
/// The same in blocks: each tile of the bias, in its lane, takes the tiles of dS that add up to it one after the other, in blocks whose sums
/// meet pairwise. The tiles are computed once more.
/// </summary>
internal readonly unsafe ref struct BlockAttentionBias<T>(
    BlockAttentionBackward<T> backward, AttentionRules<T> rules, Destination<T> bias, Span<T> lanes) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly BlockAttentionBackward<T> _backward = backward;
    private readonly AttentionRules<T> _rules = rules;
    private readonly Destination<T> _bias = bias;
    private readonly Span<T> _lanes = lanes;

    public void Run(ComputeContext compute) => compute.For(AttentionBias.Lanes, 1, AttentionCost.Of(_rules.Sizes, 2), in this);

    public void Execute(int start, int limit)
    {
        var (sizes, (rows, heads, steps)) = (_rules.Sizes, _rules.BiasShape);
        int queryBlocks = steps == 1 ? 1 : Blocks(sizes.Steps, BlockSoftmax.Queries), keyBlocks = Blocks(sizes.Length, BlockSoftmax.Keys);
        for (var lane = start; lane < limit; lane++)
        {
            var space = _lanes.Slice(lane * AttentionBias.LaneTiles, AttentionBias.LaneTiles);
            for (var tile = lane; tile < rows * heads * queryBlocks * keyBlocks; tile += AttentionBias.Lanes)
            {
                var slice = tile / keyBlocks / queryBlocks;
                Tile(space, slice / heads, slice % heads, tile / keyBlocks % queryBlocks, tile % keyBlocks * BlockSoftmax.Keys);
            }
        }
    }

    private static int Blocks(int positions, int block) => (positions + block - 1) / block;

    /// <summary>One tile of the bias: of a row and head of it, a block of queries (or the sum of all), from key s on.</summary>
    private void Tile(Span<T> space, int biasRow, int biasHead, int queryBlock, int s)
    {
        var (sizes, (biasRows, biasHeads, biasSteps)) = (_rules.Sizes, _rules.BiasShape);
        var keys = Math.Min(BlockSoftmax.Keys, sizes.Length - s);
        var rows = biasSteps == 1 ? 1 : Math.Min(BlockSoftmax.Queries, sizes.Steps - queryBlock * BlockSoftmax.Queries);
        var width = rows * BlockSoftmax.Keys;
        int itemRows = biasRows == 1 ? sizes.Rows : 1, itemHeads = biasHeads == 1 ? sizes.Heads : 1;
        var blocks = biasSteps == 1 ? Blocks(sizes.Steps, BlockSoftmax.Queries) : 1;
        var count = itemRows * itemHeads * blocks;
        fixed (T* slots = space[AttentionBlocks.Tiles..])
        {
            for (var i = 0; i < count; i++)
            {
                int row = biasRows == 1 ? i / blocks / itemHeads : biasRow, head = biasHeads == 1 ? i / blocks % itemHeads : biasHead;
                var t = (biasSteps == 1 ? i % blocks : queryBlock) * BlockSoftmax.Queries;
                var sum = new Span<T>(BlockSums.Slot(slots, i / BlockSums.Rows, BlockSoftmax.Tile), width);
                if (i % BlockSums.Rows == 0)
                    sum.Clear();
                Add(space, sum, row * sizes.Heads + head, t, (s, keys));
                if (i % BlockSums.Rows == BlockSums.Rows - 1 || i == count - 1)
                    BlockSums.Join(slots, i / BlockSums.Rows, BlockSoftmax.Tile, width);
            }

            BlockSums.Finish(slots, BlockSums.Blocks(count), BlockSoftmax.Tile, width);
            for (var i = 0; i < rows; i++)
            {
                var at = ((biasRow * biasHeads + biasHead) * biasSteps + queryBlock * BlockSoftmax.Queries + i) * sizes.Length + s;
                var from = new ReadOnlySpan<T>(slots + i * BlockSoftmax.Keys, keys);
                var to = _bias.Span.Slice(at, keys);
                if (_bias.Adds)
                    Elementwise.Add(to, from, to);
                else
                    from.CopyTo(to);
            }
        }
    }

    /// <summary>Adds the tile of dS of a head, or the sum of its queries, where the head sees one of the keys.</summary>
    private void Add(Span<T> space, Span<T> sum, int item, int t, (int From, int Count) keys)
    {
        var count = Math.Min(BlockSoftmax.Queries, _rules.Sizes.Steps - t);
        var seen = Math.Min(AttentionBlocks.Visible(in _rules, item, t, count, 0).Seen - keys.From, keys.Count);
        if (seen <= 0)
            return;
        var d = _backward.Block(space, item, (t, count), (keys.From, seen), T.One, default);
        for (var i = 0; i < count; i++)
        {
            var to = sum.Slice(_rules.BiasShape.Steps == 1 ? 0 : i * BlockSoftmax.Keys, seen);
            Elementwise.Add(to, d.Span.Slice(i * d.RowStride, seen), to);
        }
    }
}
