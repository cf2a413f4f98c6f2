using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Bench;

/// <summary>The rate of a loop that does nothing but multiply-adds in registers: twelve independent chains, two floating-point operations per lane.</summary>
internal static class FmaPeak
{
    private const int Chains = 12;

    /// <summary>Runs <paramref name="iterations"/> of the loop and returns the nanoseconds it took.</summary>
    public static double Nanoseconds<TSimd, TVector, T>(int iterations)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var start = Stopwatch.GetTimestamp();
        var sum = Loop<TSimd, TVector, T>(iterations, T.CreateChecked(0.999), T.CreateChecked(0.001));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        if (T.IsNaN(sum))
            throw new InvalidOperationException("The peak loop computed NaN.");
        return elapsed;
    }

    /// <summary>Floating-point operations of one iteration.</summary>
    public static int Operations<TSimd, TVector, T>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged, IFloatingPointIeee754<T> => Chains * TSimd.Count * 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static T Loop<TSimd, TVector, T>(int iterations, T factor, T addend)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var f = TSimd.Broadcast(factor);
        var a = TSimd.Broadcast(addend);
        TVector c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (var i = 0; i < iterations; i++)
        {
            c0 = TSimd.MultiplyAdd(c0, f, a);
            c1 = TSimd.MultiplyAdd(c1, f, a);
            c2 = TSimd.MultiplyAdd(c2, f, a);
            c3 = TSimd.MultiplyAdd(c3, f, a);
            c4 = TSimd.MultiplyAdd(c4, f, a);
            c5 = TSimd.MultiplyAdd(c5, f, a);
            c6 = TSimd.MultiplyAdd(c6, f, a);
            c7 = TSimd.MultiplyAdd(c7, f, a);
            c8 = TSimd.MultiplyAdd(c8, f, a);
            c9 = TSimd.MultiplyAdd(c9, f, a);
            c10 = TSimd.MultiplyAdd(c10, f, a);
            c11 = TSimd.MultiplyAdd(c11, f, a);
        }

        var sum = TSimd.Add(TSimd.Add(TSimd.Add(c0, c1), TSimd.Add(c2, c3)), TSimd.Add(TSimd.Add(c4, c5), TSimd.Add(c6, c7)));
        return TSimd.Sum(TSimd.Add(sum, TSimd.Add(TSimd.Add(c8, c9), TSimd.Add(c10, c11))));
    }
}
