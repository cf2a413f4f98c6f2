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
                Gflops256 = Math.Max(Gflops256, Rate<SimdVector256<T>>());
        }
    }

    /// <summary>GFLOP/s of all threads together with the widest registers of the hardware.</summary>
    public double Gflops { get; private set; }

    /// <summary>GFLOP/s with 256-bit registers; 0 without them.</summary>
    public double Gflops256 { get; private set; }

    /// <summary>Measures once more and keeps the best.</summary>
    public void Sample() => Gflops = Math.Max(Gflops, Vector512.IsHardwareAccelerated ? Rate<SimdVector512<T>>()
        : Vector256.IsHardwareAccelerated ? Rate<SimdVector256<T>>()
        : Rate<SimdVector<T>>());

    public void Dispose() => _context?.Dispose();

    private double Rate<TVector>()
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        const int Iterations = 100_000; // About 0.6 ms at 2 GHz: no longer than a sample of a case.
        var operations = Iterations * (double)FmaPeak.Operations<TVector, T>();
        if (_context is null)
            return operations / FmaPeak.Nanoseconds<TVector, T>(Iterations);
        var nanoseconds = new double[_threads];
        _context.RunOnEveryThread(new Body<TVector>(nanoseconds, Iterations));
        return nanoseconds.Sum(ns => operations / ns);
    }

    private readonly struct Body<TVector>(double[] nanoseconds, int iterations) : IRangeBody
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        public void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
                nanoseconds[i] = FmaPeak.Nanoseconds<TVector, T>(iterations);
        }
    }
}
