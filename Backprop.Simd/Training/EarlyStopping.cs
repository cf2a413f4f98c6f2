namespace Backprop.Simd.Training;

/// <summary>Ends a training when a figure of the validation has not become better for some epochs, and goes back to the best.</summary>
public sealed record EarlyStopping
{
    /// <summary>What is monitored: <c>loss</c>, or the name of a metric of the validation.</summary>
    public string Monitor { get; init; } = "loss";

    /// <summary>Whether more is better; null to ask the metric (the loss says no).</summary>
    public bool? LargerIsBetter { get; init; }

    /// <summary>The validations in a row without improvement that are borne, zero or more.</summary>
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

    /// <summary>How much better is better, zero or more. NaN is never better.</summary>
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

    /// <summary>Whether the parameters and the state of the best validation are restored at the end; not where the training was
    /// cancelled or stopped, because it may go on: <see cref="Trainer{T}.RestoreBest"/> does it then.</summary>
    public bool RestoreBest { get; init; } = true;
}
