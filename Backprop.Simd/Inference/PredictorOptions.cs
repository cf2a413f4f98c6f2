using Backprop.Simd.Data;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Inference;

/// <summary>How a <see cref="Predictor{T}"/> works.</summary>
public sealed record PredictorOptions
{
    /// <summary>The most rows that are computed at once; longer batches run in pieces of so many. 64 by default: more rows make matrix
    /// products little faster, and workspaces larger.</summary>
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

    /// <summary>The most callers that compute at once, up to 65536; further ones wait. The processors of the process by default.</summary>
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
    /// team serves one caller at a time, and the others run on their own thread: with <see cref="ComputeContext.Default"/> a
    /// caller alone has all processors.
    /// </summary>
    public ComputeContext? Compute { get; init; }

    /// <summary>The input that rows are given to; null for the first that takes numbers per row.</summary>
    public string? Input { get; init; }

    /// <summary>The output that is returned; null for the first.</summary>
    public string? Output { get; init; }

    /// <summary>What is done to rows before the network sees them, as it was in training: <see cref="Serialization.NetworkFileContent.Normalizations"/>
    /// of a file that was loaded. Null for nothing. Leases fill their workspaces themselves and are not normalized.</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>True to copy the network, so that it may be trained on meanwhile.</summary>
    public bool Snapshot { get; init; }

    /// <summary>True to make every workspace at once, so that no later call allocates buffers; otherwise they are made when
    /// callers first need them.</summary>
    public bool Preallocate { get; init; }
}
