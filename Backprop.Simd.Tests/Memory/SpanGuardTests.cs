using Backprop.Simd.Memory;

namespace Backprop.Simd.Tests.Memory;

public sealed class SpanGuardTests
{
    [Fact]
    public void Lengths_name_argument_expected_and_actual()
    {
        float[] gradient = new float[3];
        SpanGuard.SameLength(3, gradient.Length);
        SpanGuard.AtLeast(3, gradient.Length);
        SpanGuard.AtLeast(2, gradient.Length);
        var same = Assert.Throws<ArgumentException>(() => SpanGuard.SameLength(4, gradient.Length));
        Assert.Equal("gradient", same.ParamName);
        Assert.StartsWith("'gradient' must have length 4; it has 3.", same.Message, StringComparison.Ordinal);
        var least = Assert.Throws<ArgumentException>(() => SpanGuard.AtLeast(4, gradient.Length));
        Assert.Equal("gradient", least.ParamName);
        Assert.StartsWith("'gradient' must hold at least 4 elements; it has 3.", least.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Elementwise_spans_start_together_or_lie_apart()
    {
        var values = new float[20];
        SpanGuard.SameStartOrDisjoint<float>(values.AsSpan(0, 5), values.AsSpan(5, 5));
        SpanGuard.SameStartOrDisjoint<float>(values.AsSpan(5, 5), values.AsSpan(0, 5));
        SpanGuard.SameStartOrDisjoint<float>(values.AsSpan(3, 5), values.AsSpan(3, 9));
        SpanGuard.SameStartOrDisjoint<float>(values.AsSpan(3, 0), values.AsSpan(2, 9));
        foreach (var start in (int[])[0, 2, 4, 7])
        {
            var error = Assert.Throws<ArgumentException>(() =>
                SpanGuard.SameStartOrDisjoint<float>(values.AsSpan(3, 5), values.AsSpan(start, 5), "destination"));
            Assert.Equal("destination", error.ParamName);
            Assert.Contains($"shifted by {start - 3} ", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Disjoint_spans_share_nothing()
    {
        var values = new float[20];
        SpanGuard.Disjoint<float>(values.AsSpan(0, 5), values.AsSpan(5, 5));
        SpanGuard.Disjoint<float>(values.AsSpan(5, 5), values.AsSpan(0, 5));
        SpanGuard.Disjoint<float>(values.AsSpan(5, 0), values.AsSpan(0, 9));
        foreach (var start in (int[])[0, 2, 3, 7])
        {
            var error = Assert.Throws<ArgumentException>(() => SpanGuard.Disjoint<float>(values.AsSpan(3, 5), values.AsSpan(start, 5), "sums"));
            Assert.Equal("sums", error.ParamName);
        }
    }

    [Fact]
    public void Element_types_other_than_float_and_double_are_refused()
    {
        SpanGuard.Supported<float>();
        SpanGuard.Supported<double>();
        Assert.Contains("System.Half", Assert.Throws<NotSupportedException>(SpanGuard.Supported<Half>).Message, StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(SpanGuard.Supported<decimal>);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void Numbers_that_must_be_positive_and_finite_are_named(double rate)
    {
        SpanGuard.PositiveFinite(double.Epsilon);
        SpanGuard.PositiveFinite(float.MaxValue);
        Assert.Throws<ArgumentOutOfRangeException>(() => SpanGuard.PositiveFinite(-0f));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => SpanGuard.PositiveFinite(rate));
        Assert.Equal("rate", error.ParamName);
        Assert.Equal(rate, error.ActualValue);
    }
}
