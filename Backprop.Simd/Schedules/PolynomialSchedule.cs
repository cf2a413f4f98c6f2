namespace Backprop.Simd.Schedules;

/// <summary>least + (rate - least) (1 - step / steps)^power, then least: PyTorch's PolynomialLR, where least is 0. Linear with power 1.</summary>
public sealed class PolynomialSchedule : Schedule
{
    private readonly double _rate, _power, _least;
    private readonly long _steps;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The first rate, finite and not negative.</param>
    /// <param name="steps">The steps of the descent, 1 or more.</param>
    /// <param name="power">The power, finite and positive.</param>
    /// <param name="least">The last rate, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public PolynomialSchedule(double rate, long steps, double power = 1, double least = 0)
    {
        CheckRate(rate, nameof(rate));
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (!(power > 0 && double.IsFinite(power)))
            throw new ArgumentOutOfRangeException(nameof(power), power, "'power' must be finite and positive.");
        CheckRate(least, nameof(least));
        (_rate, _steps, _power, _least) = (rate, steps, power, least);
    }

    /// <inheritdoc/>
    protected override double Rate(long step) =>
        step >= _steps ? _least : _least + (_rate - _least) * Math.Pow(1 - (double)step / _steps, _power);
}
