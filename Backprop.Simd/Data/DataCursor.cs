namespace Backprop.Simd.Data;

/// <summary>A position in the sequence of batches. Together with set, batch size and seed it determines the next batch.</summary>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Batch">The batch within the epoch, from 0.</param>
public readonly record struct DataCursor(int Epoch, int Batch);
