using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Clips gradients: call it on <c>workspace.Gradients</c> between <c>Backward</c> and <c>Update</c>.</summary>
/// <remarks>The padding of a flat block is zero and does not change the norm; frozen parameters have zero gradients. Nothing is
/// allocated, and the bits are the same on any number of threads.</remarks>
public static class GradientClipping
{
    /// <summary>The Euclidean norm of all gradients together, computed in double without overflow or underflow.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="gradients">The gradients.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <returns>The norm; NaN if any element is NaN, else infinity if any is infinite.</returns>
    public static double Norm<T>(ReadOnlySpan<T> gradients, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Reductions.WideNorm(gradients, context);

    /// <summary>Multiplies all gradients by maximum / norm if their norm is above the maximum. Otherwise it changes nothing.</summary>
    /// <remarks>Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013, Algorithm 1. Nothing is added to the
    /// norm. If the norm is infinite or NaN, nothing changes: the caller sees it in the result and decides.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="gradients">The gradients.</param>
    /// <param name="maximum">The largest norm, finite and positive.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <returns>The norm before clipping. The gradients were clipped if it is finite and above <paramref name="maximum"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maximum"/> is not positive or not finite.</exception>
    public static double ByNorm<T>(Span<T> gradients, double maximum, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckMaximum(maximum);
        var norm = Reductions.WideNorm<T>(gradients, context);
        if (!double.IsFinite(norm) || norm <= maximum)
            return norm;

        // A subnormal factor is applied as two factors.
        var factor = maximum / norm;
        if (factor >= Math.ScaleB(1, typeof(T) == typeof(float) ? -126 : -1022))
        {
            Elementwise.Scale(gradients, T.CreateTruncating(factor), gradients, context);
        }
        else
        {
            var half = T.CreateTruncating(Math.Sqrt(maximum) / Math.Sqrt(norm));
            Elementwise.Scale(gradients, half, gradients, context);
            Elementwise.Scale(gradients, half, gradients, context);
        }

        return norm;
    }

    /// <summary>Brings every gradient into [-maximum, maximum]; NaN stays NaN.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="gradients">The gradients.</param>
    /// <param name="maximum">The largest size of an element, finite and positive.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maximum"/> is not positive or not finite.</exception>
    public static void ByValue<T>(Span<T> gradients, double maximum, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        CheckMaximum(maximum);
        Map.Unary(new ClampOperator<T>(T.CreateSaturating(maximum)), gradients, gradients, ClampCost, context);
    }

    /// <summary>Nanoseconds per element on one thread, out of cache.</summary>
    private const double ClampCost = 0.1;

    private static void CheckMaximum(double maximum, [CallerArgumentExpression(nameof(maximum))] string name = "")
    {
        if (!(maximum > 0 && double.IsFinite(maximum)))
            throw new ArgumentOutOfRangeException(name, maximum, $"'{name}' must be finite and positive.");
    }
}
