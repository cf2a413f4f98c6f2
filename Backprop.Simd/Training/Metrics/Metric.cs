using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>A figure of merit over a set, gathered batch by batch: <c>Reset</c>, <c>Add</c> for each batch, then <c>Value</c>.</summary>
/// <remarks>Sums are in double and in the order of the rows, so a metric is the same for any number of threads.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class Metric<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes a metric.</summary>
    /// <param name="name">What it is called in histories and displays: <c>accuracy</c>.</param>
    /// <param name="output">The network's output that it looks at; null for the first.</param>
    /// <param name="target">The column that the output is compared with; null for the first that is called <c>labels</c> or <c>targets</c>.</param>
    protected Metric(string name, string? output = null, string? target = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        Output = output;
        Target = target;
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>The output that it looks at; null for the first.</summary>
    public string? Output { get; }

    /// <summary>The column that the output is compared with; null for the first called <c>labels</c> or <c>targets</c>.</summary>
    public string? Target { get; }

    /// <summary>Whether more is better; a loss or an error says no.</summary>
    public virtual bool LargerIsBetter => true;

    /// <summary>The metric over all rows added since the last reset; NaN where it is not defined, as without rows.</summary>
    public abstract double Value { get; }

    /// <summary>Forgets all rows.</summary>
    public abstract void Reset();

    /// <summary>Adds the rows of a batch; allocates nothing once it has seen a batch of this width.</summary>
    /// <param name="batch">Outputs and what they are compared with.</param>
    /// <exception cref="ArgumentException">The batch has not what the metric needs; nothing was added.</exception>
    public abstract void Add(in MetricBatch<T> batch);
}
