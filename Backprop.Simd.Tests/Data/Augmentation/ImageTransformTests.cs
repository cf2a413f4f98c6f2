using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Data.Augmentation;

/// <summary>Each augmentation beside its definition.</summary>
public class ImageTransformTests
{
    public static TheoryData<int, int, int> Sizes => new() { { 5, 4, 1 }, { 1, 1, 1 }, { 28, 28, 1 }, { 9, 17, 3 }, { 3, 40, 2 }, { 40, 3, 1 } };

    private static double[] Image(int height, int width, int channels, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, height * width * channels).Select(_ => random.NextDouble())];
    }

    private static T[] As<T>(double[] image) where T : unmanaged, IFloatingPointIeee754<T> => [.. image.Select(T.CreateTruncating)];

    private static void AssertNear<T>(double[] expected, T[] actual, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], double.CreateTruncating(actual[i]), tolerance);
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Shift_moves_whole_pixels(int height, int width, int channels)
    {
        var image = Image(height, width, channels);
        for (var dy = -height - 1; dy <= height + 1; dy += 1 + height / 6)
        {
            for (var dx = -width - 1; dx <= width + 1; dx += 1 + width / 6)
            {
                var actual = (double[])image.Clone();
                RandomShift<double>.Shift(actual, new(height, width, channels), dy, dx, 7);
                Assert.Equal(ImageReference.Warp(image, height, width, channels, 7, (x, y) => (x - dx, y - dy)), actual);
            }
        }
    }

    [Fact]
    public void Shifts_take_all_values_up_to_the_largest()
    {
        var set = new AugmentationSet<float>(new Shape(9, 9), 1);
        var seen = new HashSet<string>();
        for (var epoch = 0; epoch < 500; epoch++)
            seen.Add(string.Join(' ', set.Run(new RandomShift<float>(1), epoch: epoch)));
        Assert.Equal(9, seen.Count);
    }

    private static T[] Warped<T>(double[] image, ImageSize size, AffineMap map, double fill) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var actual = As<T>(image);
        var framed = new T[Bilinear<T>.Elements(size.Height, size.Width, size.Channels)];
        framed.AsSpan().Fill(T.NaN);
        var lines = new T[3 * Bilinear<T>.LineElements(size.Width)];
        new Bilinear<T>(actual, size.Height, size.Width, size.Channels, fill, framed).Warp(map, actual, lines);
        return actual;
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Affine_reads_where_the_inverse_says(int height, int width, int channels)
    {
        var (image, size) = (Image(height, width, channels), new ImageSize(height, width, channels));
        foreach (var (degrees, scale, shear, dx, dy) in ((double, double, double, double, double)[])[(0, 1, 0, 0, 0), (30, 1, 0, 0, 0),
            (-170, 0.7, 20, 0.3, -1.2), (10, 1.6, -40, 100, 3), (0, 1, 0, 0.5, 0)])
        {
            // Forward as the remarks have it, inverted by Cramer's rule.
            var (sin, cos, tan) = (Math.Sin(degrees * Math.PI / 180), Math.Cos(degrees * Math.PI / 180), Math.Tan(shear * Math.PI / 180));
            double a = scale * cos, b = scale * (cos * tan - sin), c = scale * sin, d = scale * (sin * tan + cos);
            var (middleX, middleY) = ((width - 1) / 2.0, (height - 1) / 2.0);
            (double, double) From(int x, int y)
            {
                var (px, py) = (x - middleX - dx, y - middleY - dy);
                return (middleX + (d * px - b * py) / (a * d - b * c), middleY + (a * py - c * px) / (a * d - b * c));
            }

            var map = RandomAffine<double>.Inverse(size, degrees, scale, shear, dx, dy);
            var expected = ImageReference.Warp(image, height, width, channels, 0.25, From);
            AssertNear(expected, Warped<double>(image, size, map, 0.25), 1e-12);
            AssertNear(expected, Warped<float>(image, size, map, 0.25), 3e-5);
        }
    }

    [Fact]
    public void Quarter_and_half_turns_permute_the_pixels()
    {
        const int N = 28;
        var (image, size) = (Image(N, N, 1), new ImageSize(N, N));
        var quarter = Enumerable.Range(0, N * N).Select(i => image[(N - 1 - i % N) * N + i / N]).ToArray();
        AssertNear(quarter, Warped<float>(image, size, RandomAffine<float>.Inverse(size, 90, 1, 0, 0, 0), 0), 1e-5);
        AssertNear([.. image.Reverse()], Warped<float>(image, size, RandomAffine<float>.Inverse(size, 180, 1, 0, 0, 0), 0), 1e-5);
        AssertNear(image, Warped<float>(image, size, RandomAffine<float>.Inverse(size, 360, 1, 0, 0, 0), 0), 1e-5);
    }

    [Fact]
    public void A_map_to_the_same_place_keeps_numbers_and_far_places_are_fill()
    {
        var (image, size) = (Image(28, 28, 1), new ImageSize(28, 28));
        Assert.Equal(As<float>(image), Warped<float>(image, size, new(1, 0, 0, 0, 1, 0), 0));
        Assert.All(Warped<float>(image, size, new(1, 0, 1e30, 0, 1, 0), 0.5), p => Assert.Equal(0.5f, p));
        Assert.All(Warped<float>(image, size, new(1, 0, 0, 0, 1, -1e30), 0.5), p => Assert.Equal(0.5f, p));
    }

    /// <summary>Places that are no numbers are around the image; the image is read from guarded memory.</summary>
    [Fact]
    public void A_map_that_is_no_number_gives_fill()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var (height, width, channels) in ((int, int, int)[])[(28, 28, 1), (5, 3, 3), (1, 1, 1), (7, 33, 2)])
            {
                double[] numbers = [1, 0, 1e308, -1e308, double.PositiveInfinity, double.NegativeInfinity, double.NaN];
                var framed = Bilinear<T>.Elements(height, width, channels);
                using GuardedMemory image = new(height * width * channels * 8), scratch = new((framed + 3 * Bilinear<T>.LineElements(width)) * 8);
                foreach (var x in numbers)
                {
                    foreach (var y in numbers)
                    {
                        var pixels = image.AtStart<T>(height * width * channels);
                        var space = scratch.AtStart<T>(framed + 3 * Bilinear<T>.LineElements(width));
                        pixels.Fill(T.One);
                        var map = new AffineMap(x, y, x, y, x, y);
                        new Bilinear<T>(pixels, height, width, channels, 0.5, space[..framed]).Warp(map, pixels, space[framed..]);
                        foreach (var pixel in pixels)
                            Assert.True(pixel >= T.CreateTruncating(0.499) && pixel <= T.One, $"{map}: {pixel}");
                        if (double.IsNaN(x) || double.IsNaN(y))
                            Assert.Equal(-1, pixels.IndexOfAnyExcept(T.CreateTruncating(0.5)));
                    }
                }
            }
        }
    }

    [Fact]
    public void Affine_moves_beyond_all_numbers_give_an_image_or_fill()
    {
        var set = new AugmentationSet<float>(new Shape(28, 28), 8);
        foreach (var translate in (double[])[1e30, 1e300, 1e308, double.MaxValue])
        {
            foreach (var (smallest, largest) in ((double, double)[])[(0.01, 100), (0.01, 0.01), (100, 100)])
            {
                foreach (var pixel in set.Run(new RandomAffine<float>(180, translate, smallest, largest, 80, fill: 0.25)))
                    Assert.Equal(0.25f, pixel);
            }
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Elastic_displaces_by_the_smoothed_field(int height, int width, int channels)
    {
        CheckElastic<double>(height, width, channels, 1e-10);
        CheckElastic<float>(height, width, channels, 1e-4);
    }

    private static void CheckElastic<T>(int height, int width, int channels, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (image, gaussian, stream, line) = (Image(height, width, channels), ElasticDistortion<T>.Gaussian(1.5), new WordStream(11, 12),
            (width + 31) / 32 * 32);
        double[] f = new double[height * width], g = new double[height * width];
        for (var i = 0; i < f.Length; i++)
        {
            var word = i / width * line + i % width;
            var block = Philox.Block((1UL << 32) + (ulong)(word / 4), stream.CounterHigh, stream.Key);
            var bits = (word % 4) switch { 0 => block.X, 1 => block.Y, 2 => block.Z, _ => block.W };
            (f[i], g[i]) = ((short)bits / 32768.0, (short)(bits >> 16) / 32768.0);
        }

        var expected = ImageReference.Warp(image, height, width, channels, 0.5, (x, y) => (
            x + 6 * ImageReference.Smoothed(f, height, width, gaussian, x, y), y + 6 * ImageReference.Smoothed(g, height, width, gaussian, x, y)));
        var actual = As<T>(image);
        var scratch = new T[ElasticField<T>.Scratch(height, width, channels, gaussian.Length)];
        scratch.AsSpan().Fill(T.NaN);
        ElasticField<T>.Distort(actual, new(height, width, channels), As<T>(gaussian), 6, 0.5, stream, scratch);
        AssertNear(expected, actual, tolerance);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(4)]
    [InlineData(37.3)]
    public void The_Gaussian_has_a_sum_of_one_and_its_deviation(double sigma)
    {
        var weights = ElasticDistortion<float>.Gaussian(sigma);
        Assert.Equal(2 * (int)Math.Ceiling(3 * sigma) + 1, weights.Length);
        Assert.Equal(1, weights.Sum(), 1e-12);
        Assert.Equal(weights, weights.Reverse());
        if (sigma > 1)
            Assert.Equal(sigma, Math.Sqrt(weights.Select((w, i) => w * Math.Pow(i - weights.Length / 2, 2)).Sum()), 0.03 * sigma);
    }

    [Theory, MemberData(nameof(Sizes))]
    public void A_flip_mirrors_and_two_flips_are_none(int height, int width, int channels)
    {
        var set = new AugmentationSet<double>(new Shape(height, width, channels), 1);
        Assert.Equal(ImageReference.Warp(set.Pixels, height, width, channels, 0, (x, y) => (width - 1 - x, y)), set.Run(new RandomFlip<double>(1, 0)));
        Assert.Equal(ImageReference.Warp(set.Pixels, height, width, channels, 0, (x, y) => (x, height - 1 - y)), set.Run(new RandomFlip<double>(0, 1)));
        var once = set.Run(new RandomFlip<double>(1, 1));
        Assert.Equal(ImageReference.Warp(set.Pixels, height, width, channels, 0, (x, y) => (width - 1 - x, height - 1 - y)), once);
        var batch = set.Set.CreateBatch(1);
        set.Set.Read([0], batch);
        var flip = new RandomFlip<double>(1, 1);
        var scratch = new double[flip.Prepare(set.Set.Columns)];
        flip.Apply(batch, scratch, 1);
        flip.Apply(batch, scratch, 2);
        Assert.Equal(set.Pixels, batch.Values(0).ToArray());
    }

    [Fact]
    public void Half_of_the_images_are_mirrored()
    {
        var set = new AugmentationSet<float>(new Shape(3, 3), 1000);
        var result = set.Run(new RandomFlip<float>());
        Assert.InRange(Enumerable.Range(0, 1000).Count(i => result[9 * i] != set.Pixels[9 * i]), 430, 570);
    }

    [Fact]
    public void Noise_is_normal()
    {
        var set = new AugmentationSet<double>(new Shape(30, 31), 200);
        var noise = set.Run(new GaussianNoise<double>(0.2)).Zip(set.Pixels, (a, b) => (a - b) / 0.2).ToArray();
        // Standard errors at 186,000 numbers: 0.0023 of the mean, 0.0033 of the variance, 0.023 of the fourth moment.
        Assert.Equal(0, noise.Average(), 0.01);
        Assert.Equal(1, noise.Average(n => n * n), 0.015);
        Assert.Equal(0, noise.Average(n => n * n * n), 0.04);
        Assert.Equal(3, noise.Average(n => n * n * n * n), 0.1);
        Assert.Equal(0.6827, noise.Average(n => Math.Abs(n) < 1 ? 1.0 : 0), 0.005);
        Assert.Equal(noise.Length, noise.Distinct().Count());
        Assert.Equal(0, noise.Zip(noise.Skip(1), (a, b) => a * b).Average(), 0.01);
        Assert.Equal(0, noise.Zip(noise.Skip(128), (a, b) => a * b).Average(), 0.01);
    }

    [Fact]
    public void Erasing_covers_one_rectangle_of_the_area_asked_for()
    {
        var set = new AugmentationSet<float>(new Shape(20, 30, 2), 300);
        var result = set.Run(new RandomErasing<float>(0.1, 0.2, 2, fill: 9, probability: 1));
        var erased = 0;
        for (var image = 0; image < 300; image++)
        {
            var covered = Enumerable.Range(0, 1200).Where(i => result[image * 1200 + i] == 9).ToArray();
            if (covered.Length == 0)
                continue;
            erased++;
            int top = covered.Min(i => i / 60), bottom = covered.Max(i => i / 60), left = covered.Min(i => i / 2 % 30), right = covered.Max(i => i / 2 % 30);
            Assert.Equal(2 * (bottom - top + 1) * (right - left + 1), covered.Length);
            Assert.InRange(covered.Length / 1200.0, 0.085, 0.225);
            for (var i = 0; i < 1200; i++)
                Assert.True(result[image * 1200 + i] == 9 || result[image * 1200 + i] == set.Pixels[image * 1200 + i]);
        }

        Assert.InRange(erased, 295, 300);
    }

    [Fact]
    public void A_fill_that_is_infinite_in_the_type_of_the_images_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomAffine<float>(10, fill: 1e39));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ElasticDistortion<float>(fill: -1e39));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomErasing<float>(fill: 1e300));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomShift<float>(1, fill: 1e39));
        Assert.Equal(10, new RandomAffine<double>(10, fill: 1e300).Degrees);
        Assert.Equal(1, new RandomShift<float>(1, fill: float.MaxValue).Pixels);
    }
}
