using Backprop.Simd.Threading;

namespace Backprop.Simd.Inference;

/// <summary>How a <see cref="Predictor{T}"/> works.</summary>
public sealed record PredictorOptions
{
    /// <summary>The most rows that are computed at once. Longer batches are cut into pieces of this size. 64 by default: with more rows
    /// matrix products are hardly faster, and workspaces larger.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public int MaximumRows
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 64;

    /// <summary>The most callers that compute at once, up to 65536; others wait. By default the number of processors.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1, or above 65536.</exception>
    public int MaximumConcurrency
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1 << 16);
            field = value;
        }
    } = Environment.ProcessorCount;

    /// <summary>
    /// The threads of one caller; <see cref="ComputeContext.SingleThreaded"/> if null, since concurrency comes from the callers. A
    /// team serves one caller at a time, and the others run on their own threads: with <see cref="ComputeContext.Default"/> a
    /// single caller has all processors.
    /// </summary>
    public ComputeContext? Compute { get; init; }

    /// <summary>The input that takes the rows; null for the first input of numbers per row.</summary>
    public string? Input { get; init; }

    /// <summary>The output to return; null for the first output.</summary>
    public string? Output { get; init; }

    /// <summary>True to copy the network, so that training may go on meanwhile.</summary>
    public bool Snapshot { get; init; }

    /// <summary>True to make all workspaces at once, so that no later call allocates buffers. Otherwise each is made when a
    /// caller first needs it.</summary>
    public bool Preallocate { get; init; }
}
