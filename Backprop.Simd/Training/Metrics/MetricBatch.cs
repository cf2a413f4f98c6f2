using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>The part of a batch that a metric uses.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct MetricBatch<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes a batch of outputs and class labels.</summary>
    /// <param name="rows">The rows, 1 or more.</param>
    /// <param name="outputs">rows x width numbers.</param>
    /// <param name="labels">rows x positions labels; width is positions x classes.</param>
    /// <exception cref="ArgumentException">A length is not a multiple of the rows.</exception>
    public MetricBatch(int rows, ReadOnlySpan<T> outputs, ReadOnlySpan<int> labels)
        : this(rows, outputs)
    {
        CheckMultiple(rows, labels.Length, nameof(labels));
        Labels = labels;
    }

    /// <summary>Makes a batch of outputs and dense targets.</summary>
    /// <param name="rows">The rows, 1 or more.</param>
    /// <param name="outputs">rows x width numbers.</param>
    /// <param name="targets">As many numbers.</param>
    /// <exception cref="ArgumentException">A length is not a multiple of the rows.</exception>
    public MetricBatch(int rows, ReadOnlySpan<T> outputs, ReadOnlySpan<T> targets)
        : this(rows, outputs)
    {
        CheckMultiple(rows, targets.Length, nameof(targets));
        Targets = targets;
    }

    private MetricBatch(int rows, ReadOnlySpan<T> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        CheckMultiple(rows, outputs.Length, nameof(outputs));
        Rows = rows;
        Outputs = outputs;
    }

    /// <summary>The rows.</summary>
    public int Rows { get; }

    /// <summary>The numbers of a row.</summary>
    /// <exception cref="ArgumentException">The batch is the default value, which has no rows.</exception>
    public int Width => Rows > 0 ? Outputs.Length / Rows : throw new ArgumentException("The batch is the default value, which has no rows.", "batch");

    /// <summary>The outputs: rows x width.</summary>
    public ReadOnlySpan<T> Outputs { get; }

    /// <summary>
    /// Whether the outputs of a position are probabilities. An <see cref="Evaluator{T}"/> sets it if they come from a softmax.
    /// </summary>
    public bool GivesProbabilities { get; init; }

    /// <summary>The class labels; empty if there are dense targets.</summary>
    public ReadOnlySpan<int> Labels { get; }

    /// <summary>The dense targets; empty if there are labels.</summary>
    public ReadOnlySpan<T> Targets { get; }

    private static void CheckMultiple(int rows, int length, string name)
    {
        if (length % rows != 0)
            throw new ArgumentException($"The length of '{name}' must be a multiple of the {rows} rows; it is {length}.", name);
    }
}
