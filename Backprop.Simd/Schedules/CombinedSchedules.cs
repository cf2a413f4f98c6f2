namespace Backprop.Simd.Schedules;

/// <summary>One schedule up to a step, then another from its own step 0.</summary>
internal sealed class SequenceSchedule : Schedule
{
    private readonly Schedule _first, _next;
    private readonly long _steps;

    public SequenceSchedule(Schedule first, long steps, Schedule next)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        ArgumentNullException.ThrowIfNull(next);
        (_first, _steps, _next) = (first, steps, next);
    }

    protected override double Rate(long step) => step < _steps ? _first.At(step) : _next.At(step - _steps);
}

/// <summary>Two schedules multiplied.</summary>
internal sealed class ProductSchedule : Schedule
{
    private readonly Schedule _left, _right;

    public ProductSchedule(Schedule left, Schedule right)
    {
        ArgumentNullException.ThrowIfNull(right, "factor");
        (_left, _right) = (left, right);
    }

    protected override double Rate(long step) => Product(_left.At(step), _right.At(step));
}
