using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Rectifiers with a slope per channel. Elements are taken in rows of <see cref="Width"/>, a multiple of the channels, so that
/// few channels fill registers too; the last row may be shorter.
/// </summary>
internal static unsafe class SlopeKernels
{
    /// <summary>Elements of a row at least: bounds what a call of a loop costs each element.</summary>
    private const int LeastWidth = 512;

    /// <summary>Columns per range of a thread: bounds the cache lines that two threads share.</summary>
    private const int ColumnGranularity = 64;

    private const double Cost = 0.1;

    /// <summary>The elements of a row: the least multiple of the channels that is long enough.</summary>
    public static int Width(int channels) => channels * ((LeastWidth - 1) / channels + 1);

    /// <summary>y = x where x &gt; 0, else slope x.</summary>
    public static void Forward<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> slopes, Span<T> y, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        context.For((x.Length - 1) / slopes.Length + 1, 1, Cost * x.Length, new ForwardBody<T>(x, slopes, y));

    /// <summary>dx = dy where x &gt; 0 or x is NaN, else slope dy, or dx += it.</summary>
    public static void Backward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> slopes, Destination<T> dx, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (dx.IsWanted)
            context.For((x.Length - 1) / slopes.Length + 1, 1, Cost * x.Length, new BackwardBody<T>(dy, x, slopes, dx));
    }

    /// <summary>Elements of scratch for <see cref="Sums"/>.</summary>
    public static long ScratchLength(int channels) => (long)BlockSums.MostSlots(Width(channels)) * Width(channels);

    /// <summary>The first elements of the scratch become the sums of x dy where x is not &gt; 0, one for each channel.</summary>
    public static void Sums<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int channels, Span<T> scratch, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var width = Width(channels);
        context.For(width, ColumnGranularity, Cost * x.Length, new SumsBody<T>(dy, x, width, scratch));
        fixed (T* sums = scratch)
            ChannelStatistics.Unfold(sums, width / channels, channels);
    }

    private readonly ref struct ForwardBody<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> slopes, Span<T> y) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _slopes = slopes;
        private readonly Span<T> _y = y;

        public void Execute(int start, int limit)
        {
            for (var row = start; row < limit; row++)
            {
                var first = row * _slopes.Length;
                var length = Math.Min(_slopes.Length, _x.Length - first);
                Map.Binary(default(SlopeOperator<T>), _x.Slice(first, length), _slopes[..length], _y.Slice(first, length), 0, null);
            }
        }
    }

    private readonly ref struct BackwardBody<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> slopes, Destination<T> dx) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy, _x = x, _slopes = slopes;
        private readonly Destination<T> _dx = dx;

        public void Execute(int start, int limit)
        {
            for (var row = start; row < limit; row++)
            {
                var first = row * _slopes.Length;
                var length = Math.Min(_slopes.Length, _x.Length - first);
                Map.Ternary(default(SlopeGradientOperator<T>), _dy.Slice(first, length), _x.Slice(first, length), _slopes[..length],
                    _dx.Slice(first, length), 0, null);
            }
        }
    }

    private readonly ref struct SumsBody<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int width, Span<T> scratch) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy, _x = x;
        private readonly Span<T> _scratch = scratch;

        public void Execute(int start, int limit)
        {
            fixed (T* scratch = _scratch)
            {
                var slots = scratch + start;
                var block = 0;
                for (var first = start; first < _x.Length; block++)
                {
                    var sums = new Span<T>(BlockSums.Slot(slots, block, width), limit - start);
                    sums.Clear();
                    for (var row = 0; row < BlockSums.Rows && first < _x.Length; row++, first += width)
                    {
                        var length = Math.Min(sums.Length, _x.Length - first);
                        Map.Binary(default(SlopeTermOperator<T>), _dy.Slice(first, length), _x.Slice(first, length), new Destination<T>(sums[..length], adds: true), 0, null);
                    }

                    BlockSums.Join(slots, block, width, limit - start);
                }

                BlockSums.Finish(slots, block, width, limit - start);
            }
        }
    }

    private readonly struct SlopeOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.Select(x <= 0, x * y, x);
    }

    private readonly struct SlopeGradientOperator<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.Select(y <= 0, x * z, x);
    }

    private readonly struct SlopeTermOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.AndNot(x * y, y > 0);
    }
}
