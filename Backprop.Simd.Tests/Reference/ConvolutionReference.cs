using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Reference;

/// <summary>Convolutions by the definition, in double, one multiplication at a time.</summary>
internal static class ConvolutionReference
{
    public static double[] Forward(ConvolutionShape s, double[] x, double[] w, double[]? bias = null)
    {
        var y = new double[x.Length / s.InputSize * s.OutputSize];
        for (var i = 0; i < y.Length; i++)
            y[i] = bias?[i % s.Filters] ?? 0;
        Each(s, x.Length / s.InputSize, (xi, wi, yi) => y[yi] += x[xi] * w[wi]);
        return y;
    }

    public static double[] BackwardInput(ConvolutionShape s, double[] dy, double[] w)
    {
        var dx = new double[dy.Length / s.OutputSize * s.InputSize];
        Each(s, dy.Length / s.OutputSize, (xi, wi, yi) => dx[xi] += dy[yi] * w[wi]);
        return dx;
    }

    public static double[] BackwardWeights(ConvolutionShape s, double[] x, double[] dy)
    {
        var dw = new double[s.WeightSize];
        Each(s, x.Length / s.InputSize, (xi, wi, yi) => dw[wi] += x[xi] * dy[yi]);
        return dw;
    }

    /// <summary>Every product of the sum: which x meets which filter cell for which y.</summary>
    private static void Each(ConvolutionShape s, int images, Action<int, int, int> product)
    {
        int groupChannels = s.Channels / s.Groups, groupFilters = s.Filters / s.Groups;
        for (var image = 0; image < images; image++)
            for (var oy = 0; oy < s.OutputHeight; oy++)
                for (var ox = 0; ox < s.OutputWidth; ox++)
                    for (var ky = 0; ky < s.Kernel.Height; ky++)
                        for (var kx = 0; kx < s.Kernel.Width; kx++)
                        {
                            var iy = oy * s.Stride.Height + ky * s.Dilation.Height - s.Padding.Top;
                            var ix = ox * s.Stride.Width + kx * s.Dilation.Width - s.Padding.Left;
                            if (iy < 0 || iy >= s.Height || ix < 0 || ix >= s.Width)
                                continue;
                            for (var c = 0; c < groupChannels; c++)
                                for (var f = 0; f < s.Filters; f++)
                                {
                                    product(((image * s.Height + iy) * s.Width + ix) * s.Channels + f / groupFilters * groupChannels + c,
                                        ((ky * s.Kernel.Width + kx) * groupChannels + c) * s.Filters + f,
                                        ((image * s.OutputHeight + oy) * s.OutputWidth + ox) * s.Filters + f);
                                }
                        }
    }
}
