using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Kernels;

public class PhiloxTests
{
    /// <summary>The known answers for philox4x32-10 of the Random123 library (tests/kat_vectors).</summary>
    [Theory]
    [InlineData(0UL, 0UL, 0UL, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x85a308d3_243f6a88UL, 0x03707344_13198a2eUL, 0x299f31d0_a4093822UL, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Blocks_match_the_known_answers(ulong low, ulong high, ulong key, uint x, uint y, uint z, uint w) =>
        Assert.Equal((x, y, z, w), Philox.Block(low, high, key));

    [Fact]
    public void A_stream_is_its_blocks_in_order()
    {
        var random = new Philox(0x0123456789abcdef, 42);
        for (var block = 0UL; block < 5; block++)
        {
            var (x, y, z, w) = Philox.Block(block, 42, 0x0123456789abcdef);
            Assert.Equal(x, random.NextUInt32());
            Assert.Equal(y | (ulong)z << 32, random.NextUInt64());
            Assert.Equal(w, random.NextUInt32());
        }
    }

    [Fact]
    public void Doubles_are_the_upper_53_bits()
    {
        Philox random = new(1, 2), bits = new(1, 2);
        for (var i = 0; i < 100; i++)
            Assert.Equal((bits.NextUInt64() >> 11) / Math.Pow(2, 53), random.NextDouble());
    }

    [Fact]
    public void Uniform_numbers_lie_in_0_to_1_and_have_the_right_moments()
    {
        var random = new Philox(7, 0);
        const int n = 400_000;
        double sum = 0, squares = 0;
        for (var i = 0; i < n; i++)
        {
            var value = random.NextDouble();
            Assert.InRange(value, 0, Math.BitDecrement(1.0));
            sum += value;
            squares += value * value;
        }

        Assert.Equal(0.5, sum / n, 0.002);
        Assert.Equal(1.0 / 3, squares / n, 0.002);
    }

    [Fact]
    public void Normal_numbers_have_the_right_moments_and_tails()
    {
        var random = new Philox(8, 0);
        const int n = 400_000;
        double sum = 0, squares = 0, cubes = 0, fourths = 0;
        var beyond = 0;
        for (var i = 0; i < n; i++)
        {
            var value = random.NextNormal();
            sum += value;
            squares += value * value;
            cubes += value * value * value;
            fourths += value * value * value * value;
            beyond += Math.Abs(value) > 1.959963984540054 ? 1 : 0;
        }

        Assert.Equal(0, sum / n, 0.007);
        Assert.Equal(1, squares / n, 0.01);
        Assert.Equal(0, cubes / n, 0.03);
        Assert.Equal(3, fourths / n, 0.08);
        Assert.Equal(0.05, (double)beyond / n, 0.0015);
    }

    [Fact]
    public void Seeds_and_streams_differ_and_a_copy_goes_its_own_way()
    {
        Philox a = new(1, 0), b = new(2, 0), c = new(1, 1), copy = a;
        Assert.True(a == copy);
        var first = a.NextUInt64();
        Assert.NotEqual(first, b.NextUInt64());
        Assert.NotEqual(first, c.NextUInt64());
        Assert.True(a != copy);
        Assert.Equal(first, copy.NextUInt64());
        Assert.Equal(a.GetHashCode(), copy.GetHashCode());
        Assert.True(a.Equals((object)copy));
    }

    [Fact]
    public void The_logarithm_of_rounded_operations_is_accurate()
    {
        var random = new Random(3);
        for (var i = 0; i < 200_000; i++)
        {
            var x = (i & 1) == 0 ? random.NextDouble() : BitConverter.Int64BitsToDouble(random.NextInt64(0x0010000000000000, 0x7FF0000000000000));
            if (x < 2.3e-308)
                continue;
            var exact = Math.Log(x);
            Assert.True(Math.Abs(PortableMath.Log(x) - exact) <= 3 * (Math.BitIncrement(Math.Abs(exact)) - Math.Abs(exact)), $"ln {x}");
        }

        Assert.Equal(0, PortableMath.Log(1));
    }
}
