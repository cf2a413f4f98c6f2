using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public class SoftmaxKernelsTests
{
    private static (T[] Probabilities, T[] Maximum, T[] LogSum) Run<T>(T[] logits, int rows) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (p, maximum, logSum) = (new T[logits.Length], new T[rows], new T[rows]);
        var classes = logits.Length / rows;
        SoftmaxKernels.SoftmaxWithLogSumExp(new ReadOnlyMatrix<T>(logits, rows, classes), new Matrix<T>(p, rows, classes), maximum, logSum);
        return (p, maximum, logSum);
    }

    private static double CompensatedSum(IEnumerable<double> positive)
    {
        double sum = 0, lost = 0;
        foreach (var value in positive)
        {
            var next = sum + value;
            lost += sum >= value ? sum - next + value : value - next + sum;
            sum = next;
        }

        return sum + lost;
    }

    [Fact]
    public void Probabilities_maximum_and_log_sum_match_a_double_reference_for_rows_of_any_length()
    {
        // x - max, up to 6 in size, is rounded: 4 ULP of the exponential. The rest is exp, sum and division, and in double the
        // reference's own error.
        Check<float>(8);
        Check<double>(16);

        static void Check<T>(double ulp) where T : unmanaged, IFloatingPointIeee754<T>
        {
            const int rows = 5;
            foreach (var classes in (int[])[.. Samples.Lengths<T>().Skip(1), 100, 1000, 2053])
            {
                foreach (var gap in (int[])[0, 2])
                {
                    var stride = classes + gap;
                    var logits = new Guarded<T>(Samples.Ordinary<T>((rows - 1) * stride + classes, classes));
                    var before = logits.Span.ToArray();
                    var p = new Guarded<T>(new T[(rows - 1) * (classes + 1) + classes]);
                    Guarded<T> maximum = new(new T[rows]), logSum = new(new T[rows]);
                    SoftmaxKernels.SoftmaxWithLogSumExp(
                        new ReadOnlyMatrix<T>(logits.Span, rows, classes, stride), new Matrix<T>(p.Span, rows, classes, classes + 1), maximum.Span,
                        logSum.Span);
                    Guarded<T>.AssertSameBits(before, logits.Span);
                    for (var row = 0; row < rows; row++)
                    {
                        var x = before.AsSpan(row * stride, classes).ToArray().Select(double.CreateTruncating).ToArray();
                        var sum = CompensatedSum(x.Select(value => Math.Exp(value - x.Max())));
                        Assert.Equal(x.Max(), double.CreateTruncating(maximum.Span[row]));
                        Assert.Equal(Math.Log(sum), double.CreateTruncating(logSum.Span[row]), typeof(T) == typeof(float) ? 1e-6 : 1e-14);
                        for (var j = 0; j < classes; j++)
                            Assert.InRange(UlpTable.Error(p.Span[row * (classes + 1) + j], Math.Exp(x[j] - x.Max()) / sum), 0, ulp);
                        if (row < rows - 1)
                            Assert.Equal(T.Zero, p.Span[row * (classes + 1) + classes]);
                    }

                    p.AssertIntact();
                    maximum.AssertIntact();
                    logSum.AssertIntact();

                    var alone = new Guarded<T>(new T[classes]);
                    SoftmaxKernels.Softmax(new ReadOnlyMatrix<T>(before.AsSpan(3 * stride, classes), 1, classes), new Matrix<T>(alone.Span, 1, classes));
                    Guarded<T>.AssertSameBits(p.Span.Slice(3 * (classes + 1), classes), alone.Span);

                    var inPlace = new Matrix<T>(logits.Span, rows, classes, stride);
                    SoftmaxKernels.Softmax(inPlace, inPlace);
                    for (var row = 0; row < rows; row++)
                        Guarded<T>.AssertSameBits(p.Span.Slice(row * (classes + 1), classes), logits.Span.Slice(row * stride, classes));
                    logits.AssertIntact();
                }
            }
        }
    }

    [Fact]
    public void The_row_maximum_is_subtracted()
    {
        var (p, _, _) = Run<float>([1000, 1001, -1000, -1001], 2);
        Assert.Equal(1 / (1 + Math.E), p[0], 1e-7);
        Assert.Equal(Math.E / (1 + Math.E), p[1], 1e-7);
        Assert.Equal(p[1], p[2]);
    }

    [Fact]
    public void Equal_logits_of_1e8_give_ln_K()
    {
        foreach (var classes in (int[])[1, 2, 3, 10, 33])
        {
            var (_, maximum, logSum) = Run(Enumerable.Repeat(1e8f, classes).ToArray(), 1);
            Assert.Equal((float)Math.Log(classes), maximum[0] - 1e8f + logSum[0]);
        }
    }

    [Fact]
    public void A_row_of_minus_infinity_gives_NaN_and_its_log_sum_exp_is_minus_infinity()
    {
        foreach (var classes in (int[])[1, 3, 8, 21])
        {
            var (p, maximum, logSum) = Run(Enumerable.Repeat(double.NegativeInfinity, classes).ToArray(), 1);
            Assert.All(p, value => Assert.Equal(double.NaN, value));
            Assert.Equal(double.NegativeInfinity, maximum[0] + logSum[0]);
        }
    }

    [Fact]
    public void NaN_and_infinity_spoil_their_own_row_only()
    {
        foreach (var classes in (int[])[1, 3, 8, 21])
        {
            for (var at = 0; at < classes; at++)
            {
                var logits = new float[3 * classes];
                logits[at] = float.NaN;
                logits[classes + at] = float.PositiveInfinity;
                var (p, maximum, logSum) = Run(logits, 3);
                Assert.All(p[..(2 * classes)], value => Assert.Equal(float.NaN, value));
                Assert.All(p[(2 * classes)..], value => Assert.Equal(1f / classes, value));
                Assert.Equal(float.NaN, maximum[0] + logSum[0]);
                Assert.Equal(float.PositiveInfinity, maximum[1] + logSum[1]);
            }
        }
    }

    [Fact]
    public void Minus_infinity_beside_a_number_has_probability_0()
    {
        var (p, _, logSum) = Run<float>([float.NegativeInfinity, 3, float.NegativeInfinity], 1);
        Assert.Equal([0, 1, 0], p);
        Assert.Equal(0, logSum[0]);
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        foreach (var classes in (int[])[3, 10, 200])
        {
            var logits = Samples.Mixed<float>(8 * 50 * classes, classes);
            Threads.AssertSameBits(context =>
            {
                var rows = 8 * 50;
                var all = new float[rows * (classes + 2)];
                SoftmaxKernels.SoftmaxWithLogSumExp(
                    new ReadOnlyMatrix<float>(logits, rows, classes), new Matrix<float>(all, rows, classes),
                    all.AsSpan(rows * classes, rows), all.AsSpan(rows * (classes + 1), rows), context);
                return all;
            });
        }
    }

    [Fact]
    public void Wrong_shapes_and_overlaps_throw()
    {
        float[] x = new float[12], y = new float[12], s = new float[4];
        var error = Assert.Throws<ArgumentException>(() => SoftmaxKernels.Softmax(new ReadOnlyMatrix<float>(x, 3, 4), new Matrix<float>(y, 4, 3)));
        Assert.Equal("probabilities", error.ParamName);
        Assert.Contains("[3, 4]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[4, 3]", error.Message, StringComparison.Ordinal);
        Assert.Equal("logits", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.Softmax(new ReadOnlyMatrix<float>(x, 3, 0), new Matrix<float>(y, 3, 0))).ParamName);
        Assert.Equal("logits", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.Softmax(new ReadOnlyMatrix<float>(x, 4, 3).Transposed, new Matrix<float>(y, 3, 4))).ParamName);
        Assert.Equal("probabilities", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.Softmax(new ReadOnlyMatrix<float>(x, 2, 3), new Matrix<float>(x.AsSpan(1), 2, 3))).ParamName);
        Assert.Equal("probabilities", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.Softmax(new ReadOnlyMatrix<float>(x, 2, 3, 4), new Matrix<float>(x, 2, 3))).ParamName);
        Assert.Equal("maximum", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.SoftmaxWithLogSumExp(new ReadOnlyMatrix<float>(x, 3, 4), new Matrix<float>(y, 3, 4), s.AsSpan(0, 2), s)).ParamName);
        Assert.Equal("logSum", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.SoftmaxWithLogSumExp(new ReadOnlyMatrix<float>(x, 3, 4), new Matrix<float>(y, 3, 4), s, s)).ParamName);
        Assert.Equal("maximum", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.SoftmaxWithLogSumExp(new ReadOnlyMatrix<float>(x, 3, 4), new Matrix<float>(y, 3, 4), x, s)).ParamName);
    }
}
