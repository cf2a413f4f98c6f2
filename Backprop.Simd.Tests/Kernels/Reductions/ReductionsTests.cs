using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public class ReductionsTests
{
    /// <summary>Every short length, and those around one and several blocks of 128 registers of every width.</summary>
    private static IEnumerable<int> SumLengths<T>() =>
        [.. Samples.Lengths<T>(), 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1536, 2047, 2048, 2049, 2560 + 7, 4096, 8192 + 2049];

    [Fact]
    public void Sums_of_small_integers_are_exact_at_every_length()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var n in SumLengths<T>())
            {
                T[] x = Integers<T>(n, n), y = Integers<T>(n, n + 1);
                Guarded<T> gx = new(x), gy = new(y);
                Assert.Equal(T.CreateChecked(x.Sum(v => int.CreateChecked(v))), Reductions.Sum<T>(gx.Span));
                Assert.Equal(T.CreateChecked(x.Zip(y, (a, b) => int.CreateChecked(a * b)).Sum()), Reductions.Dot<T>(gx.Span, gy.Span));
                Assert.Equal(T.CreateChecked(x.Sum(v => int.CreateChecked(v * v))), Reductions.SumOfSquares<T>(gx.Span));
                gx.AssertIntact();
                gy.AssertIntact();
            }
        }
    }

    [Fact]
    public unsafe void Every_register_width_sums_and_finds_the_largest()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            Width<T, SimdVector128<T>>();
            Width<T, SimdVector256<T>>();
            Width<T, SimdVector512<T>>();
            Width<T, SimdVector<T>>();
        }

        static void Width<T, TVector>()
            where T : unmanaged, IFloatingPointIeee754<T>
            where TVector : unmanaged, ISimdVector<TVector, T>
        {
            foreach (var n in (int[])[.. SumLengths<T>().Where(n => n > 0)])
            {
                var x = Integers<T>(n, n);
                fixed (T* p = x)
                {
                    var sum = ReductionLoops.Pairwise<TVector, T, ReductionLoops.SumTerm<T>>(default, p, p, n);
                    Assert.Equal(x.Sum(v => int.CreateChecked(v)), sum);
                    var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Magnitude<T>>(default, p, n);
                    Assert.Equal(x.Max(T.Abs), largest);
                    p[n / 3] = T.NegativeInfinity;
                    Assert.Equal(T.PositiveInfinity, ReductionLoops.Max<TVector, T, ReductionLoops.Magnitude<T>>(default, p, n));
                    p[n - 1] = T.NaN;
                    Assert.True(T.IsNaN(ReductionLoops.Max<TVector, T, ReductionLoops.Magnitude<T>>(default, p, n)));
                }
            }
        }
    }

    [Fact]
    public void Long_sums_keep_their_digits()
    {
        // One chain in float would lose some 4 digits here.
        const int n = 3_000_001;
        var random = new Random(5);
        var x = new float[n];
        foreach (ref var value in x.AsSpan())
            value = random.NextSingle();
        var sum = x.Sum(value => (double)value);
        var squares = x.Sum(value => (double)value * value);
        Assert.Equal(1, Reductions.Sum<float>(x) / sum, 3e-7);
        Assert.Equal(1, Reductions.SumOfSquares<float>(x) / squares, 3e-7);
        Assert.Equal(1, Reductions.Dot<float>(x, x) / squares, 3e-7);
        Assert.Equal(1, Reductions.Norm<float>(x) / Math.Sqrt(squares), 2e-7);

        // Multiples of 2^-53 have an exact sum in integers.
        var wide = new double[n];
        var exact = Int128.Zero;
        for (var i = 0; i < n; i++)
        {
            var multiple = random.NextInt64(1L << 53);
            wide[i] = Math.ScaleB(multiple, -53);
            exact += multiple;
        }

        Assert.Equal(1, Reductions.Sum<double>(wide) / Math.ScaleB((double)exact, -53), 4e-16);
    }

    [Fact]
    public void Max_takes_the_largest_wherever_it_is_and_NaN_wins()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var n in Samples.Lengths<T>().Skip(1))
            {
                for (var i = 0; i < n; i++)
                {
                    var x = Integers<T>(n, i);
                    x[i] = T.CreateTruncating(100);
                    Assert.Equal(x[i], Reductions.Max<T>(new Guarded<T>(x).Span));
                    x[i] = T.NaN;
                    x[n / 2] = n / 2 == i ? T.NaN : T.PositiveInfinity;
                    Assert.True(T.IsNaN(Reductions.Max<T>(x)));
                    x.AsSpan().Fill(T.NegativeInfinity);
                    Assert.Equal(T.NegativeInfinity, Reductions.Max<T>(x));
                    x.AsSpan().Fill(T.CreateTruncating(-3));
                    Assert.Equal(T.CreateTruncating(-3), Reductions.Max<T>(x));
                }
            }
        }

        Assert.Equal("x", Assert.Throws<ArgumentException>(() => Reductions.Max<float>([])).ParamName);
    }

    [Fact]
    public void The_norm_neither_overflows_nor_underflows()
    {
        foreach (var n in (int[])[1, 3, 100, 5000])
        {
            foreach (var size in (float[])[1e20f, 3e38f / MathF.Sqrt(n), 1, 1e-20f, 1e-38f, 1e-42f])
                Assert.Equal(1, Reductions.Norm<float>(Enumerable.Repeat(size, n).ToArray()) / (Math.Sqrt(n) * size), size < 1e-40 ? 1e-3 : 2e-7);
            foreach (var size in (double[])[1e200, 1.7e308 / Math.Sqrt(n), 1, 1e-200, 1e-308, 1e-318])
                Assert.Equal(1, Reductions.Norm<double>(Enumerable.Repeat(size, n).ToArray()) / (Math.Sqrt(n) * size), size < 1e-310 ? 1e-5 : 1e-14);
        }

        Assert.Equal(5, Reductions.Norm<double>([3, -4]));
        Assert.Equal(0, Reductions.Norm<float>([]));
        Assert.Equal(0, Reductions.Norm<float>([0, -0f]));
        Assert.Equal(float.PositiveInfinity, Reductions.Norm<float>([1, float.NegativeInfinity]));
        Assert.Equal(float.Epsilon, Reductions.Norm<float>([float.Epsilon]));
        Assert.Equal(double.Epsilon, Reductions.Norm<double>([-double.Epsilon]));
        Assert.Equal(float.MaxValue, Reductions.Norm<float>([float.MaxValue]));
        Assert.True(float.IsNaN(Reductions.Norm<float>([1, float.NaN])));
        Assert.True(double.IsNaN(Reductions.Norm<double>([double.PositiveInfinity, double.NaN])));
    }

    [Fact]
    public void AllFinite_finds_the_one_that_is_not()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            var max = T.CreateTruncating(typeof(T) == typeof(float) ? float.MaxValue : double.MaxValue);
            foreach (var n in (int[])[.. Samples.Lengths<T>(), 700])
            {
                var x = Enumerable.Repeat(max, n).ToArray();
                Assert.True(Reductions.AllFinite<T>(x));
                for (var i = 0; i < n; i++)
                {
                    foreach (var bad in (T[])[T.NaN, T.PositiveInfinity, T.NegativeInfinity])
                    {
                        x[i] = bad;
                        Assert.False(Reductions.AllFinite<T>(x));
                    }

                    x[i] = -max;
                }
            }
        }
    }

    [Fact]
    public void Empty_spans_sum_to_0()
    {
        Assert.Equal(0f, Reductions.Sum<float>([]));
        Assert.Equal(0d, Reductions.Dot<double>([], []));
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => Reductions.Dot<double>([1], [])).ParamName);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Column_sums_of_small_integers_are_exact(bool accumulate)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var columns in Samples.Lengths<T>().Append(100))
            {
                foreach (var rows in (int[])[0, 1, 2, 5, 127, 128, 129, 300])
                {
                    foreach (var gap in (int[])[0, 3])
                    {
                        var stride = columns + gap;
                        var length = rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns;
                        var x = Integers<T>(length, rows);
                        for (var i = 0; i < length; i++)
                            x[i] = i % stride < columns ? x[i] : T.NaN;
                        var values = new Guarded<T>(x);
                        var sums = new Guarded<T>(Enumerable.Repeat(accumulate ? T.CreateTruncating(1000) : T.NaN, columns + 2).ToArray());
                        Reductions.ColumnSums<T>(new ReadOnlyMatrix<T>(values.Span, rows, columns, stride), new(sums.Span, accumulate));
                        for (var j = 0; j < columns; j++)
                        {
                            var expected = accumulate ? 1000 : 0;
                            for (var i = 0; i < rows; i++)
                                expected += int.CreateChecked(x[i * stride + j]);
                            Assert.Equal(T.CreateChecked(expected), sums.Span[j]);
                        }

                        sums.AssertIntact();
                        Assert.Equal(accumulate ? T.CreateTruncating(1000) : T.NaN, sums.Span[columns]);
                    }
                }
            }
        }
    }

    [Fact]
    public void Column_sums_refuse_overlap_column_major_rows_and_short_sums()
    {
        var x = new float[20];
        Assert.Equal("sums", Assert.Throws<ArgumentException>(() => Reductions.ColumnSums(new ReadOnlyMatrix<float>(x, 3, 4), x.AsSpan(11))).ParamName);
        Assert.Equal("sums", Assert.Throws<ArgumentException>(() => Reductions.ColumnSums(new ReadOnlyMatrix<float>(x, 3, 4), new float[3])).ParamName);
        Assert.Equal("rows", Assert.Throws<ArgumentException>(() =>
            Reductions.ColumnSums(new ReadOnlyMatrix<float>(x, 3, 4).Transposed, new float[3])).ParamName);
        Reductions.ColumnSums(new ReadOnlyMatrix<float>(x, 3, 4), x.AsSpan(12));
    }

    [Fact]
    public void Column_sums_have_the_same_bits_on_1_2_3_and_8_threads()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            var columns = 8 * 4 * Vector<T>.Count + 1;
            foreach (var columnCount in (int[])[columns, columns + Vector<T>.Count + 2])
            {
                var x = Samples.Ordinary<T>(300 * columnCount, 4);
                Threads.AssertSameBits(context =>
                {
                    var sums = new T[columnCount];
                    Reductions.ColumnSums<T>(new ReadOnlyMatrix<T>(x, 300, columnCount), sums, context);
                    Reductions.ColumnSums<T>(new ReadOnlyMatrix<T>(x, 300, columnCount), new(sums, adds: true), context);
                    return sums;
                });
            }
        }
    }

    private static T[] Integers<T>(int length, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new Random(seed);
        var values = new T[length];
        foreach (ref var value in values.AsSpan())
            value = T.CreateChecked(random.Next(-8, 9));
        return values;
    }
}
