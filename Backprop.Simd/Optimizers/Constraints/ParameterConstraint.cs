using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>What a parameter must be after every step: a bound on it, or a pull towards small numbers. Derive from it for one of your own.</summary>
/// <remarks>
/// <c>optimizer.Constrain(network.Definition.Parameters.Matrices(p => p.Name.EndsWith(".weight", StringComparison.Ordinal)), new MaxNorm(3))</c>.
/// The optimizer moves the parameters first, and then each constraint maps them to what it allows: a projection, or the proximal operator of
/// a penalty (Parikh and Boyd 2014, Proximal Algorithms, sections 1.1 and 4.2).
/// </remarks>
public abstract class ParameterConstraint
{
    /// <summary>Changes a parameter after a step.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="parameter">The parameter as a matrix: the last dimension in columns, so a column feeds one unit. A vector is one column.</param>
    /// <param name="learningRate">The learning rate of the step.</param>
    /// <param name="context">The threads; null for the caller alone. The bits must not depend on them.</param>
    public abstract void Apply<T>(Matrix<T> parameter, double learningRate, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>;
}
