namespace Backprop.Simd.Schedules;

/// <summary>least + (rate - least) (1 + cos(pi step / steps)) / 2, then least (Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with
/// Warm Restarts, 2017, eq. 5).</summary>
/// <remarks>
/// Up to <c>steps</c> it equals PyTorch's CosineAnnealingLR; after that, PyTorch's rate rises again and this rate does not. For restarts see
/// <see cref="CosineRestartsSchedule"/>.
/// </remarks>
public sealed class CosineSchedule : Schedule
{
    private readonly double _rate, _least;
    private readonly long _steps;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The first rate, finite and not negative.</param>
    /// <param name="steps">The steps of the descent, 1 or more.</param>
    /// <param name="least">The last rate, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public CosineSchedule(double rate, long steps, double least = 0)
    {
        CheckRate(rate, nameof(rate));
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        CheckRate(least, nameof(least));
        (_rate, _steps, _least) = (rate, steps, least);
    }

    /// <inheritdoc/>
    protected override double Rate(long step) => step >= _steps ? _least : Between(_rate, _least, (double)step / _steps);

    /// <summary>From one rate to another along half a cosine, for a part in [0, 1].</summary>
    internal static double Between(double first, double last, double part) => last + (first - last) * (1 + Math.Cos(Math.PI * part)) / 2;
}
