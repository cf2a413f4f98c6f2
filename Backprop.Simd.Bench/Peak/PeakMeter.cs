using System.Numerics;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>The best FMA rate seen so far on a number of threads: the limit of what arithmetic can reach, measured again all along a run.</summary>
internal sealed class PeakMeter<T> : IDisposable
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Rounds at the start, widths taking turns.</summary>
    private const int Rounds = 12;

    private readonly ComputeContext? _context;
    private readonly int _threads;

    public PeakMeter(int threads)
    {
        _threads = threads;
        _context = threads == 1 ? null : new ComputeContext(threads);
        for (var round = 0; round < Rounds; round++)
        {
            Sample();
            if (Vector256.IsHardwareAccelerated)
                Gflops256 = Math.Max(Gflops256, Rate<Vector256Simd<T>, Vector256<T>>());
        }
    }

    /// <summary>GFLOP/s of all threads together with the widest registers of the hardware.</summary>
    public double Gflops { get; private set; }

    /// <summary>GFLOP/s with 256-bit registers; 0 without them.</summary>
    public double Gflops256 { get; private set; }

    /// <summary>Measures once more and keeps the best.</summary>
    public void Sample() => Gflops = Math.Max(Gflops, Vector512.IsHardwareAccelerated ? Rate<Vector512Simd<T>, Vector512<T>>()
        : Vector256.IsHardwareAccelerated ? Rate<Vector256Simd<T>, Vector256<T>>()
        : Rate<VectorSimd<T>, Vector<T>>());

    public void Dispose() => _context?.Dispose();

    private double Rate<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        const int Iterations = 100_000; // About 0.6 ms at 2 GHz: no longer than a sample of a case.
        var operations = Iterations * (double)FmaPeak.Operations<TSimd, TVector, T>();
        if (_context is null)
            return operations / FmaPeak.Nanoseconds<TSimd, TVector, T>(Iterations);
        var nanoseconds = new double[_threads];
        _context.RunOnEveryThread(new Body<TSimd, TVector>(nanoseconds, Iterations));
        return nanoseconds.Sum(ns => operations / ns);
    }

    private readonly struct Body<TSimd, TVector>(double[] nanoseconds, int iterations) : IRangeBody
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        public void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
                nanoseconds[i] = FmaPeak.Nanoseconds<TSimd, TVector, T>(iterations);
        }
    }
}
