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
    public static double Nanoseconds<TVector, T>(int iterations)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var start = Stopwatch.GetTimestamp();
        var sum = Loop<TVector, T>(iterations, T.CreateChecked(0.999), T.CreateChecked(0.001));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        if (T.IsNaN(sum))
            throw new InvalidOperationException("The peak loop computed NaN.");
        return elapsed;
    }

    /// <summary>Floating-point operations of one iteration.</summary>
    public static int Operations<TVector, T>()
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T> => Chains * TVector.Count * 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static T Loop<TVector, T>(int iterations, T factor, T addend)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var f = TVector.Create(factor);
        var a = TVector.Create(addend);
        TVector c0 = a, c1 = a, c2 = a, c3 = a, c4 = a, c5 = a, c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a;
        for (var i = 0; i < iterations; i++)
        {
            TVector.AddProduct(ref c0, f, a);
            TVector.AddProduct(ref c1, f, a);
            TVector.AddProduct(ref c2, f, a);
            TVector.AddProduct(ref c3, f, a);
            TVector.AddProduct(ref c4, f, a);
            TVector.AddProduct(ref c5, f, a);
            TVector.AddProduct(ref c6, f, a);
            TVector.AddProduct(ref c7, f, a);
            TVector.AddProduct(ref c8, f, a);
            TVector.AddProduct(ref c9, f, a);
            TVector.AddProduct(ref c10, f, a);
            TVector.AddProduct(ref c11, f, a);
        }

        var sum = ((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7));
        return TVector.SumHalves(sum + ((c8 + c9) + (c10 + c11)));
    }
}
