namespace Backprop.Simd.Schedules;

/// <summary>The same rate at every step.</summary>
public sealed class ConstantSchedule : Schedule
{
    private readonly double _rate;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The rate, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rate"/> is negative or not finite.</exception>
    public ConstantSchedule(double rate)
    {
        CheckRate(rate, nameof(rate));
        _rate = rate;
    }

    /// <inheritdoc/>
    protected override double Rate(long step) => _rate;
}
