using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Images of another size against the definition, on guarded pages, in every width; threads; long sums; what is refused.</summary>
public sealed class ResizeTests
{
    public static TheoryData<string> Widths => [.. Enum.GetNames<SimdWidth>()];

    private static readonly int[] Channels = [1, 3, 4, 8, 9, 17, 33];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Float_equals_the_definition(string width) => CheckAll<float>(Enum.Parse<SimdWidth>(width), 2e-6);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Double_equals_the_definition(string width) => CheckAll<double>(Enum.Parse<SimdWidth>(width), 1e-14);

    private static IEnumerable<ResizeShape> Shapes(int channels)
    {
        foreach (var mode in Enum.GetValues<ResizeMode>())
        {
            yield return new(2, 3, channels, new(4, 6), mode);
            yield return new(3, 4, channels, new(3, 4), mode);
            yield return new(3, 5, channels, new(7, 2), mode);
            yield return new(1, 1, channels, new(3, 4), mode);
            yield return new(5, 4, channels, new(1, 1), mode);
            yield return new(4, 3, channels, new(5, 7), mode, scale: new(1.25, 2.4));
            yield return new(2, 2, channels, new(4, 4), mode, scale: 2.2);
        }

        yield return new(3, 4, channels, new(5, 9), ResizeMode.Bilinear, alignCorners: true);
        yield return new(4, 5, channels, new(1, 3), ResizeMode.Bilinear, alignCorners: true);
        if (channels is 3 or 9)
            yield return new(1, 2, channels, new(140, 290), ResizeMode.Bilinear);
    }

    private static void CheckAll<T>(SimdWidth width, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using GuardedMemory xPages = new(1 << 15), yPages = new(1 << 23);
        foreach (var shape in (IsaOfProcess.IsSoftware ? [3, 9] : Channels).SelectMany(Shapes))
        {
            const int Images = 2;
            var what = $"{typeof(T).Name} {width} [{shape.Height}, {shape.Width}, {shape.Channels}] to {shape.Outputs}, {shape.Mode} {shape.AlignCorners}";
            var random = new TestRandom(7);
            double[] image = Signed(ref random, Images * shape.InputSize), gradient = Signed(ref random, Images * shape.OutputSize);

            // Up to so many terms of either sign.
            var summed = tolerance * Math.Sqrt(1 + (double)shape.OutputSize / shape.InputSize);
            foreach (var atStart in (bool[])[false, true])
            {
                var x = atStart ? xPages.AtStart<T>(image.Length) : xPages.AtEnd<T>(image.Length);
                var y = atStart ? yPages.AtStart<T>(gradient.Length) : yPages.AtEnd<T>(gradient.Length);
                Fill(x, image);
                y.Fill(T.NaN);
                Resize.Forward(in shape, x, y, null, width);
                AssertNear(ResizeReference.Forward(shape, image, Images), y, tolerance, what);
                Fill(y, gradient);
                x.Fill(T.NaN);
                var expected = ResizeReference.Backward(shape, gradient, Images);
                Resize.Backward(in shape, y, x, null, width);
                AssertNear(expected, x, summed, what + " dx");
                Fill(x, image);
                Resize.Backward(in shape, y, new(x, adds: true), null, width);
                AssertNear([.. expected.Zip(image, (a, b) => a + b)], x, summed, what + " dx added");
                if (!atStart)
                    continue;
                xPages.AssertUntouched<T>(x, what);
                yPages.AssertUntouched<T>(y, what);
            }
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        ResizeShape[] shapes = [new(9, 7, 20, new(18, 14)), new(9, 7, 20, new(13, 23), ResizeMode.Bilinear), new(9, 7, 3, 5, ResizeMode.Bilinear)];
        foreach (var shape in shapes)
        {
            Threads.AssertSameBits<float>(context =>
            {
                var random = new TestRandom(5);
                float[] x = new float[9 * shape.InputSize], y = new float[9 * shape.OutputSize], dx = new float[x.Length];
                foreach (ref var value in x.AsSpan())
                    value = random.Signed<float>();
                Resize.Forward(in shape, x, y, context);
                Resize.Backward<float>(in shape, y, dx, context);
                return [.. y, .. dx];
            });
        }
    }

    /// <summary>Equal terms are the worst case of a sum.</summary>
    [Fact]
    public void Long_sums_keep_their_digits()
    {
        foreach (var channels in (int[])[1, 16])
        {
            var shape = new ResizeShape(1, 1, channels, new(700, 900));
            var dx = new float[channels];
            float[] dy = [.. Enumerable.Repeat(0.1f, shape.OutputSize)];
            Resize.Backward<float>(in shape, dy, dx);
            var expected = 630_000.0 * 0.1f;
            Assert.All(dx, d => Assert.True(Math.Abs(d - expected) <= 2 * Math.Log2(630_000) * Math.Pow(2, -23) * expected, $"{d}"));
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var shape = new ResizeShape(2, 2, 3, 4);
        float[] x = new float[12], y = new float[48];
        Assert.Equal("x", Assert.Throws<ArgumentException>(() => Resize.Forward<float>(in shape, x.AsSpan(1), y)).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => Resize.Forward<float>(in shape, x, y.AsSpan(1))).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => Resize.Forward<float>(in shape, y.AsSpan(0, 12), y)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() => Resize.Backward<float>(in shape, y, x.AsSpan(1).ToArray())).ParamName);
        Assert.Equal("dy", Assert.Throws<ArgumentException>(() => Resize.Backward<float>(in shape, y.AsSpan(1), x)).ParamName);
        Assert.Equal("shape", Assert.Throws<ArgumentException>(() => Resize.Forward<float>(default, x, y)).ParamName);
        Assert.Equal("height", Assert.Throws<ArgumentException>(() => new ResizeShape(0, 1, 1, 1)).ParamName);
        Assert.Equal("outputs", Assert.Throws<ArgumentException>(() => new ResizeShape(1, 1, 1, new(1 << 16, 1 << 16))).ParamName);
        Assert.Equal("alignCorners", Assert.Throws<ArgumentException>(() => new ResizeShape(1, 1, 1, 1, alignCorners: true)).ParamName);
        Assert.Equal("mode", Assert.Throws<ArgumentOutOfRangeException>(() => new ResizeShape(1, 1, 1, 1, (ResizeMode)7)).ParamName);
        Assert.Equal("scale", Assert.Throws<ArgumentException>(() => new ResizeShape(1, 1, 1, 1, scale: double.NaN)).ParamName);
        Assert.Equal("scale", Assert.Throws<ArgumentException>(() => ResizeShape.OutputsOf(3, 3, 0.3)).ParamName);
        Assert.Equal(new Extent(4, 9), ResizeShape.OutputsOf(3, 4, new(1.5, 2.25)));
        Resize.Forward<float>(in shape, [], []);
        var same = new ResizeShape(2, 2, 3, 4);
        Assert.True(shape == same && shape != new ResizeShape(2, 2, 3, 5) && shape.GetHashCode() == same.GetHashCode());
    }

    private static double[] Signed(ref TestRandom random, int length)
    {
        var values = new double[length];
        foreach (ref var value in values.AsSpan())
            value = random.Integer(-64, 64) / 64.0;
        return values;
    }

    private static void Fill<T>(Span<T> span, double[] values) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
            span[i] = T.CreateChecked(values[i]);
    }

    private static void AssertNear<T>(double[] expected, ReadOnlySpan<T> actual, double tolerance, string what) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(double.CreateChecked(actual[i]) - expected[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])) * 8))
                Assert.Fail($"{what}: [{i}] is {actual[i]}, expected {expected[i]}.");
        }
    }
}
