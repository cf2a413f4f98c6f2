using System.Numerics;

namespace Backprop.Simd.Training;

/// <summary>Checks targets that are as many as the outputs.</summary>
internal static class DenseTargets
{
    /// <exception cref="ArgumentException">The number of targets differs from the number of outputs.</exception>
    public static void Check<T>(in MetricBatch<T> batch) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (batch.Targets.Length != batch.Outputs.Length || batch.Targets.IsEmpty)
        {
            throw new ArgumentException($"Targets must be as many as outputs, {batch.Width} per row; there are {batch.Targets.Length / batch.Rows}.",
                nameof(batch));
        }
    }
}
