using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>How a <see cref="BatchLoader{T}"/> reads.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed record LoaderOptions<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>True (the default) to read the rows of each epoch in a random order, see <see cref="RowOrder"/>; false for the order of the set.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>The seed of the order and of the transforms.</summary>
    public ulong Seed { get; init; }

    /// <summary>True to leave out the last batch of an epoch where it is short; false (the default) to give it.</summary>
    public bool DropLast { get; init; }

    /// <summary>How many batches are read ahead by threads in the background; 0 (the default) reads on the caller.</summary>
    public int Prefetch { get; init; }

    /// <summary>How many threads read ahead, 1 or more; at most <see cref="Prefetch"/> are started. Batches come in order, and with the same bits, for any number.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>What is done to each batch, in this order.</summary>
    public IReadOnlyList<BatchTransform<T>> Transforms { get; init; } = [];

    /// <summary>The rows that take part, copied; null (the default) for all. A row may come more than once.</summary>
    public IReadOnlyList<int>? Rows { get; init; }

    /// <summary>The threads that share the reading of a batch where nothing is read ahead; null (the default) for <see cref="ComputeContext.Default"/>.</summary>
    public ComputeContext? Compute { get; init; }
}
