using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>w = max(w, 0): no negative weights.</summary>
public sealed class NonNegative : ParameterConstraint
{
    /// <inheritdoc/>
    public override void Apply<T>(Matrix<T> parameter, double learningRate, ComputeContext? context) =>
        ConstraintKernels.Clamp(parameter, T.Zero, context);
}
