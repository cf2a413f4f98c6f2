using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The share of positions whose largest output belongs to the right class.</summary>
/// <remarks>
/// <para>With P labels per row, each label has K = width / P outputs ([K] for one label, [T, K] for T labels). K = 1 is the binary case: the
/// label is 0 or 1, and class 1 is predicted if the output exceeds the threshold. Dense targets are 0 or 1 for outputs of width 1, and
/// one-hot for wider outputs.</para>
/// <para>The prediction is the first of equal outputs. A position with NaN among its outputs is wrong.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class AccuracyMetric<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _ignoreIndex;
    private readonly double _threshold;
    private long _right, _count;

    /// <summary>Makes the metric.</summary>
    /// <param name="ignoreIndex">The label of positions to leave out.</param>
    /// <param name="threshold">In the binary case, class 1 is predicted above it: 0 for logits, 0.5 for probabilities.</param>
    /// <param name="name">Its name.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of labels or targets; null for the first.</param>
    /// <exception cref="ArgumentException"><paramref name="threshold"/> is NaN.</exception>
    public AccuracyMetric(int ignoreIndex = -100, double threshold = 0, string name = "accuracy", string? output = null, string? target = null)
        : base(name, output, target)
    {
        _ignoreIndex = ignoreIndex;
        _threshold = double.IsNaN(threshold) ? throw new ArgumentException("The threshold must not be NaN.", nameof(threshold)) : threshold;
    }

    /// <inheritdoc/>
    public override double Value => _count == 0 ? double.NaN : (double)_right / _count;

    /// <inheritdoc/>
    public override void Reset() => (_right, _count) = (0, 0);

    /// <inheritdoc/>
    public override void Add(in MetricBatch<T> batch)
    {
        var (right, count) = TopKAccuracyMetric<T>.Count(new ClassRows<T>(in batch, _ignoreIndex, _threshold), 1);
        _right += right;
        _count += count;
    }
}
