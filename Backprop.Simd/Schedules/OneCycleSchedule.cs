namespace Backprop.Simd.Schedules;

/// <summary>How a one-cycle schedule goes from one rate to the next.</summary>
public enum Annealing
{
    /// <summary>Along half a cosine.</summary>
    Cosine,

    /// <summary>Along a line.</summary>
    Linear,
}

/// <summary>
/// Rises to a maximum and falls far below the start (Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large
/// Learning Rates, 2019): PyTorch's OneCycleLR.
/// </summary>
/// <remarks>
/// The rate rises from maximum / startDivisor at step 0 to maximum at step rise steps - 1. Then it falls to maximum / startDivisor / endDivisor at
/// step steps - 1, and stays there. With three phases, it first falls back to the start, for as many steps as it rose. With a rise of 1 there
/// is no step left to fall: the rate stays at the maximum.
/// </remarks>
public sealed class OneCycleSchedule : Schedule
{
    private readonly double _maximum, _start, _end, _rising;
    private readonly long _steps;
    private readonly Annealing _annealing;
    private readonly bool _threePhases;

    /// <summary>Creates the schedule.</summary>
    /// <param name="maximum">The largest rate, finite and not negative.</param>
    /// <param name="steps">The total number of steps, 1 or more.</param>
    /// <param name="rise">The part of the steps in which the rate rises, in [0, 1]; in [0, 1/2] with three phases.</param>
    /// <param name="startDivisor">The first rate is the maximum divided by this number, finite and positive.</param>
    /// <param name="endDivisor">The last rate is the first rate divided by this number, finite and positive.</param>
    /// <param name="annealing">The form of the rise and the fall.</param>
    /// <param name="threePhases">Whether the rate falls back to the start, as fast as it rose, before it falls to the end.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public OneCycleSchedule(double maximum, long steps, double rise = 0.3, double startDivisor = 25, double endDivisor = 1e4,
        Annealing annealing = Annealing.Cosine, bool threePhases = false)
    {
        CheckRate(maximum, nameof(maximum));
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        CheckFraction(rise, nameof(rise));
        if (threePhases && rise > 0.5)
            throw new ArgumentOutOfRangeException(nameof(rise), rise, "'rise' must be in [0, 1/2] with three phases.");
        CheckDivisor(startDivisor, nameof(startDivisor));
        CheckDivisor(endDivisor, nameof(endDivisor));
        if (annealing is not (Annealing.Cosine or Annealing.Linear))
            throw new ArgumentOutOfRangeException(nameof(annealing), annealing, "'annealing' must be Cosine or Linear.");
        (_maximum, _steps, _annealing, _threePhases) = (maximum, steps, annealing, threePhases);

        // A rise of k / steps ends exactly at a step; rounding must not move it.
        _rising = rise * steps;
        if (Math.Abs(_rising - Math.Round(_rising)) <= 1e-15 * _rising)
            _rising = Math.Round(_rising);
        _start = maximum / startDivisor;
        _end = _start / endDivisor;
    }

    /// <inheritdoc/>
    protected override double Rate(long step)
    {
        var peak = _rising - 1;
        var top = Math.Max(0, peak);
        double last = Math.Max(top, _steps - 1), back = _threePhases ? Math.Max(top, Math.Min(2 * _rising - 2, last)) : top;
        if (step == peak || step > peak && peak == last)
            return _maximum;
        if (step >= last)
            return _end;
        if (step < top)
            return Between(_start, _maximum, step / top);
        return step < back
            ? Between(_maximum, _start, (step - top) / (back - top))
            : Between(_threePhases ? _start : _maximum, _end, (step - back) / (last - back));
    }

    private double Between(double first, double last, double part) =>
        _annealing == Annealing.Cosine ? CosineSchedule.Between(first, last, part) : first + (last - first) * part;

    private static void CheckDivisor(double value, string name)
    {
        if (!(value > 0 && double.IsFinite(value)))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite and positive.");
    }
}
