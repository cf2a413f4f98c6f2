using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>Square root of the mean of (y - t)^2 over all elements; NaN if an element is NaN.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed class RootMeanSquaredErrorMetric<T> : ErrorMetric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes the metric.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of targets; null for the first.</param>
    public RootMeanSquaredErrorMetric(string name = "rmse", string? output = null, string? target = null)
        : base(name, output, target) { }

    /// <inheritdoc/>
    public override double Value => Math.Sqrt(Mean);

    private protected override double Continue(double sum, ReadOnlySpan<T> outputs, ReadOnlySpan<T> targets) =>
        AddSquares(sum, outputs, targets);
}
