using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>What a metric sees of a batch.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct MetricBatch<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Outputs beside class labels.</summary>
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

    /// <summary>Outputs beside dense targets.</summary>
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
    public int Width => Outputs.Length / Rows;

    /// <summary>The outputs: rows x width.</summary>
    public ReadOnlySpan<T> Outputs { get; }

    /// <summary>Whether the outputs of a position are the probabilities of its classes: an <see cref="Evaluator{T}"/> says so where they come
    /// from a softmax.</summary>
    public bool GivesProbabilities { get; init; }

    /// <summary>The class labels; empty where there are dense targets.</summary>
    public ReadOnlySpan<int> Labels { get; }

    /// <summary>The dense targets; empty where there are labels.</summary>
    public ReadOnlySpan<T> Targets { get; }

    private static void CheckMultiple(int rows, int length, string name)
    {
        if (length % rows != 0)
            throw new ArgumentException($"'{name}' must hold as many elements for each of the {rows} rows; it has {length}.", name);
    }
}
