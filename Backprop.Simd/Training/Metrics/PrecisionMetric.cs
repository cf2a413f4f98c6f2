using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The share of a class among the positions for which it was predicted, or its mean over classes.</summary>
/// <inheritdoc/>
public sealed class PrecisionMetric<T> : ConfusionMetric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes the metric.</summary>
    /// <param name="classes">The number of classes, 2 to 32768.</param>
    /// <param name="ofClass">The class to measure, such as 1 in a binary task; null for the mean over classes.</param>
    /// <param name="ignoreIndex">The label of positions to leave out.</param>
    /// <param name="threshold">In the binary case, class 1 is predicted above it: 0 for logits, 0.5 for probabilities.</param>
    /// <param name="name">Its name.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of labels or targets; null for the first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="classes"/> is out of range, or there is no class <paramref name="ofClass"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="threshold"/> is NaN.</exception>
    public PrecisionMetric(int classes, int? ofClass = null, int ignoreIndex = -100, double threshold = 0, string name = "precision", string? output = null,
        string? target = null)
        : base(classes, ofClass, ignoreIndex, threshold, name, output, target) { }

    /// <inheritdoc/>
    public override double Value => OfClass is { } one ? Matrix.Precision(one) : Matrix.MacroPrecision;
}
