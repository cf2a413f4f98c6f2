using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>The penalty strength w^2, as a step of its own: w = w / (1 + 2 rate strength).</summary>
/// <remarks>The proximal operator of the penalty (Parikh and Boyd 2014, section 6.1.1): stable for any rate. An optimizer's weight decay
/// is the same penalty in the gradient (SGD, Adam) or as w - rate decay w (AdamW).</remarks>
public sealed class L2Penalty : ParameterConstraint
{
    /// <summary>With a strength.</summary>
    /// <param name="strength">The factor of w^2, 0 to 1e30.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="strength"/> is out of range.</exception>
    public L2Penalty(double strength)
    {
        ConstraintKernels.CheckStrength(strength);
        Strength = strength;
    }

    /// <summary>The factor of w^2.</summary>
    public double Strength { get; }

    /// <inheritdoc/>
    public override void Apply<T>(Matrix<T> parameter, double learningRate, ComputeContext? context) =>
        ConstraintKernels.Scale(parameter, T.CreateTruncating(1 / (1 + 2 * learningRate * Strength)), context);
}
