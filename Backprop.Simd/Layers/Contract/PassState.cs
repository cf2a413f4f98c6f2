using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>What is the same for all nodes of one pass.</summary>
internal struct PassState
{
    public ulong Seed;
    public long Step;
    public bool Training;
    public bool Accumulate;

    /// <summary>True where a mean whose denominator is 0 gives the gradient of its numerator: more parts of it follow.</summary>
    public bool OfParts;

    public BlockRange[]? Frozen;
}
