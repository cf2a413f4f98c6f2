using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public sealed class GemmSpecialValueFloatTests : GemmSpecialValueTests<float>;

public sealed class GemmSpecialValueDoubleTests : GemmSpecialValueTests<double>;

/// <summary>NaN, infinities, subnormals, the scale factors 0, and empty sizes.</summary>
public abstract class GemmSpecialValueTests<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Ragged in every direction, and once beyond a k block.
    private static readonly (int M, int N, int K)[] Shapes = [(1, 1, 1), (13, 37, 19), (5, 3, 7), (2, 70, 1500), (40, 66, 300)];

    [Fact]
    public void Zero_times_NaN_is_NaN()
    {
        ForEachShape((m, n, k, width) =>
        {
            foreach (var (row, column) in (ReadOnlySpan<(int, int)>)[(0, 0), (k - 1, n - 1), (k / 2, n / 2)])
            {
                var (a, b, c) = (new T[m * k], new T[k * n], new T[m * n]);
                b[row * n + column] = T.NaN;
                Run(a, b, c, m, n, k, width);
                for (var i = 0; i < c.Length; i++)
                    Assert.True(T.IsNaN(c[i]) == (i % n == column),
                        $"{width} [{m}, {k}] x [{k}, {n}], NaN in B[{row}, {column}]: C[{i / n}, {i % n}] is {c[i]}.");
            }
        });
    }

    [Fact]
    public void Infinity_times_zero_is_NaN_and_infinities_of_both_signs_cancel_to_NaN()
    {
        ForEachShape((m, n, k, width) =>
        {
            var (a, b, c) = (new T[m * k], new T[k * n], new T[m * n]);
            a[(m - 1) * k + k - 1] = T.PositiveInfinity;
            Run(a, b, c, m, n, k, width);
            for (var i = 0; i < c.Length; i++)
                Assert.True(i / n == m - 1 ? T.IsNaN(c[i]) : T.IsZero(c[i]), $"{width} infinity x 0: C[{i / n}, {i % n}] is {c[i]}.");

            b.AsSpan().Fill(T.One);
            Run(a, b, c, m, n, k, width);
            for (var i = 0; i < c.Length; i++)
                Assert.Equal(i / n == m - 1 ? T.PositiveInfinity : T.Zero, c[i]);

            if (k == 1)
                return;
            a[(m - 1) * k] = T.NegativeInfinity;
            Run(a, b, c, m, n, k, width);
            for (var i = 0; i < c.Length; i++)
                Assert.True(i / n == m - 1 ? T.IsNaN(c[i]) : T.IsZero(c[i]), $"{width} infinity - infinity: C[{i / n}, {i % n}] is {c[i]}.");
        });
    }

    [Fact]
    public void Subnormals_are_kept()
    {
        ForEachShape((m, n, k, width) =>
        {
            var (a, b, c) = (new T[m * k], new T[k * n], new T[m * n]);
            for (var i = 0; i < m; i++)
                a[i * k] = T.Epsilon;
            b.AsSpan().Fill(T.One);
            Run(a, b, c, m, n, k, width);
            foreach (var x in c)
                Assert.Equal(T.Epsilon, x);
        });
    }

    [Fact]
    public void Beta_zero_never_reads_the_destination()
    {
        ForEachShape((m, n, k, width) =>
        {
            var (a, b, c) = (Ones(m * k), Ones(k * n), new T[m * n]);
            foreach (var beta in (ReadOnlySpan<T>)[T.Zero, T.NegativeZero])
            {
                foreach (var alpha in (ReadOnlySpan<T>)[T.One, T.CreateChecked(2), T.Zero])
                {
                    c.AsSpan().Fill(T.NaN);
                    Gemm.Multiply(alpha, new ReadOnlyMatrix<T>(a, m, k), new(b, k, n), beta, new Matrix<T>(c, m, n));
                    foreach (var x in c)
                        Assert.Equal(alpha * T.CreateChecked(k), x);
                }
            }
        });
    }

    [Fact]
    public void Alpha_zero_reads_neither_A_nor_B()
    {
        const int Size = 12;
        using var memory = new GuardedMemory(1);
        var forbidden = memory.Forbidden<T>(Size * Size); // Faults where pages can be protected, and is no number elsewhere.
        var c = new T[Size * Size];
        foreach (var alpha in (ReadOnlySpan<T>)[T.Zero, T.NegativeZero])
        {
            foreach (var beta in (ReadOnlySpan<T>)[T.Zero, T.One, T.CreateChecked(3)])
            {
                c.AsSpan().Fill(T.CreateChecked(7));
                Gemm.Multiply(alpha, new ReadOnlyMatrix<T>(forbidden, Size, Size), new ReadOnlyMatrix<T>(forbidden, Size, Size).Transposed, beta,
                    new Matrix<T>(c, Size, Size));
                foreach (var x in c)
                    Assert.Equal(beta * T.CreateChecked(7), x);
            }
        }
    }

    [Fact]
    public void Factors_that_are_NaN_give_NaN()
    {
        var (a, b, c) = (Ones(6), Ones(6), Ones(4));
        Gemm.Multiply(T.NaN, new ReadOnlyMatrix<T>(a, 2, 3), new(b, 3, 2), T.Zero, new Matrix<T>(c, 2, 2));
        Assert.All(c, x => Assert.True(T.IsNaN(x)));
        c = Ones(4);
        Gemm.Multiply(T.One, new ReadOnlyMatrix<T>(a, 2, 3), new(b, 3, 2), T.NaN, new Matrix<T>(c, 2, 2));
        Assert.All(c, x => Assert.True(T.IsNaN(x)));
    }

    [Fact]
    public void Without_terms_the_product_is_zero()
    {
        foreach (var transposed in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var (m, n) in (ReadOnlySpan<(int, int)>)[(1, 1), (3, 5), (5, 1), (1, 5), (9, 40)])
            {
                Empty(m, n, transposed, T.NaN, T.Zero, static (a, b, c) => Gemm.Multiply(a, b, c));
                Empty(m, n, transposed, T.CreateChecked(5), T.CreateChecked(5), static (a, b, c) => Gemm.MultiplyAdd(a, b, c));
                Empty(m, n, transposed, T.NaN, T.Zero, static (a, b, c) => Gemm.Multiply(T.CreateChecked(2), a, b, T.Zero, c));
                Empty(m, n, transposed, T.CreateChecked(5), T.CreateChecked(15), static (a, b, c) =>
                    Gemm.Multiply(T.CreateChecked(2), a, b, T.CreateChecked(3), c));
                Empty(m, n, transposed, T.CreateChecked(5), T.CreateChecked(5), static (a, b, c) => Gemm.Multiply(T.CreateChecked(2), a, b, T.One, c));
                if (!transposed)
                    Empty(m, n, transposed, T.NaN, T.CreateChecked(4), static (a, b, c) => Gemm.MultiplyAddRow(a, b, Row(c.Columns), c));
            }
        }

        static T[] Row(int length)
        {
            var row = new T[length];
            row.AsSpan().Fill(T.CreateChecked(4));
            return row;
        }
    }

    [Fact]
    public void Without_rows_or_columns_nothing_is_written_or_thrown()
    {
        foreach (var (m, n) in (ReadOnlySpan<(int, int)>)[(0, 4), (4, 0), (0, 0)])
        {
            foreach (var k in (ReadOnlySpan<int>)[0, 3])
            {
                var (a, b, c, row) = (Ones(m * k), Ones(k * n), Ones(20), Ones(n));
                Gemm.Multiply(new ReadOnlyMatrix<T>(a, m, k), new(b, k, n), new Matrix<T>(c, m, n));
                Gemm.MultiplyAdd(new ReadOnlyMatrix<T>(a, m, k), new(b, k, n), new Matrix<T>(c, m, n));
                Gemm.Multiply(T.CreateChecked(2), new ReadOnlyMatrix<T>(a, m, k), new(b, k, n), T.Zero, new Matrix<T>(c, n, m).Transposed);
                Gemm.MultiplyAddRow(new ReadOnlyMatrix<T>(a, m, k), new(b, k, n), row, new Matrix<T>(c, m, n));
                Assert.All(c, x => Assert.Equal(T.One, x));
            }
        }
    }

    private delegate void Product(ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b, Matrix<T> c);

    private static void Empty(int m, int n, bool transposed, T old, T expected, Product product)
    {
        var guard = T.CreateChecked(-1);
        var c = new PlacedMatrix<T>().Shape(m, n, transposed, 2, guard);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
                c.Buffer[c.Index(i, j)] = old;
        }

        product(new ReadOnlyMatrix<T>([], m, 0), new ReadOnlyMatrix<T>([], 0, n), c.View);
        for (var at = 0; at < c.Buffer.Length; at++)
            Assert.Equal(c.ElementAt(at) is null ? guard : expected, c.Buffer[at]);
    }

    private static void ForEachShape(Action<int, int, int, SimdWidth> check)
    {
        foreach (var (m, n, k) in Shapes)
        {
            foreach (var width in Enum.GetValues<SimdWidth>())
                check(m, n, k, width);
        }
    }

    private static void Run(T[] a, T[] b, T[] c, int m, int n, int k, SimdWidth width) =>
        GemmDispatch.Run(new ReadOnlyMatrix<T>(a, m, k), new(b, k, n), default, new Matrix<T>(c, m, n), new(GemmForm.Overwrite), null, width);

    private static T[] Ones(int length)
    {
        var values = new T[length];
        values.AsSpan().Fill(T.One);
        return values;
    }
}
