using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>Sums, products, norms and checks over spans, and sums over the columns of a matrix.</summary>
/// <remarks>
/// <para>The order of summation is fixed by the length and the width of the machine's registers. Blocks of 128 registers are
/// summed in eight chains, 16 additions long; the sums of the blocks are combined pairwise in double. The error grows with the
/// logarithm of the length.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class Reductions
{
    /// <summary>The sum of the elements; 0 for an empty span.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The elements.</param>
    /// <returns>The sum.</returns>
    public static T Sum<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        return T.CreateTruncating(ReductionLoops.Pairwise(default(ReductionLoops.SumTerm<T>), x, x));
    }

    /// <summary>The sum of x[i] y[i]; 0 for empty spans.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The first operand.</param>
    /// <param name="y">The second operand, as long as <paramref name="x"/>.</param>
    /// <returns>The dot product.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static T Dot<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        SpanGuard.SameLength(x.Length, y.Length);
        return T.CreateTruncating(ReductionLoops.Pairwise(default(ReductionLoops.DotTerm<T>), x, y));
    }

    /// <summary>The sum of x[i]^2; 0 for an empty span. Overflows where the squares do: see <see cref="Norm"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The elements.</param>
    /// <returns>The sum of squares.</returns>
    public static T SumOfSquares<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        return T.CreateTruncating(ReductionLoops.Pairwise(default(ReductionLoops.SquareTerm<T>), x, x));
    }

    /// <summary>The largest element; NaN if any element is NaN.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The elements, at least one.</param>
    /// <returns>The largest element.</returns>
    /// <exception cref="ArgumentException"><paramref name="x"/> is empty.</exception>
    public static T Max<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        if (x.IsEmpty)
            throw new ArgumentException("'x' must hold at least 1 element; it has 0.", nameof(x));
        return ReductionLoops.Max(default(ReductionLoops.Identity<T>), x);
    }

    /// <summary>The Euclidean norm, sqrt(sum of x[i]^2), without overflow or underflow of the squares; 0 for an empty span.</summary>
    /// <remarks>NaN if any element is NaN, else infinity if any is infinite.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The elements.</param>
    /// <returns>The norm.</returns>
    public static T Norm<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        var squares = ReductionLoops.Pairwise(default(ReductionLoops.SquareTerm<T>), x, x);

        // Below this, squares lost to underflow could show in the result: 2^31 of them, half the least subnormal each, against
        // one unit in the last place.
        var least = typeof(T) == typeof(float) ? Math.ScaleB(1, -95) : Math.ScaleB(1, -990);
        if (double.IsNaN(squares) || double.IsFinite(squares) && squares >= least)
            return T.CreateTruncating(Math.Sqrt(squares));
        var largest = x.IsEmpty ? T.Zero : ReductionLoops.Max(default(ReductionLoops.Magnitude<T>), x);
        if (T.IsZero(largest) || !T.IsFinite(largest))
            return largest;

        // A power of two, so that scaling is exact wherever it matters.
        var bound = typeof(T) == typeof(float) ? 126 : 1022;
        var exponent = Math.Clamp(-T.ILogB(largest), -bound, bound);
        var term = new ReductionLoops.ScaledSquareTerm<T>(T.CreateTruncating(Math.ScaleB(1, exponent)));
        return T.CreateTruncating(Math.ScaleB(Math.Sqrt(ReductionLoops.Pairwise(term, x, x)), -exponent));
    }

    /// <summary>True if no element is infinite or NaN.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The elements.</param>
    /// <returns>Whether all are finite; true for an empty span.</returns>
    public static bool AllFinite<T>(ReadOnlySpan<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        // 0 times an infinity is NaN, and so is any sum with a NaN.
        return ReductionLoops.Pairwise(default(ReductionLoops.FiniteTerm<T>), x, x) == 0;
    }
}
