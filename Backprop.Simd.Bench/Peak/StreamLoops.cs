using System.Numerics;
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

/// <summary>Loads and stores of an operation, over its own arrays, without its arithmetic: the limit of a memory-bound row.</summary>
/// <remarks>
/// A value that is loaded and not stored would be dead: it goes into the maximum with a stored one, or of all. That is one instruction
/// without a chain from store to store, and no value grows or vanishes over millions of passes in place.
/// </remarks>
internal sealed unsafe class StreamLoop<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Bytes of an array above which stores that bypass the caches may be faster.</summary>
    private const int LargeArray = 4 << 20;

    private static T _sink;

    private readonly AlignedBuffer<T>[] _arrays;

    /// <summary>Where those read begin, and those written; the blocks are pinned. A pass of a small array must not spend its time on this.</summary>
    private readonly T* _r0, _r1, _r2, _r3, _w0, _w1, _w2;

    private readonly Streams _streams;
    private readonly int _length;
    private readonly ComputeContext? _context;

    /// <param name="streams">The streams.</param>
    /// <param name="context">The threads to use.</param>
    /// <param name="arrays">Those read, then those written unless in place, of one length; those that are lacking are made.</param>
    public StreamLoop(Streams streams, ComputeContext? context, params IReadOnlyList<AlignedBuffer<T>> arrays)
    {
        _streams = streams;
        _length = arrays[0].Length;
        _context = context;
        var count = streams.Reads + (streams.InPlace ? 0 : streams.Writes);
        _arrays = [.. Enumerable.Range(0, count).Select(i => i < arrays.Count ? arrays[i] : new AlignedBuffer<T>(_length))];
        var first = streams.InPlace ? 0 : streams.Reads;
        _r0 = At(0);
        _r1 = At(1);
        _r2 = At(2);
        _r3 = At(3);
        _w0 = At(first);
        _w1 = At(first + 1);
        _w2 = At(first + 2);
    }

    /// <summary>How a pass is made; which is the fastest depends on where the arrays lie.</summary>
    private enum Form
    {
        Plain,
        Unrolled,
        NonTemporal,
    }

    /// <summary>
    /// The candidates, of which the fastest counts: with the widest registers and with 256 bits, plain and unrolled, and with stores that
    /// bypass the caches.
    /// </summary>
    public IEnumerable<Action> Forms()
    {
        foreach (var form in new[] { Form.Plain, Form.Unrolled })
        {
            yield return () => Run(wide: true, form);
            if (Vector512.IsHardwareAccelerated)
                yield return () => Run(wide: false, form);
        }

        if (_streams is { Reads: > 0, Writes: 1, InPlace: false } && (long)_length * Unsafe.SizeOf<T>() > LargeArray && Vector256.IsHardwareAccelerated)
            yield return () => Run(wide: false, Form.NonTemporal);
    }

    private void Run(bool wide, Form form)
    {
        var body = new Body(this, wide, form);
        if (_context is null)
            body.Execute(0, _length);
        else
            _context.For(_length, 1024, _length * 0.1, in body);
    }

    private T* At(int array) => (T*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_arrays[Math.Min(array, _arrays.Length - 1)].Span));

    private readonly struct Body(StreamLoop<T> loop, bool wide, Form form) : IRangeBody
    {
        public void Execute(int start, int limit)
        {
            var (reads, writes) = (loop._streams.Reads, loop._streams.Writes);
            T* r0 = loop._r0 + start, r1 = loop._r1 + start, r2 = loop._r2 + start, r3 = loop._r3 + start;
            T* w0 = loop._w0 + start, w1 = loop._w1 + start, w2 = loop._w2 + start;
            var count = limit - start;
            _sink = form == Form.NonTemporal ? NonTemporal(count, reads, r0, r1, w0)
                : wide && Vector512.IsHardwareAccelerated ? Loop<SimdVector512<T>>(count, reads, writes, form == Form.Unrolled, r0, r1, r2, r3, w0, w1, w2)
                : Loop<SimdVector256<T>>(count, reads, writes, form == Form.Unrolled, r0, r1, r2, r3, w0, w1, w2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Loop<TVector>(int count, int reads, int writes, bool unrolled, T* r0, T* r1, T* r2, T* r3, T* w0, T* w1, T* w2)
        where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var step = TVector.Count;
        // Of an unrolled pass, what four vectors at a time cover; plain loops do the rest.
        var blocks = unrolled ? count - 4 * step : -1;
        TVector s0 = TVector.Zero, s1 = s0, s2 = s0, s3 = s0;
        var i = 0;
        switch (reads, writes)
        {
            case (0, 1):
                for (; i <= count - step; i += step)
                    TVector.Store(w0 + i, s0);
                break;
            case (1, 0):
                TVector s4 = s0, s5 = s0, s6 = s0, s7 = s0;
                for (; i <= count - 8 * step; i += 8 * step)
                {
                    s0 = TVector.Max(TVector.Load(r0 + i), s0);
                    s1 = TVector.Max(TVector.Load(r0 + i + step), s1);
                    s2 = TVector.Max(TVector.Load(r0 + i + 2 * step), s2);
                    s3 = TVector.Max(TVector.Load(r0 + i + 3 * step), s3);
                    s4 = TVector.Max(TVector.Load(r0 + i + 4 * step), s4);
                    s5 = TVector.Max(TVector.Load(r0 + i + 5 * step), s5);
                    s6 = TVector.Max(TVector.Load(r0 + i + 6 * step), s6);
                    s7 = TVector.Max(TVector.Load(r0 + i + 7 * step), s7);
                }

                s0 = TVector.Max(TVector.Max(s4, s5), TVector.Max(s0, TVector.Max(s6, s7)));
                break;
            case (2, 0):
                for (; i <= count - 2 * step; i += 2 * step)
                {
                    s0 = TVector.Max(TVector.Load(r0 + i), s0);
                    s1 = TVector.Max(TVector.Load(r1 + i), s1);
                    s2 = TVector.Max(TVector.Load(r0 + i + step), s2);
                    s3 = TVector.Max(TVector.Load(r1 + i + step), s3);
                }

                break;
            case (1, 1):
                for (; i <= blocks; i += 4 * step)
                {
                    TVector x0 = TVector.Load(r0 + i), x1 = TVector.Load(r0 + i + step);
                    TVector x2 = TVector.Load(r0 + i + 2 * step), x3 = TVector.Load(r0 + i + 3 * step);
                    TVector.Store(w0 + i, x0);
                    TVector.Store(w0 + i + step, x1);
                    TVector.Store(w0 + i + 2 * step, x2);
                    TVector.Store(w0 + i + 3 * step, x3);
                }

                for (; i <= count - step; i += step)
                    TVector.Store(w0 + i, TVector.Load(r0 + i));
                break;
            case (2, 1):
                for (; i <= blocks; i += 4 * step)
                {
                    // Loads come first: a load may wait for a store of before to an address with the same lower bits.
                    TVector x0 = TVector.Load(r0 + i), x1 = TVector.Load(r0 + i + step);
                    TVector x2 = TVector.Load(r0 + i + 2 * step), x3 = TVector.Load(r0 + i + 3 * step);
                    TVector y0 = TVector.Load(r1 + i), y1 = TVector.Load(r1 + i + step);
                    TVector y2 = TVector.Load(r1 + i + 2 * step), y3 = TVector.Load(r1 + i + 3 * step);
                    TVector.Store(w0 + i, TVector.Max(x0, y0));
                    TVector.Store(w0 + i + step, TVector.Max(x1, y1));
                    TVector.Store(w0 + i + 2 * step, TVector.Max(x2, y2));
                    TVector.Store(w0 + i + 3 * step, TVector.Max(x3, y3));
                }

                for (; i <= count - step; i += step)
                    TVector.Store(w0 + i, TVector.Max(TVector.Load(r0 + i), TVector.Load(r1 + i)));
                break;
            case (3, 2):
                for (; i <= count - step; i += step)
                {
                    TVector.Store(w0 + i, TVector.Max(TVector.Load(r0 + i), TVector.Load(r2 + i)));
                    TVector.Store(w1 + i, TVector.Load(r1 + i));
                }

                break;
            case (4, 3):
                for (; i <= count - step; i += step)
                {
                    TVector.Store(w0 + i, TVector.Max(TVector.Load(r0 + i), TVector.Load(r3 + i)));
                    TVector.Store(w1 + i, TVector.Load(r1 + i));
                    TVector.Store(w2 + i, TVector.Load(r2 + i));
                }

                break;
            default:
                throw new NotSupportedException($"No stream loop for {reads} read and {writes} written.");
        }

        return TVector.Sum(TVector.Max(TVector.Max(s0, s1), TVector.Max(s2, s3)));
    }

    /// <summary>One or two arrays read, one written past the caches; buffers start at a cache line, ranges at multiples of one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T NonTemporal(int count, int reads, T* r0, T* r1, T* w)
    {
        var step = Vector256<T>.Count;
        var i = 0;
        if (reads == 1)
        {
            for (; i <= count - step; i += step)
                Vector256.Load(r0 + i).StoreAlignedNonTemporal(w + i);
        }
        else
        {
            for (; i <= count - step; i += step)
                Vector256.MaxNative(Vector256.Load(r0 + i), Vector256.Load(r1 + i)).StoreAlignedNonTemporal(w + i);
        }

        return T.Zero;
    }
}
