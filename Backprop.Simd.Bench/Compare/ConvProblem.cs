using Backprop.Simd.Kernels;

namespace Backprop.Simd.Bench;

/// <summary>One convolution, forward and its gradients. The result is y, dx where it is asked for, and dw one behind the other, channels last.</summary>
internal sealed class ConvProblem
{
    public ConvProblem(ConvolutionShape shape, int batch, bool isFirst)
    {
        (Shape, Batch, IsFirst) = (shape, batch, isFirst);
        X = new float[batch * shape.InputSize];
        W = new float[shape.WeightSize];
        Gradient = new float[batch * shape.OutputSize];
        Fill.Uniform<float>(X, seed: 1, -1, 1);
        Fill.Uniform<float>(W, seed: 2, -1, 1);
        Fill.Uniform<float>(Gradient, seed: 3, -1, 1);
    }

    public ConvolutionShape Shape { get; }

    public int Batch { get; }

    /// <summary>Whether it is the first layer, which needs no dX.</summary>
    public bool IsFirst { get; }

    /// <summary>[batch, H, W, C].</summary>
    public float[] X { get; }

    /// <summary>[kh, kw, C / groups, F].</summary>
    public float[] W { get; }

    /// <summary>dy, [batch, H', W', F].</summary>
    public float[] Gradient { get; }

    /// <summary>Against this library in double, whose kernels the tests hold against the definition.</summary>
    public string? Verify(double[] result)
    {
        double[] x = Fill.ToDouble<float>(X), w = Fill.ToDouble<float>(W), dy = Fill.ToDouble<float>(Gradient),
            scratch = new double[Convolution.ScratchLength(Shape)];
        double[] y = new double[dy.Length], dx = new double[x.Length], dw = new double[w.Length];
        Convolution.Forward<double>(Shape, x, w, [], y, scratch);
        Convolution.BackwardInput<double>(Shape, dy, w, dx, scratch);
        Convolution.BackwardWeights<double>(Shape, x, dy, dw, default, scratch);
        double[] expected = [.. y, .. IsFirst ? [] : dx, .. dw];
        if (result.Length != expected.Length)
            return $"{result.Length} numbers instead of {expected.Length}";
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(result[i] - expected[i]) <= 2e-3 + 1e-4 * Math.Abs(expected[i])))
                return $"number {i} is {result[i]:G9} instead of {expected[i]:G9}";
        }

        return null;
    }
}
