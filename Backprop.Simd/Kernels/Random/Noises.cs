using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Noise of a node in a step: element i is a function of the stream and i, the same for any number of threads.</summary>
internal static unsafe class Noises
{
    /// <summary>Elements that are drawn together: of normal noise both halves of the pairs of <see cref="NormalNoise"/>.</summary>
    private const int Chunk = 256;

    /// <summary>Nanoseconds per element.</summary>
    private const double NormalCost = 4, UniformCost = 1.5;

    /// <summary>y += deviation n, n from the standard normal distribution.</summary>
    public static void AddNormal<T>(WordStream stream, double deviation, Span<T> y, ComputeContext compute) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        compute.For((y.Length + Chunk - 1) / Chunk, 1, NormalCost * y.Length, new NormalBody<T>(stream, deviation, y));
    }

    /// <summary>y = u, uniform in [0, 1): a multiple of 2^-24.</summary>
    public static void Uniform<T>(WordStream stream, Span<T> y, ComputeContext compute) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        compute.For((y.Length + Chunk - 1) / Chunk, 1, UniformCost * y.Length, new UniformBody<T>(stream, -1, y));
    }

    /// <summary>y = 1 with probability p, which counts in multiples of 2^-24, else 0.</summary>
    public static void Bernoulli<T>(WordStream stream, double p, Span<T> y, ComputeContext compute) where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        compute.For((y.Length + Chunk - 1) / Chunk, 1, UniformCost * y.Length, new UniformBody<T>(stream, (long)Math.Round(p * (1 << 24)), y));
    }

    /// <summary>y = the channels of x, [rows, positions, channels], each times its factor, 0 where that is 0; or y += it.</summary>
    public static void ScaleChannels<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> factors, int positions, int channels, Destination<T> y, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        SpanGuard.SameLength(x.Length, y.Span.Length);
        SpanGuard.SameLength(x.Length, factors.Length * positions);
        var body = new SimdRange<T, ChannelBody<T>>(new(x, factors, positions, channels, y), RegisterWidth.OfColumns<T>(channels));
        compute.For(x.Length / channels, 1, 0.2 * x.Length, in body);
    }

    private readonly ref struct NormalBody<T>(WordStream stream, double deviation, Span<T> y) : IRangeBody where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Span<T> _y = y;

        [SkipLocalsInit]
        public void Execute(int start, int limit)
        {
            var scratch = stackalloc T[NormalNoise.Scratch];
            var first = start * Chunk;
            var part = _y[first..Math.Min(limit * Chunk, _y.Length)];
            NormalNoise.Add(stream, deviation, part, new Span<T>(scratch, NormalNoise.Scratch), (ulong)first / 4);
        }
    }

    private readonly ref struct UniformBody<T>(WordStream stream, long threshold, Span<T> y) : IRangeBody where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Span<T> _y = y;

        [SkipLocalsInit]
        public void Execute(int start, int limit)
        {
            var words = stackalloc uint[Chunk];
            for (var chunk = start; chunk < limit; chunk++)
            {
                PhiloxBlocks.Fill((ulong)chunk * Chunk / 4, stream.CounterHigh, stream.Key, words, Chunk / 4);
                var part = _y[(chunk * Chunk)..Math.Min((chunk + 1) * Chunk, _y.Length)];
                for (var i = 0; i < part.Length; i++)
                {
                    var number = words[i] >> 8;
                    part[i] = threshold < 0 ? T.CreateTruncating(number) * T.CreateTruncating(1.0 / (1 << 24)) : number < threshold ? T.One : T.Zero;
                }
            }
        }
    }

    private readonly ref struct ChannelBody<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> factors, int positions, int channels, Destination<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _factors = factors;
        private readonly Destination<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* x = _x, factors = _factors, y = _y.Span)
            {
                for (var item = start; item < limit; item++)
                {
                    T* from = x + (nint)item * channels, to = y + (nint)item * channels, by = factors + (nint)(item / positions) * channels;
                    if (_y.Adds || channels < TVector.Count)
                        Narrow(from, by, to);
                    else
                        Wide<TVector>(from, by, to);
                }
            }
        }

        private void Narrow(T* from, T* by, T* to)
        {
            for (var c = 0; c < channels; c++)
            {
                var value = by[c] == T.Zero ? T.Zero : from[c] * by[c];
                to[c] = _y.Adds ? to[c] + value : value;
            }
        }

        /// <summary>The last register may overlap the one before, and is read first, because y may be x.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Wide<TVector>(T* from, T* by, T* to) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            nint last = channels - TVector.Count;
            TVector lastFactor = TVector.Load(by + last), lastValue = TVector.Load(from + last);
            for (nint c = 0; c < last; c += TVector.Count)
            {
                var factor = TVector.Load(by + c);
                TVector.Store(to + c, TVector.AndNot(TVector.Load(from + c) * factor, TVector.Equal(factor, TVector.Zero)));
            }

            TVector.Store(to + last, TVector.AndNot(lastValue * lastFactor, TVector.Equal(lastFactor, TVector.Zero)));
        }
    }
}
