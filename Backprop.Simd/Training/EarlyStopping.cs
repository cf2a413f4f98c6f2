namespace Backprop.Simd.Training;

/// <summary>Ends a training when the validation has not improved for some epochs, and restores the best weights.</summary>
public sealed record EarlyStopping
{
    /// <summary>The monitored value: <c>loss</c> or the name of a metric of the validation.</summary>
    public string Monitor { get; init; } = "loss";

    /// <summary>Whether larger is better; null to ask the metric. For the loss, smaller is better.</summary>
    public bool? LargerIsBetter { get; init; }

    /// <summary>How many validations in a row may bring no improvement, 0 or more. The next one ends the training.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int Patience
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 5;

    /// <summary>The least change that counts as an improvement, 0 or more. NaN is never an improvement.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or NaN.</exception>
    public double MinimumChange
    {
        get;
        init
        {
            if (!(value >= 0))
                throw new ArgumentOutOfRangeException(nameof(MinimumChange), value, "'MinimumChange' must not be negative.");
            field = value;
        }
    }

    /// <summary>
    /// Whether the parameters and the state of the best validation are restored at the end. A training that was cancelled or stopped may
    /// continue, so nothing is restored; call <see cref="Trainer{T}.RestoreBest"/> instead.
    /// </summary>
    public bool RestoreBest { get; init; } = true;
}
