using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Reference;

/// <summary>Images of another size by the definition, in double, cell by cell.</summary>
internal static class ResizeReference
{
    /// <summary>The outputs.</summary>
    public static double[] Forward(ResizeShape shape, double[] x, int images)
    {
        var y = new double[images * shape.OutputSize];
        Visit(shape, images, (input, output, weight) => y[output] += weight * x[input]);
        return y;
    }

    /// <summary>The gradient by the images.</summary>
    public static double[] Backward(ResizeShape shape, double[] dy, int images)
    {
        var dx = new double[images * shape.InputSize];
        Visit(shape, images, (input, output, weight) => dx[input] += weight * dy[output]);
        return dx;
    }

    /// <summary>The weight of each cell in each output of one dimension.</summary>
    public static double[,] Weights(int size, int outputs, ResizeMode mode, bool alignCorners, double? scale)
    {
        var weights = new double[outputs, size];
        var by = scale ?? (double)outputs / size;
        for (var o = 0; o < outputs; o++)
        {
            if (mode != ResizeMode.Bilinear)
            {
                // A little more than nothing, so that rounding does not take a whole number below itself.
                var cell = mode == ResizeMode.NearestExact ? (o + 0.5) / by : o / by;
                weights[o, Math.Min((int)(cell + 1e-9), size - 1)] = 1;
                continue;
            }

            var place = alignCorners ? outputs > 1 ? o * (size - 1.0) / (outputs - 1) : 0 : Math.Max(0, (o + 0.5) / by - 0.5);
            var first = Math.Min((int)place, size - 1);
            var u = place - first;
            weights[o, first] += 1 - u;
            weights[o, Math.Min(first + 1, size - 1)] += u;
        }

        return weights;
    }

    private static void Visit(ResizeShape shape, int images, Action<int, int, double> action)
    {
        var down = Weights(shape.Height, shape.Outputs.Height, shape.Mode, shape.AlignCorners, shape.Scale?.Height);
        var across = Weights(shape.Width, shape.Outputs.Width, shape.Mode, shape.AlignCorners, shape.Scale?.Width);
        for (var o = 0; o < images * shape.OutputSize; o++)
        {
            var (image, oy, ox, channel) = (o / shape.OutputSize, o / (shape.Outputs.Width * shape.Channels) % shape.Outputs.Height,
                o / shape.Channels % shape.Outputs.Width, o % shape.Channels);
            for (var iy = 0; iy < shape.Height; iy++)
            {
                for (var ix = 0; ix < shape.Width; ix++)
                {
                    if (down[oy, iy] * across[ox, ix] is var weight and not 0)
                        action(((image * shape.Height + iy) * shape.Width + ix) * shape.Channels + channel, o, weight);
                }
            }
        }
    }
}
