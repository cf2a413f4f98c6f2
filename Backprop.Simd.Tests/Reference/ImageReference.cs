namespace Backprop.Simd.Tests.Reference;

/// <summary>Images [height, width, channels], pixel by pixel in double.</summary>
internal static class ImageReference
{
    /// <summary>The value between pixels: the four neighbours, each as far as it is near.</summary>
    public static double Bilinear(double[] image, int height, int width, int channels, double x, double y, int channel, double fill)
    {
        var sum = 0.0;
        for (var j = (int)Math.Floor(y); j <= Math.Floor(y) + 1; j++)
        {
            for (var i = (int)Math.Floor(x); i <= Math.Floor(x) + 1; i++)
            {
                var inside = j >= 0 && j < height && i >= 0 && i < width;
                sum += (1 - Math.Abs(x - i)) * (1 - Math.Abs(y - j)) * (inside ? image[(j * width + i) * channels + channel] : fill);
            }
        }

        return sum;
    }

    /// <summary>Every pixel from where a function says.</summary>
    public static double[] Warp(double[] image, int height, int width, int channels, double fill, Func<int, int, (double X, double Y)> from)
    {
        var result = new double[image.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var (x, y) = from(i / channels % width, i / channels / width);
            result[i] = Bilinear(image, height, width, channels, x, y, i % channels, fill);
        }

        return result;
    }

    /// <summary>The two-dimensional sum over a field that is 0 beyond its borders.</summary>
    public static double Smoothed(double[] field, int height, int width, double[] weights, int x, int y)
    {
        var (sum, radius) = (0.0, weights.Length / 2);
        for (var j = -radius; j <= radius; j++)
        {
            for (var i = -radius; i <= radius; i++)
            {
                if (y + j >= 0 && y + j < height && x + i >= 0 && x + i < width)
                    sum += weights[j + radius] * weights[i + radius] * field[(y + j) * width + x + i];
            }
        }

        return sum;
    }
}
