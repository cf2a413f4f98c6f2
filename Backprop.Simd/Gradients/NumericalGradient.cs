using Backprop.Simd.Memory;

namespace Backprop.Simd.Gradients;

/// <summary>Gradients by central differences, in double: (f(x + h) - f(x - h)) / 2h, with an error of order h^2.</summary>
/// <remarks>
/// Slow, but it needs no derivation: every analytic gradient is measured against it. Rounding adds about 1e-16 |f| / h.
/// Across a kink, such as that of ReLU at 0, a difference mixes two slopes: keep x away from kinks by more than h.
/// </remarks>
public static class NumericalGradient
{
    /// <summary>The step of the notebook, 1e-4, where truncation and rounding errors are about equal.</summary>
    public const double DefaultStep = 1e-4;

    /// <summary>The gradient of a function by each variable.</summary>
    /// <param name="function">The function; it reads the variables where <paramref name="variables"/> lies.</param>
    /// <param name="variables">The point; each is changed in turn and restored exactly.</param>
    /// <param name="gradient">The result, one element per variable.</param>
    /// <param name="step">h, positive and finite.</param>
    /// <exception cref="ArgumentException">The lengths differ or the spans overlap.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="step"/> is not positive and finite.</exception>
    public static void Compute(Func<double> function, Span<double> variables, Span<double> gradient, double step = DefaultStep)
    {
        ArgumentNullException.ThrowIfNull(function);
        SpanGuard.SameLength(variables.Length, gradient.Length);
        SpanGuard.Disjoint<double>(variables, gradient);
        SpanGuard.PositiveFinite(step);
        for (var i = 0; i < variables.Length; i++)
        {
            var value = variables[i];
            try
            {
                variables[i] = value + step;
                var (upper, at) = (function(), variables[i]);
                variables[i] = value - step;
                gradient[i] = (upper - function()) / (at - variables[i]);
            }
            finally
            {
                variables[i] = value;
            }
        }
    }

    /// <summary>The derivative of a function along a direction.</summary>
    /// <param name="function">The function; it reads the variables where <paramref name="variables"/> lies.</param>
    /// <param name="variables">The point; changed and restored exactly.</param>
    /// <param name="direction">The direction, one element per variable.</param>
    /// <param name="step">h, positive and finite.</param>
    /// <returns>The derivative: the gradient times the direction.</returns>
    /// <exception cref="ArgumentException">The lengths differ or the spans overlap.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="step"/> is not positive and finite.</exception>
    public static double Directional(Func<double> function, Span<double> variables, ReadOnlySpan<double> direction, double step = DefaultStep)
    {
        ArgumentNullException.ThrowIfNull(function);
        SpanGuard.SameLength(variables.Length, direction.Length);
        SpanGuard.Disjoint(direction, variables, nameof(variables));
        SpanGuard.PositiveFinite(step);
        var saved = variables.ToArray();
        try
        {
            Move(saved, direction, step, variables);
            var upper = function();
            Move(saved, direction, -step, variables);
            return (upper - function()) / (2 * step);
        }
        finally
        {
            saved.CopyTo(variables);
        }
    }

    private static void Move(ReadOnlySpan<double> from, ReadOnlySpan<double> direction, double step, Span<double> to)
    {
        for (var i = 0; i < to.Length; i++)
            to[i] = from[i] + step * direction[i];
    }
}
