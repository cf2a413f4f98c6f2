using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>A number computed from a <see cref="ConfusionMatrix{T}"/>: for one class, or the mean over classes.</summary>
/// <remarks>The remarks of the matrix on labels and targets, on 0 / 0 and on NaN hold here too.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class ConfusionMetric<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private protected ConfusionMetric(int classes, int? ofClass, int ignoreIndex, double threshold, string name, string? output, string? target)
        : base(name, output, target)
    {
        Matrix = new(classes, ignoreIndex, threshold, name, output, target);
        if (ofClass is { } one && (uint)one >= (uint)classes)
            throw new ArgumentOutOfRangeException(nameof(ofClass), one, $"There are {classes} classes.");
        OfClass = ofClass;
    }

    /// <summary>The counts.</summary>
    public ConfusionMatrix<T> Matrix { get; }

    /// <summary>The class to measure; null for the mean over classes.</summary>
    public int? OfClass { get; }

    /// <inheritdoc/>
    public override void Reset() => Matrix.Reset();

    /// <inheritdoc/>
    public override void Add(in MetricBatch<T> batch) => Matrix.Add(in batch);
}
