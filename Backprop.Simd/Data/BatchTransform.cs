using System.Numerics;

namespace Backprop.Simd.Data;

/// <summary>Changes batches between a set and a network: augmentation. Statistics are part of the graph (<see cref="Normalization"/>).</summary>
/// <remarks>
/// A transform is immutable. Several threads use it at once, each with its own scratch. The change of a row must depend only on the seed, the
/// epoch and the row's number in the set (<see cref="Batch{T}.SourceRows"/>), never on the batch or the thread.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class BatchTransform<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Checks that the transform fits the columns, and returns how much scratch it needs.</summary>
    /// <param name="columns">The columns of all later batches.</param>
    /// <returns>The elements of scratch, 0 or more, for any number of rows.</returns>
    /// <exception cref="ArgumentException">The column does not exist or has an unexpected type.</exception>
    public abstract int Prepare(ReadOnlySpan<DataColumn> columns);

    /// <summary>Changes a batch in place. It must not allocate.</summary>
    /// <param name="batch">The batch, with the columns passed to <see cref="Prepare"/>.</param>
    /// <param name="scratch">As many elements as <see cref="Prepare"/> returned, with any content.</param>
    /// <param name="seed">The seed of the loader.</param>
    public abstract void Apply(Batch<T> batch, Span<T> scratch, ulong seed);

    /// <summary>The checked result of <see cref="Prepare"/>.</summary>
    internal int ScratchFor(ReadOnlySpan<DataColumn> columns)
    {
        var scratch = Prepare(columns);
        return scratch >= 0 && scratch <= Array.MaxLength ? scratch
            : throw new ArgumentException($"The transform {GetType().Name} asks for {scratch} elements of scratch; expected 0 to {Array.MaxLength}.",
                nameof(columns));
    }
}
