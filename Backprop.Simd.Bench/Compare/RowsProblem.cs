using Backprop.Simd.Memory;

namespace Backprop.Simd.Bench;

/// <summary>Rows of logits with labels: softmax, or softmax cross-entropy with its gradient.</summary>
/// <remarks>The result of softmax is the probabilities, row by row; that of cross-entropy the mean loss, then the gradient by the logits.</remarks>
internal sealed class RowsProblem
{
    public RowsProblem(int rows, int classes)
    {
        Rows = rows;
        Classes = classes;
        Logits = new(rows * classes);
        Destination = new(rows * classes);
        Labels = Fill.Labels(rows, classes, seed: 3);
        Fill.Uniform(Logits.Span, seed: 1, -4, 4);
    }

    public int Rows { get; }

    public int Classes { get; }

    public AlignedBuffer<float> Logits { get; }

    public int[] Labels { get; }

    /// <summary>Where probabilities or gradients go.</summary>
    public AlignedBuffer<float> Destination { get; }

    public string? VerifySoftmax(double[] result) => Close(result, Probabilities());

    public string? VerifyCrossEntropy(double[] result)
    {
        var gradient = Probabilities();
        var loss = 0.0;
        for (var row = 0; row < Rows; row++)
        {
            loss -= Math.Log(gradient[row * Classes + Labels[row]]);
            gradient[row * Classes + Labels[row]] -= 1;
        }

        for (var i = 0; i < gradient.Length; i++)
            gradient[i] /= Rows;
        return Close(result, [loss / Rows, .. gradient]);
    }

    private double[] Probabilities()
    {
        var result = new double[Rows * Classes];
        for (var row = 0; row < Rows; row++)
        {
            var logits = Logits.Span.Slice(row * Classes, Classes);
            var sum = 0.0;
            foreach (var x in logits)
                sum += Math.Exp(x);
            for (var c = 0; c < Classes; c++)
                result[row * Classes + c] = Math.Exp(logits[c]) / sum;
        }

        return result;
    }

    private static string? Close(double[] result, double[] expected)
    {
        if (result.Length != expected.Length)
            return $"{result.Length} numbers instead of {expected.Length}";
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(result[i] - expected[i]) <= 1e-5 * Math.Abs(expected[i]) + 1e-8))
                return $"number {i} is {result[i]:G9} instead of {expected[i]:G9}";
        }

        return null;
    }
}
