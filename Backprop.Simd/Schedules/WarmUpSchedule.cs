namespace Backprop.Simd.Schedules;

/// <summary>A factor that rises linearly from a start to 1: f + (1 - f) step / steps, then 1. PyTorch's LinearLR.</summary>
public sealed class WarmUpSchedule : Schedule
{
    private readonly double _startFactor;
    private readonly long _steps;

    /// <summary>Creates the schedule.</summary>
    /// <param name="steps">The steps until the factor is 1; 1 or more.</param>
    /// <param name="startFactor">The factor at step 0, in [0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public WarmUpSchedule(long steps, double startFactor = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        CheckFraction(startFactor, nameof(startFactor));
        (_steps, _startFactor) = (steps, startFactor);
    }

    /// <inheritdoc/>
    protected override double Rate(long step) => step >= _steps ? 1 : _startFactor + (1 - _startFactor) * ((double)step / _steps);
}
