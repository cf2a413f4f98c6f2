using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The area under the receiver operating characteristic: the chance that a positive row scores above a negative one.</summary>
/// <remarks>
/// <para>It is exact: (pairs in the right order + half of the ties) / all pairs of a positive and a negative row. This is the statistic of Mann
/// and Whitney (Ann. Math. Stat. 18, 1947); Hanley and McNeil (Radiology 143, 1982) show that it equals the area.</para>
/// <para>A label or dense target is 0 or 1. A single output is the score. Of two logits or log-probabilities, the score is the second minus
/// the first; of two probabilities, it is the second, because a difference would lose small values next to 1. The value is NaN if only one
/// class occurs or if a score is NaN. All scores are kept, 8 bytes each, in buffers that grow by doubling and are reused after a reset.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class RocAucMetric<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _ignoreIndex;
    private readonly bool? _probabilities;
    private Scores _negatives = new(), _positives = new();
    private double? _value;
    private bool _hasNaN;

    /// <summary>Makes the metric.</summary>
    /// <param name="ignoreIndex">The label of positions to leave out.</param>
    /// <param name="name">Its name.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of labels or targets; null for the first.</param>
    /// <param name="probabilities">Whether two outputs are probabilities; null to use <see cref="MetricBatch{T}.GivesProbabilities"/>.</param>
    public RocAucMetric(int ignoreIndex = -100, string name = "auc", string? output = null, string? target = null, bool? probabilities = null)
        : base(name, output, target) => (_ignoreIndex, _probabilities) = (ignoreIndex, probabilities);

    /// <inheritdoc/>
    /// <remarks>Sorts the scores added since the last call.</remarks>
    public override double Value => _value ??= Compute();

    /// <inheritdoc/>
    public override void Reset()
    {
        _negatives.Count = 0;
        _positives.Count = 0;
        _value = null;
        _hasNaN = false;
    }

    /// <inheritdoc/>
    public override void Add(in MetricBatch<T> batch)
    {
        var rows = new ClassRows<T>(in batch, _ignoreIndex, 0);
        if (rows.Classes != 2)
            throw new ArgumentException($"A row must have one or two outputs; it has {rows.Width}.", nameof(batch));
        _value = null;
        var isDifference = rows.Width == 2 && !(_probabilities ?? batch.GivesProbabilities);
        for (var i = 0; i < rows.Positions; i++)
        {
            var actual = rows.Actual(i);
            if (actual < 0)
                continue;
            var outputs = rows.Outputs(i);
            var score = double.CreateTruncating(outputs[^1]);
            if (isDifference)
                score -= double.CreateTruncating(outputs[0]);
            _hasNaN |= double.IsNaN(score);
            if (actual == 0)
                _negatives.Add(score);
            else
                _positives.Add(score);
        }
    }

    private double Compute()
    {
        if (_hasNaN || _negatives.Count == 0 || _positives.Count == 0)
            return double.NaN;
        ReadOnlySpan<double> negatives = _negatives.Sorted(), positives = _positives.Sorted();
        int below = 0, upTo = 0;
        var twice = 0UL;
        foreach (var score in positives)
        {
            while (below < negatives.Length && negatives[below] < score)
                below++;
            while (upTo < negatives.Length && negatives[upTo] <= score)
                upTo++;
            twice += (ulong)below + (ulong)upTo;
        }

        return twice / 2.0 / ((double)negatives.Length * positives.Length);
    }

    private struct Scores()
    {
        private double[] _items = [];

        public int Count { get; set; } = 0;

        public void Add(double score)
        {
            if (Count == _items.Length)
                Array.Resize(ref _items, Math.Max(256, (int)Math.Min(2L * Count, Array.MaxLength)));
            _items[Count++] = score;
        }

        public readonly ReadOnlySpan<double> Sorted()
        {
            var scores = _items.AsSpan(0, Count);
            scores.Sort();
            return scores;
        }
    }
}
