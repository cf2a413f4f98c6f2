using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The share of positions whose right class is among the k classes with the largest outputs.</summary>
/// <remarks>
/// Of equal outputs the earlier ranks higher, so that k = 1 is <see cref="AccuracyMetric{T}"/>. Its remarks on labels, targets and NaN hold
/// here too.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class TopKAccuracyMetric<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _ignoreIndex;
    private long _right, _count;

    /// <summary>Makes the metric.</summary>
    /// <param name="k">How many classes count, 1 to the number of classes.</param>
    /// <param name="ignoreIndex">The label of positions to leave out.</param>
    /// <param name="name">Its name; null for <c>top-</c> and the number, such as <c>top-5</c>.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of labels or targets; null for the first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is below 1.</exception>
    public TopKAccuracyMetric(int k, int ignoreIndex = -100, string? name = null, string? output = null, string? target = null)
        : base(name ?? $"top-{k}", output, target)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        K = k;
        _ignoreIndex = ignoreIndex;
    }

    /// <summary>How many classes count.</summary>
    public int K { get; }

    /// <inheritdoc/>
    public override double Value => _count == 0 ? double.NaN : (double)_right / _count;

    /// <inheritdoc/>
    public override void Reset() => (_right, _count) = (0, 0);

    /// <inheritdoc/>
    public override void Add(in MetricBatch<T> batch)
    {
        var rows = new ClassRows<T>(in batch, _ignoreIndex, 0);
        if (K > rows.Classes)
            throw new ArgumentException($"There are {rows.Classes} classes; k is {K}.", nameof(batch));
        var (right, count) = Count(rows, K);
        _right += right;
        _count += count;
    }

    /// <summary>The number of right positions, and of all positions that are not ignored.</summary>
    internal static (int Right, int Count) Count(ClassRows<T> rows, int k)
    {
        int right = 0, count = 0;
        for (var i = 0; i < rows.Positions; i++)
        {
            var actual = rows.Actual(i);
            if (actual < 0)
                continue;
            count++;
            // If an output is NaN, all classes rank ahead: at least k, so the position is wrong.
            right += rows.Ahead(i, actual) < k ? 1 : 0;
        }

        return (right, count);
    }
}
