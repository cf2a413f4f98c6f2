using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public sealed class ByteScalingTests
{
    [Fact]
    public void Float_quotients_are_exact_at_every_length_and_width() => Check<float>();

    [Fact]
    public void Double_quotients_are_exact_at_every_length_and_width() => Check<double>();

    [Fact]
    public void Usual_maxima_need_no_division()
    {
        foreach (var maximum in (double[])[255, 1, 16, 100, 127.5])
        {
            Assert.Equal(Intrinsics.SimdBits.IsFused, new ByteScale<float>(maximum).IsCorrected);
            Assert.Equal(Intrinsics.SimdBits.IsFused, new ByteScale<double>(maximum).IsCorrected);
        }
    }

    private static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The quotient of a subnormal divisor overflows its reciprocal: those are divided.
        foreach (var maximum in (double[])[255, 16, 3, 0.7, typeof(T) == typeof(float) ? 1e-44 : 1e-320])
        {
            var scale = new ByteScale<T>(maximum);
            foreach (var width in (SimdWidth[])[SimdWidth.Widest, SimdWidth.Portable, SimdWidth.Bits128, SimdWidth.Bits256, SimdWidth.Bits512])
            {
                for (var n = 0; n <= 4 * 64 / Unsafe.SizeOf<T>() + 3; n++)
                {
                    foreach (var atEnd in (bool[])[true, false])
                        Check(scale, width, n, atEnd);
                }
            }
        }
    }

    private static void Check<T>(ByteScale<T> scale, SimdWidth width, int n, bool atEnd) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using GuardedMemory memoryX = new(n), memoryY = new(8 * n);
        var x = atEnd ? memoryX.AtEnd<byte>(n) : memoryX.AtStart<byte>(n);
        var y = atEnd ? memoryY.AtEnd<T>(n) : memoryY.AtStart<T>(n);
        for (var i = 0; i < n; i++)
            x[i] = (byte)(i * 37 + n);
        ByteScaling.Divide(scale, x, y, width);
        for (var i = 0; i < n; i++)
            Assert.Equal(T.CreateTruncating(x[i]) / scale.Maximum, y[i]);
        memoryY.AssertUntouched<T>(y, $"{width}, {n} bytes");
    }
}
