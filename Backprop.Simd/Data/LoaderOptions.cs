using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>How a <see cref="BatchLoader{T}"/> reads.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed record LoaderOptions<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>True (the default) to read the rows of each epoch in a random order (see <see cref="RowOrder"/>); false for the order of the set.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>The seed of the order and of the transforms.</summary>
    public ulong Seed { get; init; }

    /// <summary>True to drop a short last batch of an epoch; false (the default) to return it.</summary>
    public bool DropLast { get; init; }

    /// <summary>How many batches background threads read ahead; 0 (the default) reads on the caller.</summary>
    public int Prefetch { get; init; }

    /// <summary>
    /// How many threads read ahead, 1 or more. At most <see cref="Prefetch"/> threads start. The order and the bits of the batches do not
    /// depend on it.
    /// </summary>
    public int Workers { get; init; } = 1;

    /// <summary>The transforms applied to each batch, in this order.</summary>
    public IReadOnlyList<BatchTransform<T>> Transforms { get; init; } = [];

    /// <summary>The rows to read; null (the default) for all. The list is copied; a row may occur more than once.</summary>
    public IReadOnlyList<int>? Rows { get; init; }

    /// <summary>
    /// The threads that read a batch together if nothing is read ahead; null (the default) for <see cref="ComputeContext.Default"/>.
    /// </summary>
    public ComputeContext? Compute { get; init; }
}
