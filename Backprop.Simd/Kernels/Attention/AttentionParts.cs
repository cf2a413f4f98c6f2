using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>The sizes of attention: rows of the batch, queries and keys of a row, columns of a head, heads of queries, heads of keys and values; and
/// whether all scores are asked for.</summary>
internal readonly record struct AttentionSizes(int Rows, int Steps, int Length, int Width, int Heads, int KeyHeads, bool AllScores)
{
    /// <summary>
    /// Scores of a head from which on no head keeps all its scores: 512 queries and 512 keys, 1 MB in float. With fewer, the scores of a head
    /// stay in the second-level cache, and backward need not compute them again.
    /// </summary>
    public const int MostScores = 512 * 512;

    /// <summary>Whether scores are computed in blocks, and again in backward, and not kept.</summary>
    public bool InBlocks => !AllScores && (long)Steps * Length >= MostScores;

    /// <summary>Consecutive heads of queries that share a head of keys.</summary>
    public int Group => Heads / KeyHeads;

    /// <summary>Queries, contexts, keys and values of a row.</summary>
    public long Projected => 2L * Width * ((long)Heads * Steps + (long)KeyHeads * Length);

    /// <summary>What a row keeps beside: all scores; or, in blocks, the maximum and the sum of each query.</summary>
    public long Kept => InBlocks ? 2L * Heads * Steps : (long)Heads * Steps * Length;
}

/// <summary>
/// Queries, keys, values and contexts of all rows, [rows * positions, columns], and behind them one [T, S] per row and head: probabilities in
/// forward, their gradients and those by the scores in backward. In blocks, the maximum and sum of each query lie there instead.
/// </summary>
internal readonly ref struct AttentionParts<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AttentionSizes _sizes;

    public AttentionParts(Span<T> block, AttentionSizes sizes)
    {
        _sizes = sizes;
        int queries = sizes.Rows * sizes.Steps, keys = sizes.Rows * sizes.Length, size = sizes.Heads * sizes.Width, keySize = sizes.KeyHeads * sizes.Width;
        Queries = new(block, queries, size);
        Context = new(block[(queries * size)..], queries, size);
        Keys = new(block[(2 * queries * size)..], keys, keySize);
        Values = new(block[(2 * queries * size + keys * keySize)..], keys, keySize);
        Kept = block[(2 * queries * size + 2 * keys * keySize)..];
    }

    public Matrix<T> Queries { get; }

    public Matrix<T> Context { get; }

    public Matrix<T> Keys { get; }

    public Matrix<T> Values { get; }

    public Span<T> Kept { get; }

    /// <summary>The columns of one head of queries or contexts in one row of the batch; heads are counted through all rows.</summary>
    public Matrix<T> OfQueries(Matrix<T> all, int item) => Head(all, item, _sizes.Heads, _sizes.Steps);

    /// <summary>The columns of one head of keys or values in one row of the batch.</summary>
    public Matrix<T> OfKeys(Matrix<T> all, int item) => Head(all, item, _sizes.KeyHeads, _sizes.Length);

    /// <summary>The scores of one head of one row.</summary>
    public Matrix<T> ScoresOf(int item) => new(Kept[(item * _sizes.Steps * _sizes.Length)..], _sizes.Steps, _sizes.Length);

    /// <summary>The maximum of each query of a head of a row.</summary>
    public Span<T> MaximumOf(int item) => Kept.Slice(2 * item * _sizes.Steps, _sizes.Steps);

    /// <summary>The sum of the exponentials of each query of a head of a row, relative to the maximum.</summary>
    public Span<T> SumOf(int item) => Kept.Slice((2 * item + 1) * _sizes.Steps, _sizes.Steps);

    private static Matrix<T> Head(Matrix<T> all, int item, int heads, int positions)
    {
        var columns = all.Columns / heads;
        return all.SliceRows(item / heads * positions, positions).SliceColumns(item % heads * columns, columns);
    }
}
