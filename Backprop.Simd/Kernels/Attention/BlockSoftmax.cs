using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Softmax of scores that come in blocks of keys: the maximum and the sum of each query run along, and what was summed with a smaller maximum
/// is scaled. Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022, algorithm 1.
/// </summary>
/// <remarks>
/// A block is a tile of memory whose rows are <see cref="Keys"/> apart, whole registers, so that no row has a rest: columns behind the keys
/// that a query sees become -infinity, and their exponentials 0. A query that has seen no key has the maximum -infinity and the sum 0.
/// </remarks>
internal static unsafe class BlockSoftmax
{
    /// <summary>Queries and keys of a block: a tile of scores fits the second-level cache beside queries, keys and values.</summary>
    public const int Queries = 64, Keys = 256;

    /// <summary>The elements of a tile.</summary>
    public const int Tile = Queries * Keys;

    /// <summary>
    /// Scores become exponentials of their distance from the new maximum; maxima and sums move on, and so do the rows of
    /// <paramref name="context"/>, sums of values so far. Row i sees its first min(columns, first + i) keys.
    /// </summary>
    public static void Forward<T>(Matrix<T> tile, int first, Span<T> maxima, Span<T> sums, Matrix<T> context)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.Run<T, ForwardBody<T>>(new(tile, first, maxima, sums, context), RegisterWidth.Machine);

    /// <summary>Divides the sums of values by the sums of exponentials; of queries that saw no key the maximum becomes +infinity, the sum 1,
    /// so that <see cref="Again"/> gives 0.</summary>
    public static void Finish<T>(Span<T> maxima, Span<T> sums, Matrix<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < context.Rows; i++)
        {
            if (T.IsNegativeInfinity(maxima[i]))
                (maxima[i], sums[i]) = (T.PositiveInfinity, T.One);
            var row = context.Span.Slice(i * context.RowStride, context.Columns);
            Elementwise.Scale(row, T.One / sums[i], row);
        }
    }

    /// <summary>Scores become probabilities, from the maximum and sum of each query.</summary>
    public static void Again<T>(Matrix<T> tile, int first, ReadOnlySpan<T> maxima, ReadOnlySpan<T> sums)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.Run<T, AgainBody<T>>(new(tile, first, maxima, sums), RegisterWidth.Machine);

    /// <summary>d = p (d - mean) scale, with a mean for each row.</summary>
    public static void Backward<T>(Matrix<T> probabilities, Matrix<T> gradients, ReadOnlySpan<T> means, T scale)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.Run<T, BackwardBody<T>>(new(probabilities, gradients, means, scale), RegisterWidth.Machine);

    /// <summary>Makes the columns behind the keys that a query sees -infinity. Returns the columns in whole registers.</summary>
    private static int Pad<TVector, T>(T* row, int columns, int seen)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var whole = (columns + TVector.Count - 1) / TVector.Count * TVector.Count;
        if (seen < whole)
            new Span<T>(row + seen, whole - seen).Fill(T.NegativeInfinity);
        return whole;
    }

    private static int Seen(int columns, int first, int row) => (int)Math.Clamp(first + (long)row, 0, columns);

    private readonly ref struct ForwardBody<T>(Matrix<T> tile, int first, Span<T> maxima, Span<T> sums, Matrix<T> context) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Matrix<T> _tile = tile, _context = context;
        private readonly Span<T> _maxima = maxima, _sums = sums;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* scores = _tile.Span)
            {
                for (var i = 0; i < _tile.Rows; i++)
                {
                    var x = scores + i * _tile.RowStride;
                    var columns = Pad<TVector, T>(x, _tile.Columns, Seen(_tile.Columns, first, i));
                    var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Identity<T>>(default, x, columns);
                    var before = _maxima[i];
                    largest = T.Max(before, largest);
                    if (T.IsNegativeInfinity(largest))
                    {
                        new Span<T>(x, columns).Clear();
                        continue;
                    }

                    var sum = T.CreateTruncating(SoftmaxRows.Exponentials<TVector, T>(x, x, columns, largest));
                    if (largest != before && !T.IsNegativeInfinity(before))
                    {
                        var factor = T.Exp(before - largest);
                        _sums[i] *= factor;
                        var row = _context.Span.Slice(i * _context.RowStride, _context.Columns);
                        Elementwise.Scale(row, factor, row);
                    }

                    _sums[i] += sum;
                    _maxima[i] = largest;
                }
            }
        }
    }

    private readonly ref struct AgainBody<T>(Matrix<T> tile, int first, ReadOnlySpan<T> maxima, ReadOnlySpan<T> sums) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Matrix<T> _tile = tile;
        private readonly ReadOnlySpan<T> _maxima = maxima, _sums = sums;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* scores = _tile.Span)
            {
                for (var i = 0; i < _tile.Rows; i++)
                {
                    var x = scores + i * _tile.RowStride;
                    var columns = Pad<TVector, T>(x, _tile.Columns, Seen(_tile.Columns, first, i));
                    MapLoops.Unary<TVector, T, Probability<T>>(new(_maxima[i], T.One / _sums[i]), x, x, columns);
                }
            }
        }
    }

    private readonly ref struct BackwardBody<T>(Matrix<T> probabilities, Matrix<T> gradients, ReadOnlySpan<T> means, T scale) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Matrix<T> _probabilities = probabilities, _gradients = gradients;
        private readonly ReadOnlySpan<T> _means = means;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var columns = (_gradients.Columns + TVector.Count - 1) / TVector.Count * TVector.Count;
            fixed (T* p = _probabilities.Span, d = _gradients.Span)
            {
                for (var i = 0; i < _gradients.Rows; i++)
                {
                    T* from = p + i * _probabilities.RowStride, at = d + i * _gradients.RowStride;
                    MapLoops.Binary<TVector, T, PrefixSoftmax.GradientOperator<T>>(new(_means[i], scale), from, at, at, columns);
                }
            }
        }
    }

    /// <summary>e^(x - maximum) / sum.</summary>
    private readonly struct Probability<T>(T maximum, T factor) : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> =>
            VectorMath.ExpBounded(x - TVector.Create(maximum)) * TVector.Create(factor);
    }
}
