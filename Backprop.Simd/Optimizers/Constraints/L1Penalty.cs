using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>The penalty strength |w|, as a step of its own: w = sign(w) max(|w| - rate strength, 0). Weights become exactly 0.</summary>
/// <remarks>The proximal operator of the penalty (soft thresholding: Parikh and Boyd 2014, section 6.5.2), decoupled from the gradient as
/// the decay of AdamW is. For the penalty as a part of the loss, take the parameter as a node: <c>graph.Loss(w.Abs().Sum(), strength)</c>.</remarks>
public sealed class L1Penalty : ParameterConstraint
{
    /// <summary>With a strength.</summary>
    /// <param name="strength">The factor of |w|, 0 to 1e30.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="strength"/> is out of range.</exception>
    public L1Penalty(double strength)
    {
        ConstraintKernels.CheckStrength(strength);
        Strength = strength;
    }

    /// <summary>The factor of |w|.</summary>
    public double Strength { get; }

    /// <inheritdoc/>
    public override void Apply<T>(Matrix<T> parameter, double learningRate, ComputeContext? context) =>
        ConstraintKernels.Shrink(parameter, T.CreateTruncating(learningRate * Strength), context);
}
