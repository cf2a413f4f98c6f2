using System.Numerics;

namespace Backprop.Simd.Optimizers;

/// <summary>A function to minimize: computes its value and its gradient at the parameters.</summary>
/// <typeparam name="T">float or double.</typeparam>
/// <param name="parameters">Where to evaluate: the same memory that was given to the optimizer.</param>
/// <param name="gradient">Takes the gradient, as many elements as there are parameters; every one must be written.</param>
/// <returns>The value. NaN or infinity means that there is no value; the line search then tries a shorter step.</returns>
public delegate double Objective<T>(ReadOnlySpan<T> parameters, Span<T> gradient) where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>Why a minimization ended.</summary>
public enum LbfgsOutcome
{
    /// <summary>No element of the gradient is larger than the tolerance.</summary>
    GradientIsSmall,

    /// <summary>The last step changed the parameters, or the value, by no more than the tolerance; or rounding leaves no step that lowers the
    /// value.</summary>
    ChangeIsSmall,

    /// <summary>The iterations are used up.</summary>
    IterationLimit,

    /// <summary>No step along the steepest descent lowered the value, though the gradient says that it should. The gradient is wrong, or
    /// the value is rounded more coarsely than the element type.</summary>
    NoDescent,

    /// <summary>The value or the gradient at the start is infinite or NaN; the parameters are unchanged.</summary>
    NotFinite,
}

/// <summary>The result of a minimization.</summary>
/// <param name="Value">The value at the final parameters.</param>
/// <param name="LargestGradient">The largest element of the gradient there, without its sign.</param>
/// <param name="Iterations">The steps made.</param>
/// <param name="Evaluations">The evaluations of the objective.</param>
/// <param name="Outcome">Why it ended.</param>
public readonly record struct LbfgsResult(double Value, double LargestGradient, int Iterations, int Evaluations, LbfgsOutcome Outcome);
