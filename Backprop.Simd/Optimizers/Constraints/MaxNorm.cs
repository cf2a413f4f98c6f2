using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>The weights of each unit have at most a norm: a column w becomes w min(1, largest / |w|).</summary>
/// <remarks>Srivastava et al. 2014, Dropout, section 5.1. A unit is a column of an affine weight [inputs, units], a filter of a
/// convolution, or a vector as a whole.</remarks>
public sealed class MaxNorm : ParameterConstraint
{
    /// <summary>With a largest norm.</summary>
    /// <param name="largest">The norm, 1e-30 to 1e30.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="largest"/> is out of range.</exception>
    public MaxNorm(double largest)
    {
        ConstraintKernels.CheckNorm(largest);
        Largest = largest;
    }

    /// <summary>The largest norm.</summary>
    public double Largest { get; }

    /// <inheritdoc/>
    public override void Apply<T>(Matrix<T> parameter, double learningRate, ComputeContext? context) =>
        ConstraintKernels.ScaleColumns(parameter, Largest, isExact: false, context);
}
