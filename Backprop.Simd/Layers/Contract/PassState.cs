using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>What is the same for all nodes of one pass.</summary>
internal struct PassState
{
    public ulong Seed;
    public long Step;
    public bool Training;
    public bool Accumulate;

    /// <summary>True if a mean with denominator 0 gives the gradient of its numerator, because more of its parts follow.</summary>
    public bool OfParts;

    /// <summary>The parameters and pieces of state that are frozen, in ascending order.</summary>
    public BlockRange[]? Frozen, FrozenState;

    /// <summary>For each node, whether it acts in training as in inference; null if no node does.</summary>
    public bool[]? Evaluating;
}
