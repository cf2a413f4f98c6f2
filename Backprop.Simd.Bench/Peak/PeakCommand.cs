using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>Prints the machine's FMA peak and <see cref="Gemm"/> as a percentage of it, both measured in interleaved rounds.</summary>
internal static class PeakCommand
{
    private static readonly int[] Sizes = [16, 32, 64, 128, 256, 512, 1024, 2048];

    public static int Run(bool quick)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Console.WriteLine($"{Environment.ProcessorCount} processors, Vector<T> {Vector<byte>.Count * 8} bits, "
            + $"256 bits {(Vector256.IsHardwareAccelerated ? "yes" : "no")}, 512 bits {(Vector512.IsHardwareAccelerated ? "yes" : "no")}, "
            + $".NET {Environment.Version}");
        Report<float>("float", quick);
        Report<double>("double", quick);
        return 0;
    }

    private static void Report<T>(string type, bool quick)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var cores = Environment.ProcessorCount;
        var columns = new List<(string Name, SimdWidth Width, int Threads, Func<double> Peak)>();
        if (Vector512.IsHardwareAccelerated)
            columns.Add(("512 bits", SimdWidth.Bits512, 1, PeakOf<SimdVector512<T>, T>(1)));
        if (Vector256.IsHardwareAccelerated)
            columns.Add(("256 bits", SimdWidth.Bits256, 1, PeakOf<SimdVector256<T>, T>(1)));
        columns.Add(("Vector<T>", SimdWidth.Portable, 1, PeakOf<SimdVector<T>, T>(1)));
        if (cores > 1)
        {
            var all = Vector512.IsHardwareAccelerated ? PeakOf<SimdVector512<T>, T>(cores)
                : Vector256.IsHardwareAccelerated ? PeakOf<SimdVector256<T>, T>(cores)
                : PeakOf<SimdVector<T>, T>(cores);
            columns.Add(($"all {cores} cores", SimdWidth.Widest, cores, all));
        }

        using var team = new ComputeContext(cores);
        var peaks = new double[columns.Count];
        for (var round = 0; round < (quick ? 6 : 12); round++)
        {
            for (var i = 0; i < columns.Count; i++)
                peaks[i] = Math.Max(peaks[i], columns[i].Peak());
        }

        var rows = new List<double[]>();
        foreach (var size in Sizes)
        {
            var best = new double[columns.Count];
            var problem = new Square<T>(size);
            var rounds = quick ? 6 : Math.Max(12, 40_000_000 / (size * size * size / 8 + 1) is var r && r > 30 ? 30 : r);
            for (var round = 0; round < rounds; round++)
            {
                for (var i = 0; i < columns.Count; i++)
                {
                    peaks[i] = Math.Max(peaks[i], columns[i].Peak());
                    best[i] = Math.Max(best[i], problem.Gflops(columns[i].Width, columns[i].Threads == 1 ? null : team));
                }
            }

            rows.Add(best);
        }

        Console.WriteLine();
        Console.WriteLine($"{type,-18}" + string.Concat(columns.Select(c => $"{c.Name,20}")));
        Console.WriteLine($"{"FMA peak",-18}" + string.Concat(peaks.Select(p => $"{p,13:F1} GFLOP/s".PadLeft(20))));
        for (var i = 0; i < Sizes.Length; i++)
            Console.WriteLine($"{"gemm " + Sizes[i],-18}" + string.Concat(rows[i].Select((g, j) => $"{g,12:F1} {100 * g / peaks[j],5:F1} %".PadLeft(20))));
    }

    private static Func<double> PeakOf<TVector, T>(int threads)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Iterations = 1_000_000; // About as long as a sample of Gemm.
        double Once() => Iterations * (double)FmaPeak.Operations<TVector, T>() / FmaPeak.Nanoseconds<TVector, T>(Iterations);
        if (threads == 1)
            return Once;
        return () =>
        {
            var sum = 0.0;
            var gate = new Lock();
            using var barrier = new Barrier(threads);
            var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
            {
                barrier.SignalAndWait();
                var best = Math.Max(Once(), Once());
                lock (gate)
                    sum += best;
            })).ToArray();
            Array.ForEach(workers, w => w.Start());
            Array.ForEach(workers, w => w.Join());
            return sum;
        };
    }

    private sealed class Square<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly int _size;
        private readonly int _repeats;
        private readonly AlignedBuffer<T> _a, _b, _c;

        public Square(int size)
        {
            _size = size;
            _a = new(size * size);
            _b = new(size * size);
            _c = new(size * size);
            for (var i = 0; i < size * size; i++)
            {
                _a.Span[i] = T.CreateChecked(i % 13 - 6);
                _b.Span[i] = T.CreateChecked(i % 7 - 3);
            }

            // A sample lasts at least about a millisecond.
            _repeats = (int)Math.Max(1, 50e6 / ((double)size * size * size));
        }

        public double Gflops(SimdWidth width, ComputeContext? context)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < _repeats; i++)
            {
                GemmDispatch.Run(new ReadOnlyMatrix<T>(_a.Span, _size, _size), new ReadOnlyMatrix<T>(_b.Span, _size, _size), default,
                    new Matrix<T>(_c.Span, _size, _size), new(GemmForm.Overwrite), context, width);
            }

            return 2.0 * _size * _size * _size * _repeats / Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        }
    }
}
