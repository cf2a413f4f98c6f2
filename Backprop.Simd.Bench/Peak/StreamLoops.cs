using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>The streams of an operation: how many arrays of a given length it reads and how many of them, or apart from them, it writes.</summary>
/// <param name="Reads">0 to 4.</param>
/// <param name="Writes">0 to 3.</param>
/// <param name="InPlace">Whether the arrays written are the first of those read.</param>
internal sealed record Streams(int Reads, int Writes, bool InPlace = false)
{
    public override string ToString() => $"{Reads} read, {Writes} written{(InPlace ? " in place" : "")}";
}

/// <summary>Loads and stores of an operation without its arithmetic: the limit of a memory-bound row.</summary>
/// <remarks>A value that is loaded and not stored is added to an accumulator, or the load would be dead.</remarks>
internal sealed unsafe class StreamLoop
{
    /// <summary>Elements by which arrays are shifted against each other: at equal offsets in their pages, loads wait for stores to another array.</summary>
    private const int Skew = 272;

    private readonly AlignedBuffer<float>[] _arrays;
    private readonly Streams _streams;
    private readonly int _length;
    private readonly ComputeContext? _context;

    /// <param name="streams">The streams.</param>
    /// <param name="bytes">Bytes of each.</param>
    /// <param name="context">The threads to use.</param>
    public StreamLoop(Streams streams, long bytes, ComputeContext? context)
    {
        _streams = streams;
        _length = checked((int)(bytes / sizeof(float)));
        _context = context;
        var count = streams.Reads + (streams.InPlace ? 0 : streams.Writes);
        _arrays = [.. Enumerable.Range(0, count).Select(i => new AlignedBuffer<float>(_length + i * Skew))];
    }

    /// <summary>The loops to take the fastest of: with the registers of the hardware, with 256 bits, with stores that bypass the caches.</summary>
    public IEnumerable<Action> Forms()
    {
        yield return () => Run(wide: true, nonTemporal: false);
        if (Vector512.IsHardwareAccelerated)
            yield return () => Run(wide: false, nonTemporal: false);
        // Arrays of more than 4 MB are written, and not in place.
        if (_streams is { Reads: > 0, Writes: 1, InPlace: false } && _length > 1 << 20 && Vector256.IsHardwareAccelerated)
            yield return () => Run(wide: false, nonTemporal: true);
    }

    private void Run(bool wide, bool nonTemporal)
    {
        var body = new Body(this, wide, nonTemporal);
        if (_context is null)
            body.Execute(0, _length);
        else
            _context.For(_length, 1024, _length * 0.1, in body);
    }

    private float* At(int array, int start) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_arrays[Math.Min(array, _arrays.Length - 1)].Span)) + Math.Min(array, _arrays.Length - 1) * Skew + start;

    private readonly struct Body(StreamLoop loop, bool wide, bool nonTemporal) : IRangeBody
    {
        public void Execute(int start, int limit)
        {
            var (reads, writes) = (loop._streams.Reads, loop._streams.Writes);
            var first = loop._streams.InPlace ? 0 : reads;
            float* r0 = loop.At(0, start), r1 = loop.At(1, start), r2 = loop.At(2, start), r3 = loop.At(3, start);
            float* w0 = loop.At(first, start), w1 = loop.At(first + 1, start), w2 = loop.At(first + 2, start);
            var count = limit - start;
            var sum = wide && Vector512.IsHardwareAccelerated
                ? Loop<Vector512Simd<float>, Vector512<float>>(count, reads, writes, nonTemporal, r0, r1, r2, r3, w0, w1, w2)
                : Loop<Vector256Simd<float>, Vector256<float>>(count, reads, writes, nonTemporal, r0, r1, r2, r3, w0, w1, w2);
            if (float.IsNaN(sum))
                throw new InvalidOperationException("The stream loop read a NaN.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Loop<TSimd, TVector>(int count, int reads, int writes, bool nonTemporal,
        float* r0, float* r1, float* r2, float* r3, float* w0, float* w1, float* w2)
        where TSimd : struct, ISimd<TVector, float>
        where TVector : struct
    {
        var step = TSimd.Count;
        TVector s0 = TSimd.Zero, s1 = s0, s2 = s0, s3 = s0;
        var i = 0;
        switch (reads, writes)
        {
            case (0, 1):
                for (; i <= count - step; i += step)
                    TSimd.Store(w0 + i, s0);
                break;
            case (1, 0):
                // Eight loads an iteration, four chains of additions: two loads a cycle and no chain shows.
                for (; i <= count - 8 * step; i += 8 * step)
                {
                    s0 = TSimd.Add(s0, TSimd.Load(r0 + i));
                    s1 = TSimd.Add(s1, TSimd.Load(r0 + i + step));
                    s2 = TSimd.Add(s2, TSimd.Load(r0 + i + 2 * step));
                    s3 = TSimd.Add(s3, TSimd.Load(r0 + i + 3 * step));
                    s0 = TSimd.Add(s0, TSimd.Load(r0 + i + 4 * step));
                    s1 = TSimd.Add(s1, TSimd.Load(r0 + i + 5 * step));
                    s2 = TSimd.Add(s2, TSimd.Load(r0 + i + 6 * step));
                    s3 = TSimd.Add(s3, TSimd.Load(r0 + i + 7 * step));
                }

                break;
            case (2, 0):
                for (; i <= count - 2 * step; i += 2 * step)
                {
                    s0 = TSimd.Add(s0, TSimd.Load(r0 + i));
                    s1 = TSimd.Add(s1, TSimd.Load(r1 + i));
                    s2 = TSimd.Add(s2, TSimd.Load(r0 + i + step));
                    s3 = TSimd.Add(s3, TSimd.Load(r1 + i + step));
                }

                break;
            case (1, 1) when nonTemporal:
                for (; i <= count - 2 * Vector256<float>.Count; i += 2 * Vector256<float>.Count)
                {
                    Vector256.Load(r0 + i).StoreAlignedNonTemporal(w0 + i);
                    Vector256.Load(r0 + i + Vector256<float>.Count).StoreAlignedNonTemporal(w0 + i + Vector256<float>.Count);
                }

                break;
            case (1, 1):
                for (; i <= count - 4 * step; i += 4 * step)
                {
                    TSimd.Store(w0 + i, TSimd.Load(r0 + i));
                    TSimd.Store(w0 + i + step, TSimd.Load(r0 + i + step));
                    TSimd.Store(w0 + i + 2 * step, TSimd.Load(r0 + i + 2 * step));
                    TSimd.Store(w0 + i + 3 * step, TSimd.Load(r0 + i + 3 * step));
                }

                break;
            case (2, 1) when nonTemporal:
                var s = Vector256<float>.Zero;
                for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
                {
                    s += Vector256.Load(r1 + i);
                    Vector256.Load(r0 + i).StoreAlignedNonTemporal(w0 + i);
                }

                s0 = TSimd.Broadcast(Vector256.Sum(s));
                break;
            case (2, 1):
                for (; i <= count - 4 * step; i += 4 * step)
                {
                    s0 = TSimd.Add(s0, TSimd.Load(r1 + i));
                    s1 = TSimd.Add(s1, TSimd.Load(r1 + i + step));
                    s2 = TSimd.Add(s2, TSimd.Load(r1 + i + 2 * step));
                    s3 = TSimd.Add(s3, TSimd.Load(r1 + i + 3 * step));
                    TSimd.Store(w0 + i, TSimd.Load(r0 + i));
                    TSimd.Store(w0 + i + step, TSimd.Load(r0 + i + step));
                    TSimd.Store(w0 + i + 2 * step, TSimd.Load(r0 + i + 2 * step));
                    TSimd.Store(w0 + i + 3 * step, TSimd.Load(r0 + i + 3 * step));
                }

                break;
            case (3, 2):
                for (; i <= count - step; i += step)
                {
                    s0 = TSimd.Add(s0, TSimd.Load(r2 + i));
                    TSimd.Store(w0 + i, TSimd.Load(r0 + i));
                    TSimd.Store(w1 + i, TSimd.Load(r1 + i));
                }

                break;
            case (4, 3):
                for (; i <= count - step; i += step)
                {
                    s0 = TSimd.Add(s0, TSimd.Load(r3 + i));
                    TSimd.Store(w0 + i, TSimd.Load(r0 + i));
                    TSimd.Store(w1 + i, TSimd.Load(r1 + i));
                    TSimd.Store(w2 + i, TSimd.Load(r2 + i));
                }

                break;
            default:
                throw new NotSupportedException($"No stream loop for {reads} read and {writes} written.");
        }

        return TSimd.Sum(TSimd.Add(TSimd.Add(s0, s1), TSimd.Add(s2, s3)));
    }
}
