namespace Backprop.Simd.Layers;

/// <summary>What a random layer derives its numbers from; the same for any number of threads.</summary>
/// <param name="Seed">The network's seed.</param>
/// <param name="Step">The training step.</param>
/// <param name="Node">The node's index in the network.</param>
public readonly record struct RandomKey(ulong Seed, long Step, int Node);
