using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>A measure over a set, computed batch by batch: call <c>Reset</c>, then <c>Add</c> for each batch, then <c>Value</c>.</summary>
/// <remarks>Sums are in double and in the order of the rows, so that a metric has the same bits for any number of threads.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes a metric.</summary>
    /// <param name="name">Its name in histories and displays, such as <c>accuracy</c>.</param>
    /// <param name="output">The network's output to measure; null for the first.</param>
    /// <param name="target">The column to compare it with; null for the first column named <c>labels</c> or <c>targets</c>.</param>
    protected Metric(string name, string? output = null, string? target = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        Output = output;
        Target = target;
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The network's output to measure; null for the first.</summary>
    public string? Output { get; }

    /// <summary>The column to compare it with; null for the first column named <c>labels</c> or <c>targets</c>.</summary>
    public string? Target { get; }

    /// <summary>Whether larger is better. For an error, smaller is better.</summary>
    public virtual bool LargerIsBetter => true;

    /// <summary>The metric over all rows added since the last reset; NaN if it is not defined, for example without rows.</summary>
    public abstract double Value { get; }

    /// <summary>Forgets all rows.</summary>
    public abstract void Reset();

    /// <summary>Adds the rows of a batch. Allocates nothing after the first batch of this width.</summary>
    /// <param name="batch">The outputs, and the labels or targets.</param>
    /// <exception cref="ArgumentException">The batch does not fit the metric; nothing was added.</exception>
    public abstract void Add(in MetricBatch<T> batch);
}
