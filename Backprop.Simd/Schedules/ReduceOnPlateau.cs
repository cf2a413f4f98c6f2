namespace Backprop.Simd.Schedules;

/// <summary>The state of a <see cref="ReduceOnPlateau"/>, to be saved with a training.</summary>
/// <param name="Rate">The rate.</param>
/// <param name="Best">The best metric so far.</param>
/// <param name="BadRecords">The number of metrics in a row without improvement.</param>
/// <param name="CoolDown">The number of metrics left in the cool-down.</param>
public readonly record struct PlateauState(double Rate, double Best, int BadRecords, int CoolDown);

/// <summary>Multiplies the rate by a factor when a metric has stopped improving: PyTorch's ReduceLROnPlateau, also for negative metrics.</summary>
/// <remarks>
/// The rate depends on the metrics recorded so far; reading it changes nothing. A metric improves on the best b if it is below b - margin, or, if
/// larger is better, above b + margin. The margin is threshold |b|, or the threshold itself if it is absolute. NaN never improves. After
/// more than <c>patience</c> metrics in a row without improvement, the rate falls, and the next <c>coolDown</c> metrics do not count.
/// </remarks>
public sealed class ReduceOnPlateau
{
    /// <summary>A smaller or equal change of the rate is not made.</summary>
    private const double LeastChange = 1e-8;

    private readonly double _factor, _threshold, _least;
    private readonly int _patience, _coolDown;
    private readonly bool _largerIsBetter, _absolute;
    private PlateauState _state;

    /// <summary>Creates the rule, without records.</summary>
    /// <param name="rate">The first rate, finite and not negative.</param>
    /// <param name="factor">The rate is multiplied by this factor, in [0, 1).</param>
    /// <param name="patience">How many metrics in a row may bring no improvement, 0 or more.</param>
    /// <param name="threshold">The least improvement that counts, finite and not negative.</param>
    /// <param name="coolDown">How many metrics after a change do not count, 0 or more.</param>
    /// <param name="least">The smallest rate, finite and not negative.</param>
    /// <param name="largerIsBetter">True for an accuracy, false for a loss.</param>
    /// <param name="absolute">True for an absolute threshold, false for one relative to the best metric.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    // All eight are independent options with defaults, as in PyTorch.
    public ReduceOnPlateau(double rate, double factor = 0.1, int patience = 10, double threshold = 1e-4, int coolDown = 0, double least = 0,
        bool largerIsBetter = false, bool absolute = false)
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

    /// <summary>Everything that changes. Setting it restores the rule to where the state was read.</summary>
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
                throw new ArgumentOutOfRangeException(nameof(value), value.Best,
                    "The best metric must not be NaN.");
            _state = value;
        }
    }

    /// <summary>Records a metric. Call it once per epoch.</summary>
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
        // The first metric is compared with infinity, which has no relative margin.
        var margin = _absolute || double.IsInfinity(best) ? _threshold : _threshold * Math.Abs(best);
        return _largerIsBetter ? metric > best + margin : metric < best - margin;
    }

    private static void CheckNotNegative(double value, string name)
    {
        if (!(value >= 0 && double.IsFinite(value)))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite and not negative.");
    }
}
