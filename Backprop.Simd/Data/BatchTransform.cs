using System.Numerics;

namespace Backprop.Simd.Data;

/// <summary>Changes batches on their way from a set to a network: normalization, augmentation.</summary>
/// <remarks>
/// Immutable, and used by several threads at once, each with scratch of its own. What happens to a row is a function of the seed,
/// the epoch and the row's place in the set (<see cref="Batch{T}.SourceRows"/>) alone, never of the batch or the thread.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class BatchTransform<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Checks that the transform fits the columns, and says what scratch it needs.</summary>
    /// <param name="columns">The columns of the batches to come.</param>
    /// <returns>The elements of scratch, zero or more, whatever the rows.</returns>
    /// <exception cref="ArgumentException">There is no such column, or it has another type than expected.</exception>
    public abstract int Prepare(ReadOnlySpan<DataColumn> columns);

    /// <summary>Changes a batch in place; allocates nothing.</summary>
    /// <param name="batch">The batch, with the columns that <see cref="Prepare"/> has seen.</param>
    /// <param name="scratch">As many elements as <see cref="Prepare"/> asked for, with any content.</param>
    /// <param name="seed">The seed of the loader.</param>
    public abstract void Apply(Batch<T> batch, Span<T> scratch, ulong seed);

    /// <summary>What <see cref="Prepare"/> says, checked.</summary>
    internal int ScratchFor(ReadOnlySpan<DataColumn> columns)
    {
        var scratch = Prepare(columns);
        return scratch >= 0 && scratch <= Array.MaxLength ? scratch
            : throw new ArgumentException($"The transform {GetType().Name} asks for {scratch} elements of scratch; expected 0 to {Array.MaxLength}.", nameof(columns));
    }
}
