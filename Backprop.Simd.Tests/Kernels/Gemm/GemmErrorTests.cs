using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>What GEMM refuses, with which words; nothing is written when it does.</summary>
public sealed class GemmErrorTests
{
    private delegate void Product(ReadOnlyMatrix<float> a, ReadOnlyMatrix<float> b, Matrix<float> c);

    private static readonly Product[] Products =
    [
        static (a, b, c) => Gemm.Multiply(a, b, c),
        static (a, b, c) => Gemm.MultiplyAdd(a, b, c),
        static (a, b, c) => Gemm.Multiply(2, a, b, 3, c),
        static (a, b, c) => Gemm.Multiply(0, a, b, 0, c),
        static (a, b, c) => Gemm.MultiplyAddRow(a, b, new float[c.Columns], c),
    ];

    [Theory]
    [InlineData(2, 3, 4, 5, 2, 5)] // The inner sizes differ.
    [InlineData(2, 3, 3, 5, 3, 5)] // C has another number of rows.
    [InlineData(2, 3, 3, 5, 2, 4)] // C has another number of columns.
    [InlineData(2, 3, 3, 5, 5, 2)] // C is transposed.
    [InlineData(2, 0, 3, 5, 2, 5)] // No terms on one side only.
    [InlineData(0, 3, 4, 5, 0, 5)] // Empty, and still no product.
    public void Shapes_that_do_not_fit_are_named(int aRows, int aColumns, int bRows, int bColumns, int cRows, int cColumns)
    {
        foreach (var product in Products)
        {
            var c = Filled(100);
            var error = Assert.Throws<ArgumentException>(() =>
                product(new(new float[100], aRows, aColumns), new(new float[100], bRows, bColumns), new(c, cRows, cColumns)));
            Assert.Equal(aColumns != bRows ? "b" : "c", error.ParamName);
            Assert.Contains($"A is [{aRows}, {aColumns}], B is [{bRows}, {bColumns}], C is [{cRows}, {cColumns}]", error.Message, StringComparison.Ordinal);
            AssertUnwritten(c);
        }
    }

    [Fact]
    public void A_destination_that_overlaps_an_input_is_refused()
    {
        foreach (var product in Products)
        {
            foreach (var start in (int[])[1, 15, 16, 17, 31])
            {
                // A and B lie at 16..31; C at start..start + 15, which touches them.
                var buffer = Filled(64);
                var other = new float[16];
                var asA = Assert.Throws<ArgumentException>(() =>
                    product(new(buffer.AsSpan(16, 16), 4, 4), new(other, 4, 4), new(buffer.AsSpan(start, 16), 4, 4)));
                Assert.Equal("c", asA.ParamName);
                var asB = Assert.Throws<ArgumentException>(() =>
                    product(new(other, 4, 4), new(buffer.AsSpan(16, 16), 4, 4), new(buffer.AsSpan(start, 16), 4, 4)));
                Assert.Equal("c", asB.ParamName);
                AssertUnwritten(buffer);
            }
        }
    }

    [Fact]
    public void Operands_that_touch_but_do_not_overlap_are_accepted()
    {
        foreach (var product in Products)
        {
            var buffer = new float[48];
            product(new(buffer.AsSpan(0, 16), 4, 4), new(buffer.AsSpan(32, 16), 4, 4), new(buffer.AsSpan(16, 16), 4, 4));
            // The spans behind the views may be longer than the views and overlap: elements decide.
            product(new(buffer, 4, 4), new(buffer.AsSpan(32), 4, 4), new(buffer.AsSpan(16), 4, 4));
            // Inputs may overlap each other.
            product(new(buffer, 4, 4), new ReadOnlyMatrix<float>(buffer, 4, 4).Transposed, new(buffer.AsSpan(16), 4, 4));
        }
    }

    [Fact]
    public void Operands_without_elements_overlap_nothing()
    {
        foreach (var product in Products)
        {
            // k = 0: A and B are empty, wherever they start.
            var buffer = new float[16];
            product(new(buffer.AsSpan(4, 4), 4, 0), new(buffer.AsSpan(8), 0, 4), new(buffer, 4, 4));
            product(new(buffer.AsSpan(16), 4, 0), new(default, 0, 4), new(buffer, 4, 4));
        }
    }

    [Fact]
    public void An_overlap_through_transposed_views_is_refused()
    {
        var buffer = Filled(32);
        var other = new float[16];
        Assert.Throws<ArgumentException>(() =>
            Gemm.Multiply(new ReadOnlyMatrix<float>(buffer, 4, 4).Transposed, new(other, 4, 4), new Matrix<float>(buffer.AsSpan(15), 4, 4).Transposed));
        AssertUnwritten(buffer);
    }

    [Fact]
    public void The_added_row_is_checked()
    {
        var c = Filled(20);
        var error = Assert.Throws<ArgumentException>(() =>
            Gemm.MultiplyAddRow(new ReadOnlyMatrix<float>(new float[6], 2, 3), new(new float[12], 3, 4), new float[5], new Matrix<float>(c, 2, 4)));
        Assert.Equal("row", error.ParamName);
        Assert.Contains("4", error.Message, StringComparison.Ordinal);
        Assert.Contains("5", error.Message, StringComparison.Ordinal);

        error = Assert.Throws<ArgumentException>(() =>
            Gemm.MultiplyAddRow(new ReadOnlyMatrix<float>(new float[6], 2, 3), new(new float[12], 3, 4), c.AsSpan(7, 4), new Matrix<float>(c, 2, 4)));
        Assert.Equal("c", error.ParamName);

        error = Assert.Throws<ArgumentException>(() => Gemm.MultiplyAddRow(new ReadOnlyMatrix<float>(new float[6], 2, 3), new(new float[12], 3, 4),
            new float[4], new Matrix<float>(c, 4, 2).Transposed));
        Assert.Equal("c", error.ParamName);
        Assert.Contains("column stride is 2", error.Message, StringComparison.Ordinal);
        AssertUnwritten(c);
    }

    [Fact]
    public void The_added_row_may_touch_the_destination_but_not_overlap_it()
    {
        var buffer = Filled(20);
        foreach (var start in (int[])[1, 4, 11])
        {
            var error = Assert.Throws<ArgumentException>(() => AddRow(start));
            Assert.Equal("c", error.ParamName);
        }

        AssertUnwritten(buffer);
        AddRow(0);
        AddRow(12);

        // C lies at 4..11.
        void AddRow(int start) => Gemm.MultiplyAddRow(
            new ReadOnlyMatrix<float>(new float[6], 2, 3), new(new float[12], 3, 4), buffer.AsSpan(start, 4), new Matrix<float>(buffer.AsSpan(4), 2, 4));
    }

    [Fact]
    public void Only_float_and_double_are_supported()
    {
        Refuses<Half>();
        Refuses<System.Runtime.InteropServices.NFloat>();

        static void Refuses<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            var c = new T[4];
            NotSupportedException[] errors =
            [
                Assert.Throws<NotSupportedException>(() => Gemm.Multiply(new ReadOnlyMatrix<T>(new T[4], 2, 2), new(new T[4], 2, 2), new Matrix<T>(c, 2, 2))),
                Assert.Throws<NotSupportedException>(() =>
                    Gemm.MultiplyAdd(new ReadOnlyMatrix<T>(new T[4], 2, 2), new(new T[4], 2, 2), new Matrix<T>(c, 2, 2))),
                Assert.Throws<NotSupportedException>(() =>
                    Gemm.Multiply(T.One, new ReadOnlyMatrix<T>(new T[4], 2, 2), new(new T[4], 2, 2), T.One, new Matrix<T>(c, 2, 2))),
                Assert.Throws<NotSupportedException>(() =>
                    Gemm.MultiplyAddRow(new ReadOnlyMatrix<T>(new T[4], 2, 2), new(new T[4], 2, 2), new T[2], new Matrix<T>(c, 2, 2))),
            ];
            Assert.All(errors, error => Assert.Contains(typeof(T).ToString(), error.Message, StringComparison.Ordinal));
        }
    }

    private static float[] Filled(int length)
    {
        var values = new float[length];
        Array.Fill(values, 42);
        return values;
    }

    private static void AssertUnwritten(float[] values) => Assert.All(values, x => Assert.Equal(42, x));
}
