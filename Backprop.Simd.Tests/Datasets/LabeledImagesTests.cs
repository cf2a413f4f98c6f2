using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Infrastructure;
using CsCheck;

namespace Backprop.Simd.Tests.Datasets;

public class LabeledImagesTests
{
    // Image i of [2, 1] pixels holds its own number, high byte first.
    private static LabeledImages Numbered(int count)
    {
        var pixels = new byte[2 * count];
        var labels = new byte[count];
        for (int i = 0; i < count; i++)
        {
            pixels[2 * i] = (byte)(i >> 8);
            pixels[(2 * i) + 1] = (byte)i;
            labels[i] = (byte)(i % 10);
        }

        return new LabeledImages(pixels, labels, width: 1, height: 2, classes: 10, maximumValue: 255);
    }

    private static int[] Numbers(LabeledImages images)
    {
        var numbers = new int[images.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = (images.Image(i)[0] << 8) | images.Image(i)[1];
            Assert.Equal(numbers[i] % 10, images.Label(i));
        }

        return numbers;
    }

    // Seed 42 over ten elements, worked out by an independent program.
    [Fact]
    public void Split_follows_the_documented_shuffle()
    {
        (LabeledImages train, LabeledImages test) = Numbered(10).Split(trainCount: 7, seed: 42);

        Assert.Equal([8, 3, 6, 5, 4, 0, 9], Numbers(train));
        Assert.Equal([2, 1, 7], Numbers(test));
    }

    [Fact]
    public void Split_is_complete_and_disjoint_for_every_size_and_seed() =>
        Gen.Select(Gen.Int[0, 400], Gen.Int[0, 400], Gen.ULong).Sample((a, b, seed) =>
        {
            (int count, int trainCount) = (Math.Max(a, b), Math.Min(a, b));
            (LabeledImages train, LabeledImages test) = Numbered(count).Split(trainCount, seed);
            Assert.Equal(trainCount, train.Count);
            Assert.Equal(Enumerable.Range(0, count), Numbers(train).Concat(Numbers(test)).Order());
        });

    [Theory]
    [InlineData(-1)]
    [InlineData(11)]
    public void Split_refuses_an_impossible_count(int trainCount) =>
        Assert.Throws<ArgumentOutOfRangeException>(nameof(trainCount), () => Numbered(10).Split(trainCount, seed: 0));

    [Fact]
    public void CopyRows_divides_by_the_maximum_float() => CheckCopyRows<float>();

    [Fact]
    public void CopyRows_divides_by_the_maximum_double() => CheckCopyRows<double>();

    private static void CheckCopyRows<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        LabeledImages images = Numbered(1000);
        var range = new T[(2 * 300) + 1];
        range[^1] = T.NaN;
        images.CopyRows<T>(600, 300, range);
        Assert.True(T.IsNaN(range[^1]));
        for (int i = 0; i < 300; i++)
        {
            Assert.Equal(T.CreateChecked((600 + i) >> 8) / T.CreateChecked(255), range[2 * i]);
            Assert.Equal(T.CreateChecked((600 + i) & 255) / T.CreateChecked(255), range[(2 * i) + 1]);
        }

        var chosen = new T[6];
        images.CopyRows<T>([899, 600, 899], chosen);
        Assert.Equal([.. range[598..600], .. range[0..2], .. range[598..600]], chosen);
    }

    [Fact]
    public void Every_pixel_over_every_maximum_is_correctly_rounded()
    {
        byte[] pixels = [.. Enumerable.Range(0, 256).Select(i => (byte)i), 255, 1, 128];
        for (int maximum = 1; maximum <= 255; maximum++)
        {
            byte[] within = [.. pixels.Select(p => (byte)Math.Min(p, maximum))];
            var images = new LabeledImages(within, new byte[1], within.Length, 1, 1, (byte)maximum);
            var floats = new float[within.Length];
            var doubles = new double[within.Length];
            images.CopyRows<float>(0, 1, floats);
            images.CopyRows<double>(0, 1, doubles);
            for (int i = 0; i < within.Length; i++)
            {
                Assert.Equal((float)within[i] / maximum, floats[i]);
                Assert.Equal((double)within[i] / maximum, doubles[i]);
            }
        }
    }

    [Fact]
    public void ToDataset_reads_the_rows_of_the_images_float() => CheckDataset<float>();

    [Fact]
    public void ToDataset_reads_the_rows_of_the_images_double() => CheckDataset<double>();

    private static void CheckDataset<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        LabeledImages images = Digits.Split().Test;
        Dataset<T> set = images.ToDataset<T>();
        Assert.Equal(images.Count, set.Count);
        Assert.Equal(["x", "labels"], set.Columns.ToArray().Select(c => c.Name));
        Assert.Equal(new EdgeType(EdgeKind.Values, new Shape(64)), set["x"].Type);
        Assert.Equal(new EdgeType(EdgeKind.Indices, Shape.Scalar), set["labels"].Type);

        int[] rows = [359, 0, 17, 0, 200];
        Batch<T> batch = set.CreateBatch(rows.Length);
        set.Read(rows, batch);
        var expected = new T[rows.Length * 64];
        var labels = new int[rows.Length];
        images.CopyRows(rows, expected.AsSpan());
        images.CopyLabels(rows, labels);
        Assert.Equal(expected, batch.Values(0).ToArray());
        Assert.Equal(labels, batch.Indices(1).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => set.Read([360], batch));

        Assert.Equal(0, ThreadAllocations.Least(() => set.Read(rows, batch)));
    }

    [Fact]
    public void ToDataset_takes_names_and_a_shape()
    {
        LabeledImages images = Digits.Split().Test;
        Dataset<float> set = images.ToDataset<float>("image", "digit", new Shape(8, 8, 1));
        Assert.Equal(["image", "digit"], set.Columns.ToArray().Select(c => c.Name));
        Assert.Equal(new Shape(8, 8, 1), set["image"].Type.Shape);

        var error = Assert.Throws<ArgumentException>("shape", () => images.ToDataset<float>(shape: new Shape(8, 9)));
        Assert.Contains("8 x 8 = 64", error.Message, StringComparison.Ordinal);
        Assert.Contains("72", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => images.ToDataset<float>("x", "x"));
        Assert.Throws<ArgumentException>(() => images.ToDataset<float>(""));
    }

    [Fact]
    public void CopyRows_of_the_digits_is_exact_sixteenths()
    {
        LabeledImages all = Digits.Load();
        var rows = new float[all.Count * 64];
        all.CopyRows<float>(0, all.Count, rows);

        for (int i = 0; i < rows.Length; i++)
        {
            Assert.Equal(all.Pixels.Span[i], rows[i] * 16);
        }
    }

    [Fact]
    public void CopyLabels_copies_ranges_and_chosen_rows()
    {
        LabeledImages images = Numbered(25);
        var range = new int[6];
        range[5] = -7;
        images.CopyLabels(8, 5, range);
        Assert.Equal([8, 9, 0, 1, 2, -7], range);

        var chosen = new int[3];
        images.CopyLabels([24, 0, 24], chosen);
        Assert.Equal([4, 0, 4], chosen);
    }

    [Fact]
    public void Copying_refuses_wrong_ranges_rows_and_lengths()
    {
        LabeledImages images = Numbered(10);

        Assert.Throws<ArgumentOutOfRangeException>("start", () => images.CopyRows<float>(-1, 1, new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>("start", () => images.CopyLabels(11, 0, []));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => images.CopyRows<float>(9, 2, new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => images.CopyLabels(0, -1, []));
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => images.CopyRows<float>([10], new float[2]));
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => images.CopyLabels([-1], new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => images.Select([10]));
        Assert.Throws<ArgumentException>("destination", () => images.CopyRows<float>(0, 2, new float[3]));
        Assert.Throws<ArgumentException>("destination", () => images.CopyRows<float>([0, 1], new float[3]));
        Assert.Throws<ArgumentException>("destination", () => images.CopyLabels(0, 2, new int[1]));
        Assert.Throws<ArgumentException>("destination", () => images.CopyLabels([0, 1], new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>("index", () => images.Label(10));
        Assert.Throws<ArgumentOutOfRangeException>("index", () => images.Image(-1).Length);
        images.CopyRows<float>(10, 0, []);
    }

    [Fact]
    public void Construction_refuses_what_does_not_fit()
    {
        static LabeledImages Make(int pixels, int labels, int width = 2, int height = 2, int classes = 10, byte maximum = 16) =>
            new(new byte[pixels], new byte[labels], width, height, classes, maximum);

        Assert.Throws<ArgumentException>("pixels", () => Make(pixels: 7, labels: 2));
        Assert.Throws<ArgumentOutOfRangeException>("width", () => Make(0, 0, width: 0));
        Assert.Throws<ArgumentOutOfRangeException>("height", () => Make(0, 0, height: 0));
        Assert.Throws<ArgumentOutOfRangeException>("height", () => Make(0, 0, width: 1 << 16, height: 1 << 16));
        Assert.Throws<ArgumentOutOfRangeException>("classes", () => Make(8, 2, classes: 0));
        Assert.Throws<ArgumentOutOfRangeException>("classes", () => Make(8, 2, classes: 257));
        Assert.Throws<ArgumentOutOfRangeException>("maximumValue", () => Make(8, 2, maximum: 0));

        var error = Assert.Throws<ArgumentException>(
            "pixels", () => new LabeledImages(new byte[] { 0, 1, 2, 17 }, new byte[2], 2, 1, 10, 16));
        Assert.Contains("Pixel 1 of image 1 is 17", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>(
            "labels", () => new LabeledImages(new byte[4], new byte[] { 9, 10 }, 2, 1, 10, 16));
        Assert.Contains("label of image 1 is 10", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Enlarge_keeps_proportions_of_oblong_images()
    {
        var images = new LabeledImages(new byte[] { 1, 2, 3 }, new byte[] { 5 }, width: 3, height: 1, classes: 10, maximumValue: 16);
        LabeledImages large = images.Enlarge(factor: 2, border: 1);

        Assert.Equal((4, 8), (large.Height, large.Width));
        Assert.Equal(
            [
                0, 0, 0, 0, 0, 0, 0, 0,
                0, 1, 1, 2, 2, 3, 3, 0,
                0, 1, 1, 2, 2, 3, 3, 0,
                0, 0, 0, 0, 0, 0, 0, 0,
            ],
            large.Image(0).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>("factor", () => images.Enlarge(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>("border", () => images.Enlarge(1, -1));
        Assert.Throws<ArgumentException>("factor", () => images.Enlarge(1 << 16, 1));
    }
}
