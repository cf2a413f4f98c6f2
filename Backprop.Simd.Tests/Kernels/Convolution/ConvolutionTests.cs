using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Convolutions on small integers, where float is exact, against the definition; on guarded pages, in every width.</summary>
public sealed class ConvolutionTests
{
    public static TheoryData<string> Widths => [.. Enum.GetNames<SimdWidth>()];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Float_equals_the_definition(string width) => CheckAll<float>(Enum.Parse<SimdWidth>(width));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Double_equals_the_definition(string width) => CheckAll<double>(Enum.Parse<SimdWidth>(width));

    private static void CheckAll<T>(SimdWidth width) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using GuardedMemory x = new(1 << 20), w = new(1 << 20), y = new(1 << 20), bias = new(1 << 20);
        // In software every sixth, which are others for each width.
        var cases = ConvolutionCases.All().Concat(Enumerable.Range(0, 60).Select(ConvolutionCases.Random))
            .Where((_, i) => !IsaOfProcess.IsSoftware || (i + (int)width) % 6 == 0);
        foreach (var (shape, images) in cases)
        {
            var random = new TestRandom((ulong)shape.GetHashCode());
            double[] image = Integers(ref random, images * shape.InputSize), filters = Integers(ref random, shape.WeightSize);
            double[] gradient = Integers(ref random, images * shape.OutputSize), added = Integers(ref random, shape.Filters);
            foreach (var atEnd in (bool[])[true, false])
            {
                var spanX = Take<T>(x, image.Length, atEnd);
                var spanW = Take<T>(w, filters.Length, atEnd);
                var spanY = Take<T>(y, gradient.Length, atEnd);
                var spanB = Take<T>(bias, added.Length, atEnd);
                var scratch = new T[Convolution.ScratchLength(shape)];
                var what = $"{typeof(T).Name} {width} {ConvolutionCases.Describe(shape)} x {images}";

                Fill(spanX, image);
                Fill(spanW, filters);
                Fill(spanB, added);
                scratch.AsSpan().Fill(T.NaN);
                spanY.Fill(T.NaN);
                Convolution.Forward<T>(shape, spanX, spanW, spanB, spanY, scratch, null, width);
                AssertEqual(ConvolutionReference.Forward(shape, image, filters, added), spanY, what + " forward with bias");
                spanY.Fill(T.NaN);
                Convolution.Forward<T>(shape, spanX, spanW, [], spanY, scratch, null, width);
                AssertEqual(ConvolutionReference.Forward(shape, image, filters), spanY, what + " forward");
                Fill(spanY, gradient);
                Convolution.Forward<T>(shape, spanX, spanW, [], new(spanY, adds: true), scratch, null, width);
                AssertEqual(Sum(ConvolutionReference.Forward(shape, image, filters), gradient), spanY, what + " forward added");

                Fill(spanY, gradient);
                scratch.AsSpan().Fill(T.NaN);
                spanX.Fill(T.NaN);
                var expected = ConvolutionReference.BackwardInput(shape, gradient, filters);
                Convolution.BackwardInput<T>(shape, spanY, spanW, [], spanX, scratch, null, width);
                AssertEqual(expected, spanX, what + " dx");
                Fill(spanX, image);
                Convolution.BackwardInput<T>(shape, spanY, spanW, [], new(spanX, adds: true), scratch, null, width);
                AssertEqual(Sum(expected, image), spanX, what + " dx added");
                var channels = Take<T>(bias, shape.Channels, atEnd);
                channels.Fill(T.One);
                spanX.Fill(T.NaN);
                Convolution.BackwardInput<T>(shape, spanY, spanW, channels, spanX, scratch, null, width);
                AssertEqual([.. expected.Select(v => v + 1)], spanX, what + " dx with bias");

                Fill(spanX, image);
                scratch.AsSpan().Fill(T.NaN);
                spanW.Fill(T.NaN);
                expected = ConvolutionReference.BackwardWeights(shape, image, gradient);
                spanB = Take<T>(bias, added.Length, atEnd);
                spanB.Fill(T.NaN);
                Convolution.BackwardWeights<T>(shape, spanX, spanY, spanW, spanB, scratch, null, width);
                AssertEqual(expected, spanW, what + " dw");
                double[] sums = [.. Enumerable.Range(0, shape.Filters).Select(f => gradient.Where((_, i) => i % shape.Filters == f).Sum())];
                AssertEqual(sums, spanB, what + " db");
                Fill(spanW, filters);
                Convolution.BackwardWeights<T>(shape, spanX, spanY, new(spanW, adds: true), new(spanB, adds: true), scratch, null, width);
                AssertEqual(Sum(expected, filters), spanW, what + " dw added");
                AssertEqual(Sum(sums, sums), spanB, what + " db added");
                bias.AssertUntouched<T>(spanB, what + ", db");
                x.AssertUntouched<T>(spanX, what + ", x");
                w.AssertUntouched<T>(spanW, what + ", w");
                y.AssertUntouched<T>(spanY, what + ", y");
            }
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        foreach (var (shape, images) in ConvolutionCases.All())
        {
            float[]? expected = null;
            foreach (var threads in TestThreads.Counts)
            {
                using var compute = TestThreads.Create(threads);
                var actual = AllResults(shape, images, compute);
                expected ??= actual;
                Bits.AssertEqual<float>(expected, actual, $"{threads} threads, {ConvolutionCases.Describe(shape)}");
            }
        }

        // Enough rows of the output, tiles and shards for every thread to have some.
        Threads.AssertSameBits<float>(context => AllResults(new(9, 9, 20, 40, 3, padding: 1), 9, context));
        Threads.AssertSameBits<float>(context => AllResults(new(9, 9, 40, 40, 3, padding: 1, groups: 40), 9, context));
    }

    private static float[] AllResults(ConvolutionShape shape, int images, ComputeContext? context)
    {
        var random = new TestRandom(7);
        float[] x = Signed(ref random, images * shape.InputSize), w = Signed(ref random, shape.WeightSize), dy = Signed(ref random, images * shape.OutputSize);
        float[] y = new float[dy.Length], dx = new float[x.Length], dw = new float[w.Length], db = new float[shape.Filters],
            scratch = new float[Convolution.ScratchLength(shape)];
        Convolution.Forward<float>(shape, x, w, [], y, scratch, context);
        Convolution.BackwardInput<float>(shape, dy, w, dx, scratch, context);
        Convolution.BackwardWeights<float>(shape, x, dy, dw, db, scratch, context);
        return [.. y, .. dx, .. dw, .. db];
    }

    [Fact]
    public void NaN_is_not_skipped_where_the_filter_is_zero_and_padding_is_zero_not_NaN()
    {
        var shape = new ConvolutionShape(3, 3, 1, 1, 3, padding: 1);
        float[] x = [float.NaN, 0, 0, 0, 0, 0, 0, 0, 1], y = new float[9], scratch = new float[Convolution.ScratchLength(shape)];
        Convolution.Forward<float>(shape, x, new float[9], [], y, scratch);
        Assert.Equal([float.NaN, float.NaN, 0, float.NaN, float.NaN, 0, 0, 0, 0], y);

        // Zeros around the image take part: a filter cell of NaN makes NaN of them.
        float[] w = [float.NaN, 0, 0, 0, 1, 0, 0, 0, 0];
        Convolution.Forward<float>(shape, [1, 2, 3, 4, 5, 6, 7, 8, 9], w, [], y, scratch);
        Assert.All(y, v => Assert.Equal(float.NaN, v));
    }

    [Fact]
    public void No_images_give_nothing_and_a_gradient_of_zero()
    {
        var shape = new ConvolutionShape(4, 4, 2, 3, 3);
        var scratch = new float[Convolution.ScratchLength(shape)];
        float[] w = new float[shape.WeightSize], dw = [.. Enumerable.Repeat(5f, w.Length)];
        Convolution.Forward<float>(shape, [], w, [], Span<float>.Empty, scratch);
        Convolution.BackwardWeights<float>(shape, [], [], new(dw, adds: true), default, scratch);
        Assert.All(dw, v => Assert.Equal(5, v));
        Convolution.BackwardWeights<float>(shape, [], [], dw, default, scratch);
        Assert.All(dw, v => Assert.Equal(0, v));
    }

    [Fact]
    public void Wrong_lengths_sizes_and_overlaps_throw_and_name_the_argument()
    {
        var shape = new ConvolutionShape(4, 4, 2, 3, 3);
        float[] x = new float[32], w = new float[54], y = new float[12], scratch = new float[Convolution.ScratchLength(shape)];
        Assert.Equal("x", Throws(() => Convolution.Forward<float>(shape, new float[31], w, [], y, scratch)));
        Assert.Equal("y", Throws(() => Convolution.Forward<float>(shape, x, w, [], new float[13], scratch)));
        Assert.Equal("weights", Throws(() => Convolution.Forward<float>(shape, x, new float[53], [], y, scratch)));
        Assert.Equal("bias", Throws(() => Convolution.Forward<float>(shape, x, w, new float[2], y, scratch)));
        Assert.Equal("scratch", Throws(() => Convolution.Forward<float>(shape, x, w, [], y, scratch.AsSpan(1))));
        Assert.Equal("y", Throws(() => Convolution.Forward<float>(shape, x, w, [], x.AsSpan(0, 12), scratch)));
        Assert.Equal("dx", Throws(() => Convolution.BackwardInput<float>(shape, y, w, new float[33], scratch)));
        Assert.Equal("shape", Throws(() => Convolution.Forward<float>(default, x, w, [], y, scratch)));
        Assert.Throws<NotSupportedException>(() => Convolution.Forward<Half>(shape, new Half[32], new Half[54], [], new Half[12], new Half[scratch.Length]));
        Assert.Equal("kernel", Throws(() => _ = new ConvolutionShape(4, 4, 2, 3, 5)));
        Assert.Equal("stride", Throws(() => _ = new ConvolutionShape(4, 4, 2, 3, 3, stride: 0)));
        Assert.Equal("dilation", Throws(() => _ = new ConvolutionShape(4, 4, 2, 3, 3, dilation: 0)));
        Assert.Equal("padding", Throws(() => _ = new ConvolutionShape(4, 4, 2, 3, 3, padding: -1)));
        Assert.Equal("groups", Throws(() => _ = new ConvolutionShape(4, 4, 4, 3, 3, groups: 2)));
        Assert.Throws<ArgumentException>(() => _ = new ConvolutionShape(65536, 65536, 2, 3, 3));
    }

    /// <summary>Scratch that is an operand would be overwritten by what the kernel keeps there: refused in all passes.</summary>
    [Fact]
    public void Scratch_that_overlaps_an_operand_is_refused()
    {
        foreach (var shape in (ConvolutionShape[])[new(6, 6, 2, 3, 3), new(6, 6, 4, 4, 3, groups: 4)])
        {
            foreach (var place in Enumerable.Range(0, 4))
            {
                var length = Convolution.ScratchLength(shape);
                var sizes = (int[])[shape.InputSize, shape.WeightSize, shape.Filters, shape.OutputSize];
                var buffer = new float[sizes[place] + length - 1];
                float[] x = new float[sizes[0]], w = new float[sizes[1]], b = new float[sizes[2]], y = new float[sizes[3]];
                for (var pass = 0; pass < 3; pass++)
                {
                    if (pass == 1 && place == 2)
                        continue; // No biases.
                    Assert.Equal("scratch", Throws(() => Run(pass, buffer.AsSpan(0, sizes[place]), buffer.AsSpan(sizes[place] - 1))));
                    Assert.Equal("scratch", Throws(() => Run(pass, buffer.AsSpan(length - 1), buffer.AsSpan(0, length))));
                    Assert.All(buffer, v => Assert.Equal(0, v));
                }

                // The last element of the one is the first of the other.
                void Run(int pass, Span<float> operand, Span<float> scratch)
                {
                    Span<float> px = place == 0 ? operand : x, pw = place == 1 ? operand : w, pb = place == 2 ? operand : b, py = place == 3 ? operand : y;
                    if (pass == 0)
                        Convolution.Forward<float>(shape, px, pw, pb, py, scratch);
                    else if (pass == 1)
                        Convolution.BackwardInput<float>(shape, py, pw, px, scratch);
                    else
                        Convolution.BackwardWeights<float>(shape, px, py, pw, pb, scratch);
                }
            }

            float[] images = new float[shape.InputSize];
            Assert.Equal("db", Throws(() => Convolution.BackwardWeights<float>(
                shape, images, new float[shape.OutputSize], new float[shape.WeightSize], images.AsSpan(1, shape.Filters),
                new float[Convolution.ScratchLength(shape)])));
        }
    }

    [Fact]
    public void What_nobody_wants_is_not_computed_and_biases_alone_are()
    {
        var shape = new ConvolutionShape(3, 3, 2, 3, 2);
        float[] x = new float[18], w = new float[24], y = new float[12], db = new float[3], scratch = new float[Convolution.ScratchLength(shape)];
        Array.Fill(x, 1f);
        Array.Fill(y, 1f);
        Convolution.Forward<float>(shape, x, w, [], default, scratch);
        Convolution.BackwardInput<float>(shape, y, w, default, scratch);
        Convolution.BackwardWeights<float>(shape, x, y, default, default, scratch);
        Convolution.BackwardWeights<float>(shape, x, y, default, db, scratch);
        Assert.Equal([4f, 4f, 4f], db);
        Convolution.BackwardWeights<float>(shape, x, y, default, new(db, adds: true), scratch);
        Assert.Equal([8f, 8f, 8f], db);
        Assert.Equal("bias", Throws(() => Convolution.Forward<float>(shape, x, w, db, new(y, adds: true), scratch)));
    }

    [Fact]
    public void Same_padding_keeps_the_size()
    {
        foreach (var kernel in (Extent[])[1, 2, 3, new(4, 5)])
        {
            foreach (var dilation in (Extent[])[1, new(2, 3)])
            {
                var shape = new ConvolutionShape(9, 11, 1, 1, kernel, padding: Padding.Same(kernel, dilation), dilation: dilation);
                Assert.Equal((9, 11), (shape.OutputHeight, shape.OutputWidth));
            }
        }
    }

    private static string? Throws(Action action) => Assert.ThrowsAny<ArgumentException>(action).ParamName;

    private static Span<T> Take<T>(GuardedMemory memory, int length, bool atEnd) where T : unmanaged =>
        atEnd ? memory.AtEnd<T>(length) : memory.AtStart<T>(length);

    private static double[] Integers(ref TestRandom random, int length)
    {
        var values = new double[length];
        foreach (ref var value in values.AsSpan())
            value = random.Integer(-3, 3);
        return values;
    }

    private static float[] Signed(ref TestRandom random, int length)
    {
        var values = new float[length];
        foreach (ref var value in values.AsSpan())
            value = random.Signed<float>();
        return values;
    }

    private static void Fill<T>(Span<T> span, double[] values) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
            span[i] = T.CreateChecked(values[i]);
    }

    private static double[] Sum(double[] left, double[] right) => [.. left.Zip(right, (a, b) => a + b)];

    private static void AssertEqual<T>(double[] expected, ReadOnlySpan<T> actual, string what) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < expected.Length; i++)
        {
            if (double.CreateChecked(actual[i]) != expected[i])
                Assert.Fail($"{what}: [{i}] is {actual[i]}, expected {expected[i]}.");
        }
    }
}
