using System.Numerics;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Initializers;

public class InitializerTests
{
    private static T[] Fill<T>(Initializer initializer, int length, int fanIn = 300, int fanOut = 100, ulong seed = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var values = new T[length];
        var random = new Philox(seed, 0);
        initializer.Fill(values.AsSpan(), fanIn, fanOut, ref random);
        return values;
    }

    [Fact]
    public void Normal_values_are_the_stream_times_the_standard_deviation()
    {
        var random = new Philox(1, 0);
        foreach (var value in Fill<double>(Initialize.Normal(0.01), 1001))
            Assert.Equal(random.NextNormal() * 0.01, value);
    }

    [Fact]
    public void He_is_normal_with_variance_2_over_fan_in()
    {
        var values = Fill<double>(Initialize.He, 200_000);
        Assert.Equal(0, values.Average(), 1e-3);
        Assert.Equal(1, values.Average(v => v * v) / (2.0 / 300), 0.015);
        Assert.Equal(3, values.Average(v => v * v * v * v) / Math.Pow(2.0 / 300, 2), 0.1);
    }

    [Fact]
    public void Xavier_is_uniform_to_the_root_of_6_over_the_fans()
    {
        var limit = Math.Sqrt(6.0 / 400);
        var values = Fill<double>(Initialize.Xavier, 200_000);
        Assert.All(values, v => Assert.InRange(v, -limit, limit));
        Assert.Equal(limit, values.Max(), 1e-4);
        Assert.Equal(-limit, values.Min(), 1e-4);
        Assert.Equal(0, values.Average(), 1e-3);
        Assert.Equal(1, values.Average(v => v * v) / (limit * limit / 3), 0.01);
    }

    [Fact]
    public void Zeros_and_constants_draw_nothing()
    {
        var random = new Philox(1, 0);
        var values = Enumerable.Repeat(7f, 9).ToArray();
        Initialize.Zeros.Fill<float>(values, 0, 0, ref random);
        Assert.All(values, v => Assert.Equal(0, v));
        Initialize.Constant(0.1).Fill<float>(values, 0, 0, ref random);
        Assert.All(values, v => Assert.Equal(0.1f, v));
        Assert.True(random == new Philox(1, 0));
    }

    [Theory]
    [InlineData("Xavier", 13461805603989878470, 9969843895649056518, 1577439319, 1050433662)]
    [InlineData("He", 7436231591353830271, 4533487926749386638, 2559140898, 4102737747)]
    public void A_seed_gives_the_same_bits_on_every_machine(string name, ulong doubles, ulong floats, uint next, uint nextFromTheStart)
    {
        var initializer = name == "He" ? Initialize.He : Initialize.Xavier;
        var (inDouble, inFloat) = (new double[10_001], new float[10_001]);

        // From the middle of a block, and from its start; and where the stream stands afterwards.
        var random = new Philox(7, 3);
        random.NextUInt32();
        initializer.Fill<double>(inDouble, 300, 100, ref random);
        Assert.Equal(doubles, inDouble.Aggregate(0UL, (hash, x) => hash * 31 + BitConverter.DoubleToUInt64Bits(x)));
        Assert.Equal(next, random.NextUInt32());
        random = new Philox(7, 3);
        initializer.Fill<float>(inFloat, 300, 100, ref random);
        Assert.Equal(floats, inFloat.Aggregate(0UL, (hash, x) => hash * 31 + BitConverter.SingleToUInt32Bits(x)));
        Assert.Equal(nextFromTheStart, random.NextUInt32());
    }

    [Fact]
    public void Floats_are_the_rounded_doubles()
    {
        foreach (var initializer in (Initializer[])[Initialize.He, Initialize.Xavier, Initialize.Normal(3), Initialize.Constant(0.3)])
            Assert.Equal(Fill<double>(initializer, 100).Select(v => (float)v), Fill<float>(initializer, 100));
    }

    /// <summary>The same bits on every machine. An independent implementation in another language gave the same ones.</summary>
    [Fact]
    public void The_bits_are_golden()
    {
        Assert.Equal(GoldenHe, Fill<double>(Initialize.He, 4, seed: 20240229).Select(BitConverter.DoubleToUInt64Bits));
        Assert.Equal(GoldenXavier, Fill<double>(Initialize.Xavier, 4, seed: 20240229).Select(BitConverter.DoubleToUInt64Bits));
        Assert.Equal(GoldenNormal, Fill<float>(Initialize.Normal(0.01), 4, seed: 20240229).Select(BitConverter.SingleToUInt32Bits));
    }

    private static readonly ulong[] GoldenHe = [0x3FA6540A42DE03DF, 0xBF99E993161756BC, 0xBFC20086AFF7F6BF, 0x3F7D98B39872707D];

    private static readonly ulong[] GoldenXavier = [0x3FB8A71EC7921F31, 0xBFAC9C2D30C9D181, 0xBFADC4BA266DD098, 0x3F687879182F42C7];

    private static readonly uint[] GoldenNormal = [0x3BAF046C, 0xBB4B1C65, 0xBC8D1B52, 0x3A67FCF8];

    [Fact]
    public void Arguments_are_validated()
    {
        Assert.Equal("standardDeviation", Assert.Throws<ArgumentOutOfRangeException>(() => Initialize.Normal(-1)).ParamName);
        Assert.Equal("standardDeviation", Assert.Throws<ArgumentOutOfRangeException>(() => Initialize.Normal(double.NaN)).ParamName);
        Assert.Equal("fanIn", Assert.Throws<ArgumentOutOfRangeException>(() => Fill<float>(Initialize.He, 1, fanIn: 0)).ParamName);
        Assert.Equal("fanIn", Assert.Throws<ArgumentOutOfRangeException>(() => Fill<float>(Initialize.Xavier, 1, fanIn: 0)).ParamName);
        Assert.Equal("fanOut", Assert.Throws<ArgumentOutOfRangeException>(() => Fill<float>(Initialize.Xavier, 1, fanOut: -1)).ParamName);
    }
}
