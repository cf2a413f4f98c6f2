using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>The weights of each unit have the norm 1: a column w becomes w / |w|; a column of zeros stays.</summary>
/// <remarks>A unit is a column of an affine weight [inputs, units], a filter of a convolution, or a vector as a whole.</remarks>
public sealed class UnitNorm : ParameterConstraint
{
    /// <inheritdoc/>
    public override void Apply<T>(Matrix<T> parameter, double learningRate, ComputeContext? context) =>
        ConstraintKernels.ScaleColumns(parameter, 1, isExact: true, context);
}
