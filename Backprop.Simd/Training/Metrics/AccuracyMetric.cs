using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The share of positions whose largest output is that of the right class.</summary>
/// <remarks>
/// <para>Labels: a row has P of them, and K = width / P outputs for each ([K] with one label, [T, K] with T). K = 1 is the binary case:
/// the label is 0 or 1, and 1 is predicted where the output exceeds the threshold. Dense targets: 0 or 1 for outputs of
/// width 1, one-hot for wider ones.</para>
/// <para>Of equal outputs the first is the prediction. A position with NaN among its outputs counts as wrong.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class AccuracyMetric<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _ignoreIndex;
    private readonly double _threshold;
    private long _right, _count;

    /// <summary>Makes the metric.</summary>
    /// <param name="ignoreIndex">The label of positions that take no part.</param>
    /// <param name="threshold">In the binary case class 1 is predicted above it: 0 for logits, 0.5 for probabilities.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of labels or targets; null for the first.</param>
    /// <exception cref="ArgumentException"><paramref name="threshold"/> is NaN.</exception>
    public AccuracyMetric(int ignoreIndex = -100, double threshold = 0, string name = "accuracy", string? output = null, string? target = null)
        : base(name, output, target)
    {
        _ignoreIndex = ignoreIndex;
        _threshold = double.IsNaN(threshold) ? throw new ArgumentException("A threshold is a number.", nameof(threshold)) : threshold;
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
