using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>A stream of random words, each a function of its position: <see cref="Philox"/> with a key and the high half of the counters.</summary>
/// <param name="Key">The key.</param>
/// <param name="CounterHigh">The high half of the counters.</param>
internal readonly record struct WordStream(ulong Key, ulong CounterHigh)
{
    /// <summary>The stream of one node in one step: key and counters are a block of <see cref="Philox"/> themselves.</summary>
    public static WordStream Of(ulong seed, long step, int node)
    {
        var (x, y, z, w) = Philox.Block((ulong)step, (ulong)(uint)node | 0x6472_6f70UL << 32, seed);
        return new(x | (ulong)y << 32, z | (ulong)w << 32);
    }
}

/// <summary>
/// y[i] = scale x[i], or 0 where word (first + i) of a stream, as a fraction of 2^32, is below p. The same elements in float and
/// double: p counts in multiples of 2^-23.
/// </summary>
internal static unsafe class Dropping
{
    /// <summary>Elements between two looks at the generator: a multiple of what a group of blocks gives.</summary>
    private const int Chunk = 512;

    /// <summary>Nanoseconds per element: mostly the generator's.</summary>
    private const double Cost = 0.8;

    /// <summary>y = what is kept, or y += it.</summary>
    public static void Run<T>(WordStream stream, ulong first, double p, double scale, ReadOnlySpan<T> x, Destination<T> y, ComputeContext? context,
        SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        SpanGuard.Supported<T>();
        SpanGuard.SameLength(x.Length, y.Span.Length);
        SpanGuard.SameStartOrDisjoint(x, y.Span, nameof(y));

        // A word's upper 23 bits, as the fraction of a number in [1, 2), are compared with 1 + p.
        var threshold = 1 + Math.Round(p * (1 << 23)) / (1 << 23);
        var body = new SimdRange<T, Body<T>>(new(stream, first, threshold, T.CreateTruncating(scale), x, y), width);
        if (context is not null)
            context.For(x.Length, Chunk, x.Length * Cost, in body);
        else if (!x.IsEmpty)
            body.Execute(0, x.Length);
    }

    private readonly ref struct Body<T>(WordStream stream, ulong first, double threshold, T scale, ReadOnlySpan<T> x, Destination<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Destination<T> _y = y;

        [SkipLocalsInit]
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            // Up to three words before the first that is wanted, a group of blocks and a register behind the last.
            const int Room = Chunk + 4 * PhiloxBlocks.Group + 64;
            var words = stackalloc uint[Room];
            var wide = stackalloc ulong[sizeof(T) == sizeof(ulong) ? Room : 1];
            fixed (T* x = _x, y = _y.Span)
            {
                for (var i = start; i < limit; i += Chunk)
                {
                    var n = Math.Min(Chunk, limit - i);
                    var word = first + (ulong)i;
                    var skipped = (int)(word % 4);
                    var blocks = (skipped + n + 3) / 4;
                    blocks = (blocks + PhiloxBlocks.Group - 1) / PhiloxBlocks.Group * PhiloxBlocks.Group;
                    PhiloxBlocks.Fill(word / 4, stream.CounterHigh, stream.Key, words, blocks);
                    var bits = (T*)(words + skipped);
                    if (sizeof(T) == sizeof(ulong))
                    {
                        Widen(words, wide, 4 * blocks);
                        bits = (T*)(wide + skipped);
                    }

                    Apply<TVector>(bits, x + i, y + i, n);
                }
            }
        }

        /// <summary>Whole registers, then the rest through padded ones: a last register that overlaps would add twice.</summary>
        private void Apply<TVector>(T* bits, T* x, T* y, int n) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var whole = n - n % TVector.Count;
            Loop<TVector>(bits, x, y, whole);
            var rest = n - whole;
            if (rest == 0)
                return;
            TVector lastX = MapLoops.LoadPadded<TVector, T>(x + whole, rest), lastY = MapLoops.LoadPadded<TVector, T>(y + whole, rest);
            Loop<TVector>(bits + whole, (T*)&lastX, (T*)&lastY, TVector.Count);
            MapLoops.StorePartial<TVector, T>(lastY, y + whole, rest);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private void Loop<TVector>(T* bits, T* x, T* y, int n) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var (factor, bound) = (TVector.Create(scale), TVector.Create(threshold));
            var fraction = TVector.IsSingle ? 9 : 12;
            var adds = _y.Adds;
            for (var i = 0; i < n; i += TVector.Count)
            {
                var uniform = TVector.ShiftBitsRight(TVector.Load(bits + i), fraction) | TVector.One;
                var kept = TVector.AndNot(TVector.Load(x + i) * factor, uniform < bound);
                TVector.Store(y + i, adds ? TVector.Load(y + i) + kept : kept);
            }
        }

        /// <summary>Words as the upper halves of 64 bits.</summary>
        private static void Widen(uint* words, ulong* wide, int n)
        {
            for (var i = 0; i < n; i += Vector256<uint>.Count)
            {
                var (lower, upper) = Vector256.Widen(Vector256.Load(words + i));
                (lower << 32).Store(wide + i);
                (upper << 32).Store(wide + i + Vector256<ulong>.Count);
            }
        }
    }
}
