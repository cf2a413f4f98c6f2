namespace Backprop.Simd.Schedules;

/// <summary>What of <see cref="ReduceOnPlateau"/> is to be saved with a training.</summary>
/// <param name="Rate">The rate.</param>
/// <param name="Best">The best metric so far.</param>
/// <param name="BadRecords">The metrics since, none of them better.</param>
/// <param name="CoolDown">The metrics still to pass before bad ones count again.</param>
public readonly record struct PlateauState(double Rate, double Best, int BadRecords, int CoolDown);

/// <summary>Multiplies the rate by a factor when a metric has stopped to improve: PyTorch's ReduceLROnPlateau, for negative metrics too.</summary>
/// <remarks>
/// The rate is a function of the metrics recorded so far; reading it changes nothing. A metric is better than the best b if it is
/// below b - margin, or above b + margin where larger is better; the margin is threshold |b|, or the threshold itself where it is
/// absolute. NaN is never better. After more than <c>patience</c> metrics in a row that are not, the rate falls, and as many as
/// <c>coolDown</c> metrics do not count.
/// </remarks>
public sealed class ReduceOnPlateau
{
    /// <summary>A change of the rate by no more than this is not made.</summary>
    private const double LeastChange = 1e-8;

    private readonly double _factor, _threshold, _least;
    private readonly int _patience, _coolDown;
    private readonly bool _largerIsBetter, _absolute;
    private PlateauState _state;

    /// <summary>Creates it, with nothing recorded.</summary>
    /// <param name="rate">The first rate, finite and not negative.</param>
    /// <param name="factor">What the rate is multiplied by, in [0, 1).</param>
    /// <param name="patience">The metrics without improvement that are borne, zero or more.</param>
    /// <param name="threshold">What counts as an improvement, finite and not negative.</param>
    /// <param name="coolDown">The metrics after a change that do not count, zero or more.</param>
    /// <param name="least">What the rate does not fall below, finite and not negative.</param>
    /// <param name="largerIsBetter">True for an accuracy, false for a loss.</param>
    /// <param name="absolute">True for an absolute threshold, false for one relative to the best metric.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public ReduceOnPlateau(double rate, double factor = 0.1, int patience = 10, double threshold = 1e-4, int coolDown = 0, double least = 0, bool largerIsBetter = false, bool absolute = false)
    {
        CheckNotNegative(rate, nameof(rate));
        if (!(factor is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(factor), factor, "'factor' must be in [0, 1).");
        ArgumentOutOfRangeException.ThrowIfNegative(patience);
        CheckNotNegative(threshold, nameof(threshold));
        ArgumentOutOfRangeException.ThrowIfNegative(coolDown);
        CheckNotNegative(least, nameof(least));
        (_factor, _patience, _threshold, _coolDown, _least) = (factor, patience, threshold, coolDown, least);
        (_largerIsBetter, _absolute) = (largerIsBetter, absolute);
        _state = new PlateauState(rate, largerIsBetter ? double.NegativeInfinity : double.PositiveInfinity, 0, 0);
    }

    /// <summary>The rate after the metrics recorded so far.</summary>
    public double Rate => _state.Rate;

    /// <summary>All that changes; setting it makes this what it was when the state was read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rate or a count is negative, the rate not finite, or the best metric NaN.</exception>
    public PlateauState State
    {
        get => _state;
        set
        {
            CheckNotNegative(value.Rate, nameof(value));
            ArgumentOutOfRangeException.ThrowIfNegative(value.BadRecords, nameof(value));
            ArgumentOutOfRangeException.ThrowIfNegative(value.CoolDown, nameof(value));
            if (double.IsNaN(value.Best))
                throw new ArgumentOutOfRangeException(nameof(value), value.Best, "The best metric is a number, or an infinity before there is one: NaN is never better.");
            _state = value;
        }
    }

    /// <summary>Takes note of a metric, once an epoch.</summary>
    /// <param name="metric">The metric.</param>
    /// <returns>The rate from now on.</returns>
    public double Record(double metric)
    {
        var (rate, best, bad, coolDown) = _state;
        if (IsBetter(metric, best))
            (best, bad) = (metric, 0);
        else
            bad = Math.Min(bad, int.MaxValue - 1) + 1;
        if (coolDown > 0)
            (coolDown, bad) = (coolDown - 1, 0);
        if (bad > _patience)
        {
            var reduced = Math.Max(rate * _factor, _least);
            if (rate - reduced > LeastChange)
                rate = reduced;
            (coolDown, bad) = (_coolDown, 0);
        }

        _state = new PlateauState(rate, best, bad, coolDown);
        return rate;
    }

    private bool IsBetter(double metric, double best)
    {
        // The first metric is compared with infinity, of which there is no part.
        var margin = _absolute || double.IsInfinity(best) ? _threshold : _threshold * Math.Abs(best);
        return _largerIsBetter ? metric > best + margin : metric < best - margin;
    }

    private static void CheckNotNegative(double value, string name)
    {
        if (!(value >= 0 && double.IsFinite(value)))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite and not negative.");
    }
}
