using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>Targets as dense as the outputs.</summary>
internal static class DenseTargets
{
    /// <exception cref="ArgumentException">There are no targets, or not as many as outputs.</exception>
    public static void Check<T>(in MetricBatch<T> batch) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (batch.Targets.Length != batch.Outputs.Length || batch.Targets.IsEmpty)
            throw new ArgumentException($"As many targets as outputs are needed, {batch.Width} a row; there are {batch.Targets.Length / batch.Rows}.", nameof(batch));
    }
}
