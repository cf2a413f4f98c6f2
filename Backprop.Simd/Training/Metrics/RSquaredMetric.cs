using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The coefficient of determination: R2 = 1 - sum (y - t)^2 / sum (t - mean t)^2 over the rows, the mean over the outputs of a row.</summary>
/// <remarks>
/// As in scikit-learn's r2_score, if all targets of an output are equal, it scores 1 if it is exact and 0 otherwise. Fewer than two rows, or
/// NaN, give NaN. The targets' mean and squares are computed row by row by Welford's method (Technometrics 4, 1962), so that a large offset
/// of the targets costs no precision. All batches between two resets must have the same width.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class RSquaredMetric<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private double[] _means = [], _squares = [], _errors = [];
    private long _rows;

    /// <summary>Makes the metric.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="output">The network's output; null for the first.</param>
    /// <param name="target">The column of targets; null for the first.</param>
    public RSquaredMetric(string name = "r2", string? output = null, string? target = null)
        : base(name, output, target) { }

    /// <inheritdoc/>
    public override double Value
    {
        get
        {
            if (_rows < 2)
                return double.NaN;
            var sum = 0.0;
            for (var i = 0; i < _means.Length; i++)
                sum += _squares[i] != 0 ? 1 - _errors[i] / _squares[i] : double.IsNaN(_errors[i]) ? double.NaN : _errors[i] == 0 ? 1 : 0;
            return sum / _means.Length;
        }
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _rows = 0;
        Array.Clear(_means);
        Array.Clear(_squares);
        Array.Clear(_errors);
    }

    /// <inheritdoc/>
    public override void Add(in MetricBatch<T> batch)
    {
        DenseTargets.Check(in batch);
        if (batch.Width != _means.Length)
        {
            if (_rows != 0)
                throw new ArgumentException($"Earlier batches had the width {_means.Length}; this one has {batch.Width}.", nameof(batch));
            (_means, _squares, _errors) = (new double[batch.Width], new double[batch.Width], new double[batch.Width]);
        }

        for (var row = 0; row < batch.Rows; row++)
            AddRow(batch.Outputs.Slice(row * batch.Width, batch.Width), batch.Targets.Slice(row * batch.Width, batch.Width));
    }

    private void AddRow(ReadOnlySpan<T> outputs, ReadOnlySpan<T> targets)
    {
        _rows++;
        for (var i = 0; i < outputs.Length; i++)
        {
            var target = double.CreateTruncating(targets[i]);
            var error = double.CreateTruncating(outputs[i]) - target;
            var delta = target - _means[i];
            _means[i] += delta / _rows;
            _squares[i] += delta * (target - _means[i]);
            _errors[i] += error * error;
        }
    }
}
