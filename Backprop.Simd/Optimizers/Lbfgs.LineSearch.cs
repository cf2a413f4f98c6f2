using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Optimizers;

/// <content>The line search: phi(a) = f(w + a d).</content>
public sealed partial class Lbfgs<T>
{
    /// <summary>Wolfe's constants, as Nocedal and Wright recommend for quasi-Newton methods.</summary>
    private const double SufficientDecrease = 1e-4, Curvature = 0.9;

    /// <summary>The step that the current parameters and gradient belong to.</summary>
    private double _at;

    /// <summary>The value at the last evaluation.</summary>
    private double _value;

    /// <summary>The distance from 1 to the next number.</summary>
    private static double Rounding => double.CreateTruncating(T.BitIncrement(T.One) - T.One);

    /// <summary>How a line search ended.</summary>
    private enum SearchEnd
    {
        /// <summary>It found a lower value; parameters and gradient are at that step.</summary>
        Lower,

        /// <summary>Rounding leaves no step with a lower value.</summary>
        Rounding,

        /// <summary>The value is not lower, though the gradient says so.</summary>
        Nowhere,
    }

    /// <summary>Looks for a step that satisfies the strong Wolfe conditions (Algorithm 3.5).</summary>
    private (double Value, SearchEnd End) Search(Span<T> parameters, Objective<T> objective, double value, double slope, double step)
    {
        var origin = new Trial(0, value, slope, Noise(_start.Span, _startGradient.Span, value));
        var before = origin;
        for (var trials = 1; ; trials++)
        {
            // If rounding makes a step no step, it is too short. The first step without history is a guess.
            while (IsSame(step, before.Step))
            {
                step *= 10;
                if (!T.IsFinite(T.CreateTruncating(step)))
                    return (before.Value, before.Step > 0 ? SearchEnd.Lower : SearchEnd.Rounding);
            }

            var trial = Try(parameters, objective, step);
            if (!IsDecrease(trial, origin) || before.Step > 0 && trial.Value >= before.Value)
                return Zoom(parameters, objective, origin, before, trial, trials);
            if (IsFlat(trial, origin))
                return (trial.Value, SearchEnd.Lower);
            if (trial.Slope >= 0)
                return Zoom(parameters, objective, origin, trial, before, trials);
            if (trials == MaximumEvaluations)
                return (trial.Value, SearchEnd.Lower);
            step = Math.Clamp(Interpolate(before, trial), trial.Step + 0.01 * (trial.Step - before.Step), 10 * trial.Step);
            before = trial;
        }
    }

    /// <summary>
    /// Narrows an interval that contains such a step (Algorithm 3.6). Its end <paramref name="low"/> has the smaller value, a
    /// sufficient decrease, and a slope that points to the other end, <paramref name="high"/>.
    /// </summary>
    private (double Value, SearchEnd End) Zoom(Span<T> parameters, Objective<T> objective, Trial origin, Trial low, Trial high, int trials)
    {
        var isContradicted = low.Step == 0 && IsContradicted(high, origin);
        for (; trials < MaximumEvaluations; trials++)
        {
            // Stay a tenth of the interval away from its ends, so that it shrinks.
            var (left, right) = (Math.Min(low.Step, high.Step), Math.Max(low.Step, high.Step));
            var margin = 0.1 * (right - left);
            var step = Math.Clamp(Interpolate(low, high), left + margin, right - margin);
            if (IsSame(step, low.Step))
            {
                // No number lies between the start and a step whose slope points back to it.
                if (low.Step == 0 && high.Slope >= 0 && double.IsFinite(high.Value))
                    return (origin.Value, SearchEnd.Rounding);
                if (low.Step == 0)
                    break;
                low = low with { Step = step };
                continue;
            }

            if (IsSame(step, high.Step))
            {
                high = high with { Step = step };
                continue;
            }

            var trial = Try(parameters, objective, step);
            if (!IsDecrease(trial, origin) || trial.Value >= low.Value)
            {
                high = trial;
                isContradicted = IsVisible(trial, origin) ? IsContradicted(trial, origin) : isContradicted;
            }
            else
            {
                if (IsFlat(trial, origin))
                    return (trial.Value, SearchEnd.Lower);
                if (trial.Slope * (high.Step - low.Step) >= 0)
                    high = low;
                low = trial;
            }
        }

        if (!(low.Step > 0 && low.Value < origin.Value))
            return (origin.Value, isContradicted || IsVisible(high, origin) ? SearchEnd.Nowhere : SearchEnd.Rounding);

        // The slope is not flat enough, but the value is lower.
        return (IsSame(low.Step, _at) ? low.Value : Try(parameters, objective, low.Step).Value, SearchEnd.Lower);
    }

    /// <summary>Whether a step should lower the value by more than the rounding error.</summary>
    private static bool IsVisible(Trial trial, Trial origin) => -origin.Slope * trial.Step > origin.Noise + trial.Noise;

    /// <summary>Whether the value is higher than the slopes at both ends allow. To second order it rises by at most half the step times
    /// the last slope.</summary>
    private static bool IsContradicted(Trial trial, Trial origin) =>
        trial.Value > origin.Value + trial.Step * Math.Max(trial.Slope, trial.Slope / 2) + origin.Noise + trial.Noise;

    /// <summary>The largest change of a value that rounding of the value and the parameters may cause.</summary>
    private static double Noise(ReadOnlySpan<T> parameters, ReadOnlySpan<T> gradient, double value)
    {
        var sum = Math.Abs(value);
        for (var i = 0; i < parameters.Length; i++)
            sum += Math.Abs(double.CreateTruncating(parameters[i]) * double.CreateTruncating(gradient[i]));
        return 2 * Rounding * sum;
    }

    /// <summary>Whether two steps lead to parameters with the same bits.</summary>
    private bool IsSame(double a, double b)
    {
        Move(a, _trial.Span);
        Move(b, _other.Span);
        return MemoryMarshal.AsBytes(_trial.Span).SequenceEqual(MemoryMarshal.AsBytes(_other.Span));
    }

    private void Move(double step, Span<T> parameters)
    {
        _start.Span.CopyTo(parameters);
        Elementwise.Axpy(T.CreateTruncating(step), _direction.Span, parameters);
    }

    private Trial Try(Span<T> parameters, Objective<T> objective, double step)
    {
        // The parameters, the value and the gradient are from the last evaluation.
        Move(step, _trial.Span);
        _at = step;
        if (!MemoryMarshal.AsBytes(_trial.Span).SequenceEqual(MemoryMarshal.AsBytes(parameters)))
        {
            _trial.Span.CopyTo(parameters);
            _value = Evaluate(parameters, objective);
        }

        var value = _value;
        var slope = Dot(_gradient.Span, _direction.Span);

        // A step without a finite value or slope is too long.
        return double.IsFinite(value) && double.IsFinite(slope)
            ? new Trial(step, value, slope, Noise(parameters, _gradient.Span, value))
            : new Trial(step, double.PositiveInfinity, 0, 0);
    }

    private static bool IsDecrease(Trial trial, Trial origin) =>
        trial.Value <= origin.Value + SufficientDecrease * trial.Step * origin.Slope;

    private static bool IsFlat(Trial trial, Trial origin) => Math.Abs(trial.Slope) <= -Curvature * origin.Slope;

    /// <summary>The minimum of the cubic through two values and slopes (Nocedal and Wright, eq. 3.59); the middle if there is no
    /// minimum.</summary>
    private static double Interpolate(Trial a, Trial b)
    {
        var d1 = a.Slope + b.Slope - 3 * (a.Value - b.Value) / (a.Step - b.Step);
        var d2 = Math.CopySign(Math.Sqrt(d1 * d1 - a.Slope * b.Slope), b.Step - a.Step);
        var least = b.Step - (b.Step - a.Step) * ((b.Slope + d2 - d1) / (b.Slope - a.Slope + 2 * d2));
        return double.IsFinite(least) ? least : 0.5 * (a.Step + b.Step);
    }

    /// <summary>A step, the value and the slope there, and the rounding error of the value.</summary>
    private readonly record struct Trial(double Step, double Value, double Slope, double Noise);
}
