using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Kernels;

public class CrossEntropyTests
{
    private const int Ignored = -7;

    /// <summary>Few classes in lanes, with and without whole blocks to transpose; around the change of form; rows by themselves.</summary>
    private static readonly int[] ClassCounts = [1, 2, 3, 4, 5, 7, 8, 10, 16, 33, 127, 128, 129, 200, 1000];

    [Fact]
    public void Losses_and_gradient_follow_the_definition()
    {
        Check<float>(2e-6);
        Check<double>(1e-14);

        static void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var classes in ClassCounts)
            {
                foreach (var rows in (int[])[1, 2, 3, 4, 5, 15, 16, 17, 29, 70])
                {
                    var (logits, labels) = (Samples.Ordinary<T>(rows * classes, classes), Labels(rows, classes));
                    var (losses, gradient) = Run(logits, rows, classes, labels, T.CreateTruncating(0.25));
                    for (var row = 0; row < rows; row++)
                    {
                        var x = Array.ConvertAll(logits[(row * classes)..((row + 1) * classes)], double.CreateTruncating);
                        var log = LossReference.LogSoftmax(x);
                        var isKept = labels[row] != Ignored;
                        Assert.Equal(isKept ? -log[labels[row]] : 0, double.CreateTruncating(losses[row]), 4 * tolerance);
                        for (var c = 0; c < classes; c++)
                        {
                            var expected = isKept ? 0.25 * (Math.Exp(log[c]) - (c == labels[row] ? 1 : 0)) : 0;
                            Assert.Equal(expected, double.CreateTruncating(gradient[row * classes + c]), tolerance);
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_alone_in_any_batch_in_place_with_gaps_and_without_gradient()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            const int rows = 37;
            foreach (var classes in ClassCounts)
            {
                var (logits, labels) = (Samples.Mixed<T>(rows * classes, classes), Labels(rows, classes));
                var scale = T.CreateTruncating(1.0 / rows);
                var (losses, gradient) = Run(logits, rows, classes, labels, scale);
                for (var row = 0; row < rows; row++)
                {
                    var (loss, alone) = Run(logits[(row * classes)..((row + 1) * classes)], 1, classes, labels[row..(row + 1)], scale);
                    Guarded<T>.AssertSameBits(losses.AsSpan(row, 1), loss);
                    Guarded<T>.AssertSameBits(gradient.AsSpan(row * classes, classes), alone);
                }

                var without = new Guarded<T>(rows);
                CrossEntropyKernels.CrossEntropy(new ReadOnlyMatrix<T>(logits, rows, classes), labels, without.Span, Ignored);
                without.AssertIntact();
                Guarded<T>.AssertSameBits(losses, without.Span);

                var stride = classes + 3;
                var spread = new Guarded<T>((rows - 1) * stride + classes);
                for (var row = 0; row < rows; row++)
                    logits.AsSpan(row * classes, classes).CopyTo(spread.Span[(row * stride)..]);
                var view = new Matrix<T>(spread.Span, rows, classes, stride);
                CrossEntropyKernels.CrossEntropyWithGradient(view, labels, scale, without.Span, view, Ignored);
                Guarded<T>.AssertSameBits(losses, without.Span);
                for (var row = 0; row < rows; row++)
                    Guarded<T>.AssertSameBits(gradient.AsSpan(row * classes, classes), spread.Span.Slice(row * stride, classes));
                for (var row = 0; row < rows - 1; row++)
                    Guarded<T>.AssertSameBits(new Guarded<T>(3).Span, spread.Span.Slice(row * stride + classes, 3));
                spread.AssertIntact();
            }
        }
    }

    [Fact]
    public void Lanes_have_the_same_bits_at_every_width()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            const int rows = 21;
            foreach (var classes in (int[])[1, 3, 4, 10, 50])
            {
                var logits = Samples.Mixed<T>(rows * classes, classes);
                var expected = Both<SimdVector128<T>>();
                Guarded<T>.AssertSameBits(expected, Both<SimdVector256<T>>());
                Guarded<T>.AssertSameBits(expected, Both<SimdVector512<T>>());
                Guarded<T>.AssertSameBits(expected, Both<SimdVector<T>>());

                T[] Both<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
                {
                    T[] p = new T[rows * classes], g = new T[rows * classes], maximum = new T[rows], logSum = new T[rows], losses = new T[rows];
                    ReadOnlyMatrix<T> x = new(logits, rows, classes);
                    new SoftmaxBody<T>(x, new(p, rows, classes), maximum, logSum).ByLanes<TVector>(0, rows);
                    new CrossEntropyBody<T>(x, new(g, rows, classes), Labels(rows, classes), Ignored, T.One, losses).ByLanes<TVector>(0, rows);
                    return [.. p, .. maximum, .. logSum, .. g, .. losses];
                }
            }
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        foreach (var classes in (int[])[3, 10, 200])
        {
            const int rows = 8 * 64 + 5;
            var logits = Samples.Mixed<float>(rows * classes, classes);
            Threads.AssertSameBits(context =>
            {
                var all = new float[rows * (classes + 1)];
                CrossEntropyKernels.CrossEntropyWithGradient(
                    new ReadOnlyMatrix<float>(logits, rows, classes), Labels(rows, classes), 0.5f,
                    all.AsSpan(rows * classes, rows), new Matrix<float>(all, rows, classes), Ignored, context);
                return all;
            });
        }
    }

    [Fact]
    public void Ignored_rows_are_0_whatever_they_hold_and_NaN_spoils_its_own_row_only()
    {
        foreach (var classes in (int[])[1, 3, 10, 130])
        {
            foreach (var bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
            {
                const int rows = 20;
                var labels = new int[rows];
                labels[3] = Ignored;
                var logits = Samples.Ordinary<float>(rows * classes, 1);
                logits.AsSpan(3 * classes, classes).Fill(bad);
                logits.AsSpan(5 * classes, classes).Fill(bad);
                var (losses, gradient) = Run(logits, rows, classes, labels, 1f);
                for (var row = 0; row < rows; row++)
                {
                    Assert.Equal(row == 5, float.IsNaN(losses[row]));
                    Assert.All(gradient[(row * classes)..((row + 1) * classes)], g => Assert.Equal(row == 5, float.IsNaN(g)));
                }

                Assert.Equal(0, losses[3]);
                Assert.All(gradient[(3 * classes)..(4 * classes)], g => Assert.Equal(0, g));
            }
        }
    }

    [Fact]
    public void Equal_logits_of_1e8_give_ln_K()
    {
        foreach (var classes in ClassCounts)
        {
            var (losses, gradient) = Run(Enumerable.Repeat(1e8f, classes).ToArray(), 1, classes, [classes - 1], 1f);
            Assert.Equal(Math.Log(classes), losses[0], 1e-6);
            Assert.Equal(1f / classes - 1, gradient[^1], 1e-6f);
        }
    }

    [Fact]
    public void Wrong_labels_name_row_and_value_and_nothing_is_written()
    {
        foreach (var rows in (int[])[3, 40])
        {
            foreach (var bad in (int[])[4, -1, int.MaxValue, int.MinValue])
            {
                for (var at = 0; at < rows; at++)
                {
                    var labels = Labels(rows, 4);
                    labels[at] = bad;
                    float[] losses = new float[rows], gradient = new float[rows * 4];
                    var error = Assert.Throws<ArgumentException>(() => CrossEntropyKernels.CrossEntropyWithGradient(
                        new ReadOnlyMatrix<float>(new float[rows * 4], rows, 4), labels, 1f, losses, new Matrix<float>(gradient, rows, 4), Ignored));
                    Assert.Equal("labels", error.ParamName);
                    Assert.Contains($"row {at} has {bad}", error.Message, StringComparison.Ordinal);
                    Assert.All([.. losses, .. gradient], value => Assert.Equal(0, value));
                }
            }
        }
    }

    [Fact]
    public void Wrong_shapes_and_overlaps_throw()
    {
        float[] x = new float[12], g = new float[12], losses = new float[3];
        int[] labels = [0, 1, 2];
        Throws("labels", () => Call(x, labels.AsSpan(1), losses, new Matrix<float>(g, 3, 4)));
        Throws("losses", () => Call(x, labels, losses.AsSpan(1), new Matrix<float>(g, 3, 4)));
        Throws("losses", () => Call(x, labels, x, new Matrix<float>(g, 3, 4)));
        Throws("losses", () => Call(x, labels, g, new Matrix<float>(g, 3, 4)));
        Throws("gradient", () => Call(x, labels, losses, new Matrix<float>(g, 4, 3)));
        Throws("gradient", () => Call(x, labels, losses, new Matrix<float>(g, 4, 3).Transposed));
        var longer = new float[13];
        Throws("gradient", () => Call(longer.AsSpan(0, 12), labels, losses, new Matrix<float>(longer.AsSpan(1), 3, 4)));
        CrossEntropyKernels.CrossEntropy(new ReadOnlyMatrix<float>([], 0, 4), [], []);

        static void Call(Span<float> x, ReadOnlySpan<int> labels, Span<float> losses, Matrix<float> gradient) =>
            CrossEntropyKernels.CrossEntropyWithGradient(new ReadOnlyMatrix<float>(x, 3, 4), labels, 1f, losses, gradient);

        static void Throws(string name, Action call) => Assert.Equal(name, Assert.Throws<ArgumentException>(call).ParamName);
    }

    [Fact]
    public void Labels_that_share_memory_with_what_is_written_are_refused()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var classes in (int[])[5, 128, 129, 400])
            {
                const int rows = 6;
                var (logits, losses, gradient) = (new T[rows * classes], new T[rows], new T[rows * classes]);
                Span<int> inLosses = MemoryMarshal.Cast<T, int>(losses.AsSpan())[..rows], inGradient = MemoryMarshal.Cast<T, int>(gradient.AsSpan());
                var view = new ReadOnlyMatrix<T>(logits, rows, classes);
                Assert.Equal("losses", Refused(inLosses, losses, gradient));
                Assert.Equal("losses", Refused(MemoryMarshal.Cast<T, int>(losses.AsSpan())[^rows..], losses, gradient));
                Assert.Equal("gradient", Refused(inGradient[..rows], losses, gradient));
                Assert.Equal("gradient", Refused(inGradient[^rows..], losses, gradient));

                // Memory that only touches is apart: labels before the losses, and the losses before labels.
                var both = new T[2 * rows];
                Span<int> front = MemoryMarshal.Cast<T, int>(both.AsSpan(0, rows)), behind = MemoryMarshal.Cast<T, int>(both.AsSpan(rows));
                CrossEntropyKernels.CrossEntropy(view, front[^rows..], both.AsSpan(rows));
                behind.Clear();
                CrossEntropyKernels.CrossEntropy(view, behind[..rows], both.AsSpan(0, rows));

                string? Refused(Span<int> labels, T[] losses, T[] gradient)
                {
                    var copy = labels.ToArray();
                    ArgumentException? error = null;
                    try
                    {
                        CrossEntropyKernels.CrossEntropyWithGradient(new ReadOnlyMatrix<T>(logits, rows, classes), labels, T.One, losses,
                            new Matrix<T>(gradient, rows, classes));
                    }
                    catch (ArgumentException exception)
                    {
                        error = exception;
                    }

                    Assert.Equal(copy, labels.ToArray());
                    return error?.ParamName;
                }
            }
        }
    }

    /// <summary>Labels that another thread writes meanwhile: a result or an exception, and no access outside of the guarded logits.</summary>
    [Fact]
    public void Labels_that_change_meanwhile_are_checked_where_they_are_used()
    {
        const int rows = 24, classes = 200;
        using GuardedMemory guarded = new(rows * classes * sizeof(float)), others = new(rows * classes * sizeof(float));
        var labels = new int[rows];
        var stop = false;
        var writer = new Thread(() =>
        {
            for (var n = 0; !Volatile.Read(ref stop); n++)
            {
                Volatile.Write(ref labels[n % rows], n % 3 == 0 ? -1_000_000_000 : 1_000_000_000);
                Volatile.Write(ref labels[n % rows], n % classes);
            }
        });
        writer.Start();
        try
        {
            var logits = guarded.AtEnd<float>(rows * classes);
            var gradient = others.AtEnd<float>(rows * classes);
            var losses = new float[rows];
            logits.Clear();
            foreach (var wrong in (int[])[classes, -1, int.MaxValue, int.MinValue])
            {
                // As if the label had changed behind the check.
                var changed = new int[rows];
                changed[^1] = wrong;
                var error = Xunit.Record.Exception(() => CrossEntropyKernels.CrossEntropyUnchecked(
                    new ReadOnlyMatrix<float>(guarded.AtEnd<float>(rows * classes), rows, classes), changed, 1f, losses, default, Ignored, null));
                Assert.Contains($"{wrong}", Assert.IsType<ArgumentException>(error).Message, StringComparison.Ordinal);
            }

            for (var n = 0; n < 2000; n++)
            {
                try
                {
                    CrossEntropyKernels.CrossEntropyWithGradient(new ReadOnlyMatrix<float>(logits, rows, classes), labels, 1f, losses,
                        new Matrix<float>(gradient, rows, classes));
                }
                catch (ArgumentException)
                {
                }
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            writer.Join();
        }
    }

    private static (T[] Losses, T[] Gradient) Run<T>(T[] logits, int rows, int classes, int[] labels, T scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Guarded<T> x = new(logits), losses = new(rows), gradient = new(rows * classes);
        CrossEntropyKernels.CrossEntropyWithGradient(
            new ReadOnlyMatrix<T>(x.Span, rows, classes), labels, scale, losses.Span, new Matrix<T>(gradient.Span, rows, classes), Ignored);
        Guarded<T>.AssertSameBits(logits, x.Span);
        losses.AssertIntact();
        gradient.AssertIntact();
        return (losses.Span.ToArray(), gradient.Span.ToArray());
    }

    private static int[] Labels(int rows, int classes) =>
        [.. Enumerable.Range(0, rows).Select(row => row % 6 == 4 ? Ignored : row * 7919 % classes)];
}
