using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Layers;

public sealed class ShapeTests
{
    [Fact]
    public void A_shape_has_up_to_six_dimensions()
    {
        var shape = new Shape(2, 3, 4, 5);
        Assert.Equal((4, 120, 2, 5), (shape.Rank, shape.Size, shape[0], shape[3]));
        Assert.Equal("[2, 3, 4, 5]", shape.ToString());
        Assert.Equal("[784]", new Shape(784).ToString());
        var six = new Shape(2, 3, 4, 5, 6, 7);
        Assert.Equal((6, 5040, 6, 7), (six.Rank, six.Size, six[4], six[5]));
        Assert.Equal((new Shape(2, 3, 4, 5, 6), new Shape(2, 3, 4, 5, 6, 8)), (six.WithoutLast(), six.WithLast(8)));
        Assert.Equal((new Shape(2, 3, 4, 5), new Shape(2, 3, 4, 5, 8)), (six.WithoutLast().WithoutLast(), six.WithoutLast().WithLast(8)));
        Assert.NotEqual(six, six.WithLast(8));
        Assert.Equal([2, 3, 4, 5, 6, 7], six.CopyTo(new int[8]).ToArray());
        Assert.Throws<ArgumentException>(() => { six.CopyTo(new int[5]); });
        Assert.Equal((0, 1, "[]"), (Shape.Scalar.Rank, Shape.Scalar.Size, Shape.Scalar.ToString()));
        Assert.Contains("at most 6", Assert.Throws<ArgumentException>(() => new Shape(1, 1, 1, 1, 1, 1, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dimensions_are_positive_and_their_product_fits()
    {
        Assert.Contains("[2, 0]", Assert.Throws<ArgumentException>(() => new Shape(2, 0)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Shape(-1));
        Assert.Equal(int.MaxValue, new Shape(int.MaxValue).Size);
        Assert.Throws<ArgumentException>(() => new Shape(65536, 32768));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Shape(2)[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Shape(2)[-1]);
    }

    [Fact]
    public void Equality_is_that_of_rank_and_dimensions()
    {
        Assert.Equal(new Shape(2, 3), new Shape(2, 3));
        Assert.Equal(new Shape(2, 3).GetHashCode(), new Shape(2, 3).GetHashCode());
        Assert.True(new Shape(2, 3) == new Shape(2, 3));
        Assert.True(new Shape(2, 3) != new Shape(3, 2));
        Assert.NotEqual(new Shape(1), Shape.Scalar);
        Assert.NotEqual(new Shape(6), new Shape(2, 3));
        Assert.False(new Shape(1).Equals("[1]"));
    }

    [Fact]
    public void An_edge_counts_its_elements()
    {
        Assert.Equal(12, new EdgeType(EdgeKind.Values, new Shape(4)).Elements(3));
        Assert.Equal(4, new EdgeType(EdgeKind.Shared, new Shape(4)).Elements(3));
        Assert.Equal("shared [4]", new EdgeType(EdgeKind.Shared, new Shape(4)).ToString());
        Assert.Equal("indices []", new EdgeType(EdgeKind.Indices, Shape.Scalar).ToString());
    }
}
