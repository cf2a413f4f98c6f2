using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;
using Ops = Backprop.Simd.Kernels.Elementwise;

namespace Backprop.Simd.Tests.Kernels;

public class ElementwiseTests
{
    private delegate void Unary<T>(ReadOnlySpan<T> x, Span<T> destination, ComputeContext? context);

    private delegate void Binary<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, ComputeContext? context);

    public static TheoryData<string> UnaryNames => [.. UnaryOperations<float>().Keys];

    public static TheoryData<string> BinaryNames => [.. BinaryOperations<float>().Keys];

    /// <summary>Each kernel with its scalar reference and its bound in ULP.</summary>
    private static Dictionary<string, (Unary<T> Kernel, Func<T, double> Reference, double Ulp)> UnaryOperations<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var a = T.CreateTruncating(-1.75);
        return new()
        {
            ["negate"] = (Ops.Negate, x => double.CreateTruncating(-x), 0),
            ["reciprocal"] = (Ops.Reciprocal, x => double.CreateTruncating(T.One / x), 0),
            ["exp"] = (Ops.Exp, x => Math.Exp(double.CreateTruncating(x)), UlpTable.Bound<T>("exp")),
            ["log"] = (Ops.Log, x => Math.Log(double.CreateTruncating(x)), UlpTable.Bound<T>("log")),
            ["sigmoid"] = (Ops.Sigmoid, x => Functions.Exact("sigmoid", double.CreateTruncating(x)), UlpTable.Bound<T>("sigmoid")),
            ["tanh"] = (Ops.Tanh, x => Math.Tanh(double.CreateTruncating(x)), UlpTable.Bound<T>("tanh")),
            ["scale"] = ((x, d, c) => Ops.Scale(x, a, d, c), x => double.CreateTruncating(x * a), 0),
            ["shift"] = ((x, d, c) => Ops.Shift(x, a, d, c), x => double.CreateTruncating(x + a), 0),
        };
    }

    private static Dictionary<string, (Binary<T> Kernel, Func<T, T, T> Reference)> BinaryOperations<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => new()
        {
            ["add"] = (Ops.Add, (x, y) => x + y),
            ["subtract"] = (Ops.Subtract, (x, y) => x - y),
            ["multiply"] = (Ops.Multiply, (x, y) => x * y),
            ["maximum"] = (Ops.Maximum, (x, y) => T.IsNaN(x) || x >= y ? x : y),
            ["reciprocal backward"] = ((x, y, d, c) => Ops.ReciprocalBackward(x, y, d, c), (x, y) => -(x * y) * y),
        };

    [Theory]
    [MemberData(nameof(UnaryNames))]
    public void Unary_kernels_match_the_scalar_reference_at_every_length_and_in_place(string name)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            var (kernel, reference, ulp) = UnaryOperations<T>()[name];
            foreach (var n in Samples.Lengths<T>())
            {
                var x = Samples.Mixed<T>(n, n);
                var destination = new Guarded<T>(Enumerable.Repeat(T.CreateTruncating(77), n + 3).ToArray());
                kernel(x, destination.Span, null);
                for (var i = 0; i < n; i++)
                    Assert.True(UlpTable.Error(destination.Span[i], reference(x[i])) <= ulp, $"{name}({x[i]}) = {destination.Span[i]} at {i} of {n}");
                Assert.Equal([T.CreateTruncating(77), T.CreateTruncating(77), T.CreateTruncating(77)], destination.Span[n..].ToArray());
                destination.AssertIntact();

                var inPlace = new Guarded<T>(x);
                kernel(inPlace.Span, inPlace.Span, null);
                Guarded<T>.AssertSameBits(destination.Span[..n], inPlace.Span);
                inPlace.AssertIntact();
            }
        }
    }

    [Theory]
    [MemberData(nameof(BinaryNames))]
    public void Binary_kernels_match_the_scalar_reference_at_every_length_and_in_place(string name)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            var (kernel, reference) = BinaryOperations<T>()[name];
            foreach (var n in Samples.Lengths<T>())
            {
                T[] x = Samples.Mixed<T>(n, n), y = Samples.Mixed<T>(n, n + 1000);
                var expected = x.Zip(y, reference).ToArray();
                var destination = new Guarded<T>(Enumerable.Repeat(T.CreateTruncating(77), n + 3).ToArray());
                kernel(x, y, destination.Span, null);
                Guarded<T>.AssertSameBits(expected, destination.Span[..n]);
                Assert.Equal([T.CreateTruncating(77), T.CreateTruncating(77), T.CreateTruncating(77)], destination.Span[n..].ToArray());
                destination.AssertIntact();

                Guarded<T> overX = new(x), overY = new(y), overBoth = new(x);
                kernel(overX.Span, y, overX.Span, null);
                kernel(x, overY.Span, overY.Span, null);
                kernel(overBoth.Span, overBoth.Span, overBoth.Span, null);
                Guarded<T>.AssertSameBits(expected, overX.Span);
                Guarded<T>.AssertSameBits(expected, overY.Span);
                Guarded<T>.AssertSameBits(x.Zip(x, reference).ToArray(), overBoth.Span);
                overX.AssertIntact();
                overY.AssertIntact();
                overBoth.AssertIntact();
            }
        }
    }

    [Fact]
    public void Axpy_and_multiply_accumulate_add_to_the_destination_fused_or_not()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            var a = T.CreateTruncating(0.3);
            foreach (var n in Samples.Lengths<T>())
            {
                T[] x = Samples.Mixed<T>(n, n), y = Samples.Mixed<T>(n, n + 1), start = Samples.Mixed<T>(n, n + 2);
                Guarded<T> axpy = new([.. start, T.One]), product = new([.. start, T.One]), same = new(x);
                Ops.Axpy(a, x, axpy.Span);
                Ops.MultiplyAccumulate(x, y, product.Span);
                Ops.MultiplyAccumulate(same.Span, same.Span, same.Span);
                for (var i = 0; i < n; i++)
                {
                    AssertSum(a, x[i], start[i], axpy.Span[i]);
                    AssertSum(x[i], y[i], start[i], product.Span[i]);
                    AssertSum(x[i], x[i], x[i], same.Span[i]);
                }

                Assert.Equal(T.One, axpy.Span[n]);
                Assert.Equal(T.One, product.Span[n]);
                axpy.AssertIntact();
                product.AssertIntact();
                same.AssertIntact();
            }
        }

        static void AssertSum<T>(T a, T b, T c, T actual) where T : unmanaged, IFloatingPointIeee754<T> =>
            Assert.Contains(UlpTable.Bits(actual), (long[])[UlpTable.Bits(T.FusedMultiplyAdd(a, b, c)), UlpTable.Bits(a * b + c)]);
    }

    [Fact]
    public void Maximum_the_first_operand_wins_ties_and_NaN_propagates()
    {
        float[] x = [0f, -0f, float.NaN, 1, float.NaN, 2], y = [-0f, 0f, 1, float.NaN, float.NaN, 3], z = new float[6];
        Ops.Maximum<float>(x, y, z);
        Guarded<float>.AssertSameBits([0f, -0f, float.NaN, float.NaN, float.NaN, 3], z);
    }

    [Fact]
    public void Reciprocal_backward_accumulates()
    {
        double[] dx = [1, 1];
        Ops.ReciprocalBackward<double>([2, 3], [0.5, 2], new(dx, adds: true));
        Assert.Equal([0.5, -11], dx);
    }

    [Fact]
    public void AddRow_adds_the_bias_to_every_row_and_nothing_between_rows()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var columns in Samples.Lengths<T>())
            {
                foreach (var (rows, gap) in (ReadOnlySpan<(int, int)>)[(1, 0), (3, 0), (3, 2), (0, 0)])
                {
                    var stride = columns + gap;
                    var length = rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns;
                    T[] x = Samples.Mixed<T>(length, columns), bias = Samples.Mixed<T>(columns, 5);
                    var values = new Guarded<T>(x);
                    Ops.AddRow(new Matrix<T>(values.Span, rows, columns, stride), bias);
                    for (var i = 0; i < length; i++)
                        x[i] = i % stride < columns ? x[i] + bias[i % stride] : x[i];
                    Guarded<T>.AssertSameBits(x, values.Span);
                    values.AssertIntact();
                }
            }
        }
    }

    [Fact]
    public void AddRow_refuses_a_column_major_matrix_and_a_bias_of_another_length()
    {
        var values = new float[6];
        Assert.Equal("rows", Assert.Throws<ArgumentException>(() => Ops.AddRow(new Matrix<float>(values, 2, 3).Transposed, new float[2])).ParamName);
        var error = Assert.Throws<ArgumentException>(() => Ops.AddRow(new Matrix<float>(values, 2, 3), new float[2]));
        Assert.Equal("bias", error.ParamName);
        Assert.Contains("3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shifted_overlap_throws_and_the_same_start_does_not()
    {
        var x = new float[40];
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() => Ops.Exp<float>(x.AsSpan(0, 30), x.AsSpan(1, 30))).ParamName);
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() => Ops.Add<float>(new float[30], x.AsSpan(1, 30), x.AsSpan(0, 30))).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => Ops.Axpy(1f, x.AsSpan(1, 30), x.AsSpan(0, 30))).ParamName);
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() =>
            Ops.MultiplyAccumulate<float>(x.AsSpan(1, 30), new float[30], x.AsSpan(0, 30))).ParamName);
        Ops.Exp<float>(x.AsSpan(0, 10), x.AsSpan(0, 20)); // A longer destination from the same start.
        Ops.Exp<float>(x.AsSpan(10, 10), x); // Only the tail, which is kept, overlaps.
    }

    [Fact]
    public void Wrong_lengths_throw_and_name_the_argument()
    {
        float[] three = new float[3], four = new float[4];
        var error = Assert.Throws<ArgumentException>(() => Ops.Add<float>(three, four, four));
        Assert.Equal("y", error.ParamName);
        Assert.Contains("3", error.Message, StringComparison.Ordinal);
        Assert.Contains("4", error.Message, StringComparison.Ordinal);
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() => Ops.Add<float>(four, four, three)).ParamName);
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() => Ops.Scale<float>(four, 1, three)).ParamName);
        Assert.Equal("destination", Assert.Throws<ArgumentException>(() => Ops.MultiplyAccumulate<float>(four, four, three)).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => Ops.Axpy<float>(1, four, three)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() => Ops.ReciprocalBackward<float>(four, four, three)).ParamName);
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            const int n = 8 * 512 + 37;
            T[] x = Samples.Mixed<T>(n, 1), y = Samples.Mixed<T>(n, 2);
            foreach (var (_, (kernel, _, _)) in UnaryOperations<T>())
                Threads.AssertSameBits(context => Run(d => kernel(x, d, context)));
            foreach (var (_, (kernel, _)) in BinaryOperations<T>())
                Threads.AssertSameBits(context => Run(d => kernel(x, y, d, context)));
            Threads.AssertSameBits(context => Run(d => Ops.MultiplyAccumulate<T>(x, y, d, context)));
            Threads.AssertSameBits(context => Run(d => Ops.AddRow(new Matrix<T>(d, n / 13, 13), y.AsSpan(0, 13), context)));

            T[] Run(Action<T[]> kernel)
            {
                var destination = Samples.Ordinary<T>(n, 3);
                kernel(destination);
                return destination;
            }
        }
    }
}
