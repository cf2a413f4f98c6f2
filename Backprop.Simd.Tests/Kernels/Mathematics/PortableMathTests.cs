using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Kernels;

public class PortableMathTests
{
    /// <summary>Bits that any machine must give: those of the same IEEE operations in another language.</summary>
    [Fact]
    public void The_same_bits_on_every_machine()
    {
        Assert.Equal(0.9, PortableMath.Power(0.9, 1));
        Assert.Equal(0x3fde9c6a99d1cdc0, BitConverter.DoubleToInt64Bits(PortableMath.Power(0.9, 7)));
        Assert.Equal(0x3fd788526411edac, BitConverter.DoubleToInt64Bits(PortableMath.Power(0.999, 1000)));
        Assert.Equal(0x3ed22391fb9458b0, BitConverter.DoubleToInt64Bits(PortableMath.Power(0.999, 12345)));
        Assert.Equal(0x3fefff2e4b97d31d, BitConverter.DoubleToInt64Bits(PortableMath.ExpOfNegative(-0.0001)));
        Assert.Equal(0x3fd78b56362cef38, BitConverter.DoubleToInt64Bits(PortableMath.ExpOfNegative(-1)));
        Assert.Equal(0x3e157a3afeed00ac, BitConverter.DoubleToInt64Bits(PortableMath.ExpOfNegative(-20.5)));
        Assert.Equal(0x00d14f2b0fb9307f, BitConverter.DoubleToInt64Bits(PortableMath.ExpOfNegative(-700)));
    }

    [Fact]
    public void Powers_and_exponentials_are_accurate()
    {
        foreach (var x in (double[])[0, 0.3, 0.9, 0.999, 1 - 1e-9, 1])
        {
            foreach (var n in (long[])[0, 1, 2, 3, 10, 1000, 123_456_789, 1L << 40, long.MaxValue])
            {
                // Each squaring doubles the relative error: it grows with n, where it counts beside 1.
                var exact = Math.Pow(x, n);
                Assert.Equal(exact, PortableMath.Power(x, n), n * 1.2e-16 * exact);
            }
        }

        Assert.Equal([1, 1, 0, 0], ((double[])[0, -0.0, -709, double.NegativeInfinity]).Select(PortableMath.ExpOfNegative));
        for (var x = -708.0; x < 0; x += 0.0173)
            Assert.Equal(1, PortableMath.ExpOfNegative(x) / Math.Exp(x), 5e-16);
    }
}
