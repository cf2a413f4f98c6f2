using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Data;

public sealed class ColumnsTests
{
    [Fact]
    public void Rows_come_in_the_order_asked_for_neighbours_and_repetitions_among_them()
    {
        int[] rows = [4, 5, 6, 2, 2, 3, 0, 6];
        var x = Columns.Values<double>("x", new Shape(2, 2), Enumerable.Range(0, 28).Select(i => i + 0.5).ToArray());
        var numbers = new double[4 * rows.Length + 1];
        numbers[^1] = -1;
        x.Read(rows, numbers);
        Assert.Equal([.. rows.SelectMany(row => Enumerable.Range(4 * row, 4)).Select(i => i + 0.5), -1], numbers);

        var bytes = Columns.Bytes<float>("x", new Shape(3), Enumerable.Range(0, 21).Select(i => (byte)(i * 12)).ToArray(), 240);
        var scaled = new float[3 * rows.Length];
        bytes.Read(rows, scaled);
        Assert.Equal(rows.SelectMany(row => Enumerable.Range(3 * row, 3)).Select(i => i * 12 / 240f), scaled);

        var tokens = Columns.Indices("tokens", new Shape(2), Enumerable.Range(-3, 14).ToArray());
        var integers = new int[2 * rows.Length];
        tokens.Read(rows, integers);
        Assert.Equal(rows.SelectMany(row => Enumerable.Range(2 * row, 2)).Select(i => i - 3), integers);

        var labels = Columns.Labels("labels", new byte[] { 0, 250, 7, 3, 4, 5, 255 });
        var few = new int[rows.Length];
        labels.Read(rows, few);
        Assert.Equal([4, 5, 255, 7, 7, 3, 0, 255], few);
        Assert.Equal((Shape.Scalar, EdgeKind.Indices, 7), (labels.Type.Shape, labels.Type.Kind, labels.Count));
    }

    [Fact]
    public void Labels_are_checked_where_the_classes_are_known()
    {
        var error = Assert.Throws<ArgumentException>(() => Columns.Labels("digits", new byte[] { 0, 9, 10 }, 10));
        Assert.Contains("Label 10 of row 2 of 'digits' is outside 0 to 9", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>(() => Columns.Labels("digits", new[] { 0, -1 }, 10));
        Assert.Contains("Label -1 of row 1", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Columns.Labels("digits", new[] { 0 }, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Columns.Labels("digits", new byte[] { 0 }, -1));
        Assert.Equal(2, Columns.Labels("digits", new[] { -100, 12 }).Count);
        Assert.Equal(2, Columns.Labels("digits", new byte[] { 255, 0 }, 1000).Count);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Contains("'x' [2, 2] takes a multiple of 4 elements; there are 7",
            Assert.Throws<ArgumentException>(() => Columns.Values<float>("x", new Shape(2, 2), new float[7])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Columns.Bytes<float>("x", new Shape(2, 2), new byte[7]));
        Assert.Throws<ArgumentException>(() => Columns.Indices("x", new Shape(2, 2), new int[7]));
        Assert.Throws<ArgumentException>(() => Columns.Values<float>("", Shape.Scalar, new float[7]));
        foreach (var maximum in (double[])[0, -1, double.NaN, double.PositiveInfinity, 1e300])
            Assert.Throws<ArgumentOutOfRangeException>(() => Columns.Bytes<float>("x", Shape.Scalar, new byte[7], maximum));
        var column = Columns.Values<float>("x", Shape.Scalar, new float[7]);
        Assert.Throws<ArgumentOutOfRangeException>(() => column.Read([7], new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => column.Read([-1], new float[1]));
        Assert.Throws<ArgumentException>(() => column.Read([0, 1], new float[1]));
        column.Read([], []);
        Columns.Values<float>("x", Shape.Scalar, default).Read([], []);
    }

    [Fact]
    public void Bytes_are_quotients_in_float() => CheckQuotients<float>();

    [Fact]
    public void Bytes_are_quotients_in_double() => CheckQuotients<double>();

    private static void CheckQuotients<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        var bytes = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        var numbers = new T[256];
        foreach (var maximum in (double[])[255, 1, 2, 3, 16, 127.5, 100, 0.1, 1e-30, 1e30])
        {
            Columns.Bytes<T>("x", new Shape(256), bytes, maximum).Read([0], numbers);
            for (var i = 0; i < 256; i++)
                Assert.Equal(T.CreateTruncating(i) / T.CreateTruncating(maximum), numbers[i]);
        }
    }
}
