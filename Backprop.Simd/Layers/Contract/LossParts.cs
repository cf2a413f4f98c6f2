namespace Backprop.Simd.Layers;

/// <summary>The parts of a loss over some rows, in double. A mean has a numerator and a denominator; a sum has a numerator only.</summary>
/// <remarks>
/// Parts of one loss over different rows add up: <c>(a + b).Value</c> is the loss over the rows of both, however the rows were split. Each
/// loss says what its mean divides by, such as the positions kept or a sum of weights. The default value is a mean over no rows. It adds
/// nothing to means and sums.
/// </remarks>
public readonly record struct LossParts
{
    private LossParts(double numerator, double denominator, bool isSum) => (Numerator, Denominator, IsSum) = (numerator, denominator, isSum);

    /// <summary>What a mean divides, or the sum.</summary>
    public double Numerator { get; }

    /// <summary>What a mean divides by; 0 for a sum.</summary>
    public double Denominator { get; }

    /// <summary>True for a sum, false for a mean.</summary>
    public bool IsSum { get; }

    /// <summary>The loss: numerator / denominator, 0 if the denominator is 0; or the sum.</summary>
    public double Value => IsSum ? Numerator : Denominator == 0 ? 0 : Numerator / Denominator;

    /// <summary>The parts of a mean.</summary>
    /// <param name="numerator">The number that is divided.</param>
    /// <param name="denominator">The number to divide by; 0 if all rows are ignored.</param>
    /// <returns>The parts.</returns>
    public static LossParts Mean(double numerator, double denominator) => new(numerator, denominator, false);

    /// <summary>A sum, which is not divided.</summary>
    /// <param name="sum">The sum.</param>
    /// <returns>The parts.</returns>
    public static LossParts Sum(double sum) => new(sum, 0, true);

    /// <summary>The parts of one loss over the rows of both.</summary>
    /// <param name="left">The parts over some rows.</param>
    /// <param name="right">The parts over other rows.</param>
    /// <returns>The sums of numerators and denominators.</returns>
    /// <exception cref="ArgumentException">One is a sum, the other a mean over something.</exception>
    public static LossParts operator +(LossParts left, LossParts right)
    {
        if (left.IsSum != right.IsSum && left != default && right != default)
            throw new ArgumentException($"A sum and a mean cannot be added; they are {left} and {right}.", nameof(right));
        return new(left.Numerator + right.Numerator, left.Denominator + right.Denominator, left.IsSum || right.IsSum);
    }

    /// <inheritdoc cref="op_Addition"/>
    public static LossParts Add(LossParts left, LossParts right) => left + right;
}
