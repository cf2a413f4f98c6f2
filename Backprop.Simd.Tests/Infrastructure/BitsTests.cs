namespace Backprop.Simd.Tests.Infrastructure;

public sealed class BitsTests
{
    [Fact]
    public void Zeros_of_either_sign_differ_and_a_NaN_equals_itself()
    {
        Assert.False(Bits.Equal<float>([0f], [-0f]));
        Assert.True(Bits.Equal<double>([double.NaN, 1], [double.NaN, 1]));
        Assert.False(Bits.Equal<double>([1], [1, 2]));
    }

    [Fact]
    public void The_first_difference_is_named()
    {
        var failure = Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Bits.AssertEqual<float>([1, 2, 3], [1, 2, 4], "sum"));
        Assert.Contains("sum: element 2 is 4 (0x40800000), expected 3 (0x40400000)", failure.Message, StringComparison.Ordinal);
    }
}
