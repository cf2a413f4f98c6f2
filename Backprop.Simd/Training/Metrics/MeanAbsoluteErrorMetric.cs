using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>Mean of |y - t| over all elements; NaN if an element is NaN.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed class MeanAbsoluteErrorMetric<T> : ErrorMetric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes the metric.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of targets; null for the first.</param>
    public MeanAbsoluteErrorMetric(string name = "mae", string? output = null, string? target = null)
        : base(name, output, target) { }

    /// <inheritdoc/>
    public override double Value => Mean;

    private protected override double Continue(double sum, ReadOnlySpan<T> outputs, ReadOnlySpan<T> targets)
    {
        for (var i = 0; i < outputs.Length; i++)
            sum += Math.Abs(double.CreateTruncating(outputs[i]) - double.CreateTruncating(targets[i]));
        return sum;
    }
}
