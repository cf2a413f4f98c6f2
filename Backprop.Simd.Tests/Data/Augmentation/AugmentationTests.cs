using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Infrastructure;
using CsCheck;

namespace Backprop.Simd.Tests.Data.Augmentation;

/// <summary>What holds for every augmentation.</summary>
public class AugmentationTests
{
    private static ImageAugmentation<float>[] All(double probability = 1, int stream = 0, string column = "x", ImageSize? size = null) =>
    [
        new RandomShift<float>(2, 0.25, probability, column, size, stream),
        new RandomAffine<float>(15, 1.5, 0.8, 1.2, 10, 0.25, probability, column, size, stream),
        new ElasticDistortion<float>(20, 3, 0.25, probability, column, size, stream),
        new RandomFlip<float>(0.5 * probability, 0.5 * probability, column, size, stream),
        new GaussianNoise<float>(0.1, probability, column, size, stream),
        new RandomErasing<float>(fill: 0.25, probability: probability, column: column, size: size, stream: stream),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, All().Length)];

    [Fact]
    public void All_augmentations_are_tested_here()
    {
        var types = typeof(ImageAugmentation<>).Assembly.GetTypes().Where(t =>
            t.BaseType is { IsGenericType: true } b && b.GetGenericTypeDefinition() == typeof(ImageAugmentation<>)).Select(t => t.Name).Order().ToArray();
        Assert.True(types.Length >= 6);
        Assert.Equal(types, All().Select(a => a.GetType().Name).Order());
    }

    [Theory, MemberData(nameof(Indices))]
    public void Rows_do_not_know_their_batch(int index)
    {
        var set = new AugmentationSet<float>(new Shape(9, 7, 2), 12);
        var whole = set.Run(All()[index], seed: 3, epoch: 4);
        Gen.Int[0, 11].Array[1, 15].Sample(rows =>
        {
            var part = set.Run(All()[index], rows, seed: 3, epoch: 4);
            for (var i = 0; i < rows.Length; i++)
                Assert.Equal(whole.AsSpan(rows[i] * set.Length, set.Length), part.AsSpan(i * set.Length, set.Length));
        }, iter: 50);
    }

    [Theory, MemberData(nameof(Indices))]
    public void Seed_epoch_row_and_stream_all_count(int index)
    {
        var set = new AugmentationSet<float>(new Shape(12, 12), 20);
        var first = set.Run(All()[index], seed: 3, epoch: 4);
        Assert.Equal(first, set.Run(All()[index], seed: 3, epoch: 4));
        Assert.NotEqual(set.Pixels, first);
        Assert.NotEqual(first, set.Run(All()[index], seed: 4, epoch: 4));
        Assert.NotEqual(first, set.Run(All()[index], seed: 3, epoch: 5));
        Assert.NotEqual(first, set.Run(All(stream: 1)[index], seed: 3, epoch: 4));
    }

    [Theory, MemberData(nameof(Indices))]
    public void A_probability_of_zero_keeps_the_bits(int index)
    {
        var set = new AugmentationSet<float>(new Shape(12, 12), 8);
        set.Pixels[5] = float.NaN;
        set.Pixels[6] = -0f;
        Assert.Equal(set.Pixels.Select(BitConverter.SingleToInt32Bits), set.Run(All(0)[index]).Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Parameters_that_change_nothing_keep_the_bits()
    {
        var set = new AugmentationSet<float>(new Shape(12, 12), 8);
        set.Pixels[5] = float.NaN;
        set.Pixels[6] = -0f;
        foreach (var identity in (ImageAugmentation<float>[])[new RandomShift<float>(0), new RandomAffine<float>(), new ElasticDistortion<float>(0),
            new RandomFlip<float>(0), new GaussianNoise<float>(0)])
            Assert.Equal(set.Pixels.Select(BitConverter.SingleToInt32Bits), set.Run(identity).Select(BitConverter.SingleToInt32Bits));
    }

    [Theory, MemberData(nameof(Indices))]
    public void About_as_many_images_change_as_the_probability_says(int index)
    {
        if (All()[index] is RandomFlip<float>)
            return;
        var set = new AugmentationSet<float>(new Shape(12, 12), 400);
        var result = set.Run(All(0.25)[index]);
        var changed = Enumerable.Range(0, 400).Count(i => !result.AsSpan(i * 144, 144).SequenceEqual(set.Pixels.AsSpan(i * 144, 144)));
        Assert.InRange(changed, 60, 140);
    }

    [Theory, MemberData(nameof(Indices))]
    public void Float_and_double_draw_alike(int index)
    {
        // Interpolation is continuous, so that rounding matters little.
        var (singles, doubles) = (new AugmentationSet<float>(new Shape(11, 13, 3), 6), new AugmentationSet<double>(new Shape(11, 13, 3), 6));
        BatchTransform<double>[] all =
        [
            new RandomShift<double>(2, 0.25), new RandomAffine<double>(15, 1.5, 0.8, 1.2, 10, 0.25), new ElasticDistortion<double>(20, 3, 0.25),
            new RandomFlip<double>(0.5, 0.5), new GaussianNoise<double>(0.1), new RandomErasing<double>(fill: 0.25, probability: 1),
        ];
        var (narrow, wide) = (singles.Run(All()[index]), doubles.Run(all[index]));
        for (var i = 0; i < narrow.Length; i++)
            Assert.Equal(wide[i], narrow[i], 2e-5);
    }

    [Theory, MemberData(nameof(Indices))]
    public void Pixels_stay_within_what_there_was(int index)
    {
        if (All()[index] is GaussianNoise<float>)
            return;
        foreach (var shape in (Shape[])[new Shape(28, 28), new Shape(1, 1), new Shape(1, 40), new Shape(33, 2, 3)])
            Assert.All(new AugmentationSet<float>(shape, 10).Run(All()[index]), p => Assert.InRange(p, -1e-6f, 1 + 1e-6f));
    }

    [Theory, MemberData(nameof(Indices))]
    public void A_flat_column_is_the_image_it_holds(int index)
    {
        var (shaped, flat) = (new AugmentationSet<float>(new Shape(6, 8, 2), 5), new AugmentationSet<float>(new Shape(96), 5));
        Assert.Equal(shaped.Run(All()[index]), flat.Run(All(size: new ImageSize(6, 8, 2))[index]));
    }

    [Theory, MemberData(nameof(Indices))]
    public void Columns_that_hold_no_such_images_are_refused(int index)
    {
        var flat = new AugmentationSet<float>(new Shape(96), 1).Set;
        var error = Assert.Throws<ArgumentException>("columns", () => All()[index].Prepare(flat.Columns));
        Assert.Contains("'x' is [96]", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>("columns", () => All(size: new ImageSize(5, 5))[index].Prepare(flat.Columns));
        Assert.Contains("[5, 5, 1]", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>("columns", () => All(column: "labels")[index].Prepare(flat.Columns));
        Assert.Contains("'labels' holds indices", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>("columns", () => All(column: "y")[index].Prepare(flat.Columns));
        Assert.Contains("no column 'y'", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("size", () => All(size: new ImageSize(0, 5))[index]);
    }

    [Theory, MemberData(nameof(Indices))]
    public void Nothing_is_allocated_and_no_scratch_beyond_what_was_asked_for_is_needed(int index)
    {
        var set = new AugmentationSet<float>(new Shape(14, 14), 6).Set;
        var batch = set.CreateBatch(6);
        var transform = All()[index];
        var scratch = new float[transform.Prepare(set.Columns)];
        set.Read([0, 1, 2, 3, 4, 5], batch);
        Assert.Equal(0, ThreadAllocations.Least(() => transform.Apply(batch, scratch, 2)));
        if (scratch.Length > 0)
            Assert.Throws<ArgumentException>("scratch", () => transform.Apply(batch, scratch.AsSpan(1), 1));
    }

    [Fact]
    public void Parameters_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("pixels", () => new RandomShift<float>(-1));
        Assert.Throws<ArgumentOutOfRangeException>("fill", () => new RandomShift<float>(1, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>("probability", () => new RandomShift<float>(1, 0, 1.5));
        Assert.Throws<ArgumentOutOfRangeException>("degrees", () => new RandomAffine<float>(181));
        Assert.Throws<ArgumentOutOfRangeException>("translate", () => new RandomAffine<float>(1, double.PositiveInfinity));
        Assert.Throws<ArgumentOutOfRangeException>("smallest", () => new RandomAffine<float>(smallest: 0));
        Assert.Throws<ArgumentOutOfRangeException>("largest", () => new RandomAffine<float>(largest: 0.5));
        Assert.Throws<ArgumentOutOfRangeException>("shear", () => new RandomAffine<float>(shear: 90));
        Assert.Throws<ArgumentOutOfRangeException>("alpha", () => new ElasticDistortion<float>(-1));
        Assert.Throws<ArgumentOutOfRangeException>("sigma", () => new ElasticDistortion<float>(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>("horizontal", () => new RandomFlip<float>(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>("vertical", () => new RandomFlip<float>(0, 2));
        Assert.Throws<ArgumentOutOfRangeException>("deviation", () => new GaussianNoise<float>(-1));
        Assert.Throws<ArgumentOutOfRangeException>("smallest", () => new RandomErasing<float>(0));
        Assert.Throws<ArgumentOutOfRangeException>("largest", () => new RandomErasing<float>(0.5, 0.4));
        Assert.Throws<ArgumentOutOfRangeException>("aspect", () => new RandomErasing<float>(aspect: 0.5));
    }
}
