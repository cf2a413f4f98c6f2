using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <content>A norm that several threads compute.</content>
public static partial class Reductions
{
    /// <summary>The most parts of a long sum.</summary>
    private const int Parts = 64;

    /// <summary>Elements of a part at least: a part is worth waking a thread.</summary>
    private const int LeastPart = 1 << 14;

    /// <summary>Nanoseconds per element of a sum of squares on one thread, out of cache.</summary>
    private const double SumCost = 0.1;

    /// <summary>The Euclidean norm in double, without overflow or underflow, on the threads of a context.</summary>
    /// <remarks>The parts of the sum follow from the length alone: the bits are the same for any number of threads.</remarks>
    /// <returns>The norm; infinity or NaN where there are such elements.</returns>
    internal static double WideNorm<T>(ReadOnlySpan<T> x, ComputeContext? context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        var part = Math.Max(LeastPart, (x.Length + Parts - 1) / Parts);
        var count = (x.Length + part - 1) / part;
        Span<double> sums = stackalloc double[Parts];
        sums = sums[..count];
        var squares = Total(x, part, sums, T.One, context);
        if (double.IsNaN(squares))
            return squares;

        // Where squares overflow, or are so small that what underflowed could show, a power of two brings the largest near 1.
        var least = typeof(T) == typeof(float) ? Math.ScaleB(1, -95) : Math.ScaleB(1, -990);
        if (double.IsFinite(squares) && squares >= least)
            return Math.Sqrt(squares);
        var largest = x.IsEmpty ? T.Zero : ReductionLoops.Max(default(ReductionLoops.Magnitude<T>), x);
        if (T.IsZero(largest) || !T.IsFinite(largest))
            return double.CreateTruncating(largest);
        var bound = typeof(T) == typeof(float) ? 126 : 1022;
        var exponent = Math.Clamp(-T.ILogB(largest), -bound, bound);
        return Math.ScaleB(Math.Sqrt(Total(x, part, sums, T.CreateTruncating(Math.ScaleB(1, exponent)), context)), -exponent);
    }

    /// <summary>The sum of (scale x)^2, part by part.</summary>
    private static double Total<T>(ReadOnlySpan<T> x, int part, Span<double> sums, T scale, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var body = new SquaresBody<T>(x, part, sums, scale);
        if (context is null)
            body.Execute(0, sums.Length);
        else
            context.For(sums.Length, 1, x.Length * SumCost, in body);
        var total = 0.0;
        foreach (var sum in sums)
            total += sum;
        return total;
    }

    private readonly ref struct SquaresBody<T>(ReadOnlySpan<T> x, int part, Span<double> sums, T scale) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<double> _sums = sums;

        public void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
            {
                var piece = _x.Slice(i * part, Math.Min(part, _x.Length - i * part));
                _sums[i] = scale == T.One
                    ? ReductionLoops.Pairwise(default(ReductionLoops.SquareTerm<T>), piece, piece)
                    : ReductionLoops.Pairwise(new ReductionLoops.ScaledSquareTerm<T>(scale), piece, piece);
            }
        }
    }
}
