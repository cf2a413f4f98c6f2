namespace Backprop.Simd.Schedules;

/// <summary>rate gamma^step: PyTorch's ExponentialLR.</summary>
public sealed class ExponentialSchedule : Schedule
{
    private readonly double _rate, _gamma;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The first rate, finite and not negative.</param>
    /// <param name="gamma">The factor of each step, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public ExponentialSchedule(double rate, double gamma)
    {
        CheckRate(rate, nameof(rate));
        CheckRate(gamma, nameof(gamma));
        (_rate, _gamma) = (rate, gamma);
    }

    /// <inheritdoc/>
    protected override double Rate(long step) => Product(_rate, Math.Pow(_gamma, step));
}
