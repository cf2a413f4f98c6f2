using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Vector arithmetic with the same bits on every machine: eight lanes whatever the width of the registers, each
/// multiplication and addition rounded on its own.</summary>
internal static class PortableVectors
{
    /// <summary>The sum of x[i] y[i]: sixteen chains, combined in a fixed tree, then what is left of the elements, one by one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Vector512<double> a = Vector512<double>.Zero, b = a;
        var i = 0;
        for (; i <= x.Length - 16; i += 16)
        {
            a += Vector512.Create(x[i..]) * Vector512.Create(y[i..]);
            b += Vector512.Create(x[(i + 8)..]) * Vector512.Create(y[(i + 8)..]);
        }

        a += b;
        var four = a.GetLower() + a.GetUpper();
        var two = four.GetLower() + four.GetUpper();
        var sum = two[0] + two[1];
        for (; i < x.Length; i++)
            sum += x[i] * y[i];
        return sum;
    }

    /// <summary>y[i] -= factor x[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SubtractScaled(double factor, ReadOnlySpan<double> x, Span<double> y)
    {
        var factors = Vector512.Create(factor);
        var i = 0;
        for (; i <= y.Length - 8; i += 8)
            (Vector512.Create<double>(y[i..]) - factors * Vector512.Create(x[i..])).CopyTo(y[i..]);
        for (; i < y.Length; i++)
            y[i] -= factor * x[i];
    }
}
