namespace Backprop.Simd.Schedules;

/// <summary>rate gamma^k, where k is the number of milestones at or before the step: PyTorch's MultiStepLR.</summary>
public sealed class MultiStepSchedule : Schedule
{
    private readonly double _rate, _gamma;
    private readonly long[] _milestones;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The first rate, finite and not negative.</param>
    /// <param name="milestones">The steps at which the rate changes, ascending. Two equal milestones change it twice.</param>
    /// <param name="gamma">The factor of each change, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    /// <exception cref="ArgumentException">The milestones are negative or not ascending.</exception>
    public MultiStepSchedule(double rate, ReadOnlySpan<long> milestones, double gamma = 0.1)
    {
        CheckRate(rate, nameof(rate));
        CheckRate(gamma, nameof(gamma));
        long before = 0;
        foreach (var milestone in milestones)
        {
            if (milestone < before)
                throw new ArgumentException($"Milestones must be ascending and not negative; found {milestone} after {before}.", nameof(milestones));
            before = milestone;
        }

        (_rate, _milestones, _gamma) = (rate, milestones.ToArray(), gamma);
    }

    /// <inheritdoc/>
    protected override double Rate(long step)
    {
        var passed = 0;
        while (passed < _milestones.Length && _milestones[passed] <= step)
            passed++;
        return Product(_rate, Math.Pow(_gamma, passed));
    }
}
