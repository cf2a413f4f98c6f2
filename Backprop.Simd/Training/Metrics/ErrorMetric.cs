using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The mean, over all elements, of an error between output y and target t. With NaN among them, the mean is NaN.</summary>
/// <typeparam name="T">float or double.</typeparam>
public abstract class ErrorMetric<T> : Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private double _sum;
    private long _count;

    private protected ErrorMetric(string name, string? output, string? target)
        : base(name, output, target) { }

    /// <inheritdoc/>
    public override bool LargerIsBetter => false;

    /// <summary>The mean; NaN without rows.</summary>
    private protected double Mean => _sum / _count;

    /// <inheritdoc/>
    public override void Reset() => (_sum, _count) = (0, 0);

    /// <inheritdoc/>
    public override void Add(in MetricBatch<T> batch)
    {
        DenseTargets.Check(in batch);
        _sum = Continue(_sum, batch.Outputs, batch.Targets);
        _count += batch.Outputs.Length;
    }

    /// <summary>Adds the errors of more elements to a sum, one after the other, so that the batch size does not change its bits.</summary>
    private protected abstract double Continue(double sum, ReadOnlySpan<T> outputs, ReadOnlySpan<T> targets);

    /// <summary>Adds (y - t)^2 of more elements to a sum.</summary>
    private protected static double AddSquares(double sum, ReadOnlySpan<T> outputs, ReadOnlySpan<T> targets)
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            var error = double.CreateTruncating(outputs[i]) - double.CreateTruncating(targets[i]);
            sum += error * error;
        }

        return sum;
    }
}
