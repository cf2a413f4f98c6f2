using System.Numerics.Tensors;
using System.Text.Json;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>A request and the one right answer. JSON carries floats exactly: the shortest text that reads as the same float.</summary>
/// <param name="Rows">The images of a batch; 0 for a single image.</param>
/// <param name="Body">The request.</param>
/// <param name="Probabilities">What serial inference says.</param>
internal sealed record Question(int Rows, byte[] Body, float[] Probabilities)
{
    public bool IsAnsweredBy(ReadOnlySpan<byte> answer)
    {
        Prediction?[]? predictions = Rows == 0
            ? new[] { JsonSerializer.Deserialize(answer, ServeJson.Default.Prediction) }
            : JsonSerializer.Deserialize(answer, ServeJson.Default.Predictions)?.Items;
        var rows = Math.Max(Rows, 1);
        if (predictions is null || predictions.Length != rows)
            return false;
        for (var r = 0; r < rows; r++)
        {
            var expected = Probabilities.AsSpan(r * Probabilities.Length / rows, Probabilities.Length / rows);
            if (predictions[r] is not { Probabilities: { } given } prediction || !expected.SequenceEqual(given)
                || prediction.Digit != TensorPrimitives.IndexOfMax<float>(expected))
                return false;
        }

        return true;
    }
}

/// <summary>Inference by one thread, in pieces as the service computes them, each in a workspace of its own.</summary>
internal sealed class SerialReference(Network<float> network, int piece)
{
    public float[] Probabilities(ReadOnlySpan<float> pixels)
    {
        var size = network.Definition.TypeOf("x").Shape.Size;
        var rows = pixels.Length / size;
        var result = new List<float>();
        for (var first = 0; first < rows; first += piece)
        {
            var count = Math.Min(piece, rows - first);
            var workspace = network.CreateWorkspace(count, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
            workspace.SetInput("x", pixels.Slice(first * size, count * size));
            network.Forward(workspace);
            var logits = workspace.Output();
            var probabilities = new float[logits.Length];
            SoftmaxKernels.Softmax(new ReadOnlyMatrix<float>(logits, count, logits.Length / count),
                new Matrix<float>(probabilities, count, logits.Length / count));
            result.AddRange(probabilities);
        }

        return [.. result];
    }
}
