using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Sizes of convolutions: chosen ones, and random ones of every option.</summary>
internal static class ConvolutionCases
{
    public static IEnumerable<(ConvolutionShape Shape, int Images)> All()
    {
        yield return (new(1, 1, 1, 1, 1), 1);
        yield return (new(5, 7, 1, 3, 3), 2);
        yield return (new(12, 12, 1, 30, 5), 3);
        yield return (new(9, 14, 8, 16, 3, padding: 1), 2);
        yield return (new(28, 28, 1, 30, 5), 2);
        yield return (new(6, 5, 33, 40, 3, padding: 1), 2);
        yield return (new(4, 4, 20, 70, 1), 3);
        yield return (new(5, 6, 7, 9, 1, stride: 2), 3);
        yield return (new(8, 8, 3, 5, 3, stride: 2, padding: 1), 2);
        yield return (new(7, 9, 4, 6, 2, stride: 3), 9);
        yield return (new(3, 3, 2, 4, 1, stride: 5), 2);
        yield return (new(11, 11, 3, 4, 3, dilation: 2, padding: 2), 2);
        yield return (new(13, 10, 3, 4, new(3, 2), new(2, 3), new(2, 0, 1, 3), new(2, 3)), 2);
        yield return (new(9, 9, 2, 3, 4, new(4, 2), 3, new(2, 4)), 2);
        yield return (new(6, 6, 6, 9, 3, padding: 1, groups: 3), 2);
        yield return (new(6, 7, 36, 34, 3, stride: 2, padding: 1, groups: 2), 2);
        yield return (new(8, 8, 19, 19, 3, padding: 1, groups: 19), 2);
        yield return (new(9, 8, 5, 5, new(3, 5), 2, 2, groups: 5), 10);
        yield return (new(6, 6, 4, 8, 3, groups: 4), 2);
        yield return (new(5, 5, 40, 40, 5, padding: 2, dilation: 1, groups: 40), 9);
        yield return (new(1, 40, 5, 6, new(1, 4), padding: new(0, 3, 0, 0)), 3);
        yield return (new(2, 2, 3, 3, 2, padding: 4), 1);
        yield return (new(30, 3, 4, 17, new(3, 1), padding: 1), 2);
        yield return (new(3, 3, 130, 20, 3, padding: 1), 2);
    }

    public static (ConvolutionShape Shape, int Images) Random(int seed)
    {
        var random = new TestRandom((ulong)seed);
        while (true)
        {
            var groups = random.Integer(0, 2) == 0 ? random.Integer(1, 4) : 1;
            int channels = groups * random.Integer(1, random.Integer(0, 3) == 0 ? 20 : 4),
                filters = groups * random.Integer(1, random.Integer(0, 3) == 0 ? 40 : 6);
            Extent kernel = new(random.Integer(1, 4), random.Integer(1, 4)), stride = new(random.Integer(1, 3), random.Integer(1, 3));
            Extent dilation = new(random.Integer(1, 3), random.Integer(1, 3));
            Padding padding = new(random.Integer(0, 3), random.Integer(0, 3), random.Integer(0, 3), random.Integer(0, 3));
            int height = random.Integer(1, 12), width = random.Integer(1, 16);
            if (height + padding.Top + padding.Bottom > (kernel.Height - 1) * dilation.Height
                && width + padding.Left + padding.Right > (kernel.Width - 1) * dilation.Width)
                return (new(height, width, channels, filters, kernel, stride, padding, dilation, groups), random.Integer(1, 3));
        }
    }

    public static string Describe(ConvolutionShape s) =>
        $"[{s.Height}, {s.Width}, {s.Channels}] -> {s.Filters}, kernel {s.Kernel}, stride {s.Stride}, {s.Padding}, dilation {s.Dilation}, groups {s.Groups}";
}
