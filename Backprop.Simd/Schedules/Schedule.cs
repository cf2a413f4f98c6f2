namespace Backprop.Simd.Schedules;

/// <summary>A learning rate, or a factor for one, as a function of the step.</summary>
/// <remarks>
/// A schedule has no state: the same step always gives the same rate, and a resumed training needs only the number of the step. Set
/// <c>optimizer.LearningRate = schedule.At(optimizer.Steps)</c> before each step. Steps count from 0; a step may be a batch or an epoch, as
/// the caller likes. Everything is in double.
/// </remarks>
public abstract class Schedule
{
    /// <summary>The rate of a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <returns>The rate.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="step"/> is negative.</exception>
    public double At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return Rate(step);
    }

    /// <summary>This schedule up to a step, then another schedule from its own step 0.</summary>
    /// <param name="steps">The steps of this schedule, 0 or more.</param>
    /// <param name="next">The schedule that follows.</param>
    /// <returns>The sequence.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="steps"/> is negative.</exception>
    public Schedule Then(long steps, Schedule next) => new SequenceSchedule(this, steps, next);

    /// <summary>This schedule times another, step by step.</summary>
    /// <param name="factor">The other schedule.</param>
    /// <returns>The product.</returns>
    public Schedule Times(Schedule factor) => new ProductSchedule(this, factor);

    /// <summary>This schedule times a number.</summary>
    /// <param name="factor">The number, finite and not negative.</param>
    /// <returns>The product.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is negative or not finite.</exception>
    public Schedule Scaled(double factor)
    {
        CheckRate(factor, nameof(factor));
        return new ProductSchedule(this, new ConstantSchedule(factor));
    }

    /// <summary>A linear warm-up, then this schedule from its step 0.</summary>
    /// <remarks>
    /// At step s below <paramref name="steps"/> the rate is r (f + (1 - f) s / steps), with r the first rate of this schedule and f the start
    /// factor. For a warm-up during the schedule, as PyTorch chains them, multiply: <c>Times(new WarmUpSchedule(...))</c>.
    /// </remarks>
    /// <param name="steps">The steps of the warm-up, 0 or more.</param>
    /// <param name="startFactor">The factor at step 0, in [0, 1].</param>
    /// <returns>The sequence.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public Schedule WithWarmUp(long steps, double startFactor = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        return steps == 0 ? this : new SequenceSchedule(new WarmUpSchedule(steps, startFactor).Scaled(At(0)), steps, this);
    }

    /// <summary>The rate of a step that is not negative. It must depend on the step only.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <returns>The rate.</returns>
    protected abstract double Rate(long step);

    /// <summary>A product that is 0 if a factor is 0, even if the other is infinite.</summary>
    private protected static double Product(double rate, double factor) => rate == 0 || factor == 0 ? 0 : rate * factor;

    private protected static void CheckRate(double value, string name)
    {
        if (!(value >= 0 && double.IsFinite(value)))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite and not negative.");
    }

    private protected static void CheckFraction(double value, string name)
    {
        if (!(value is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be in [0, 1].");
    }
}
