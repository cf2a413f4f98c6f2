namespace Backprop.Simd.Data;

/// <summary>A place in the sequence of batches: with set, batch size and seed it tells which batch comes.</summary>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Batch">The batch within the epoch, from 0.</param>
public readonly record struct DataCursor(int Epoch, int Batch);
