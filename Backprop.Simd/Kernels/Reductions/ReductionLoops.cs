using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The loops under <see cref="Reductions"/>, on the widest registers that the length fills: the order of operations follows from
/// the length and the machine's registers alone.
/// </summary>
internal static unsafe class ReductionLoops
{
    /// <summary>Independent chains: the latency of an addition, times the additions that can start in a cycle.</summary>
    private const int Chains = 8;

    /// <summary>Additions in T, one after the other, in each chain of a block; bounds the rounding. Longer sums go on in double.</summary>
    private const int ChainLength = 16;

    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    /// <summary>Adds a term of a sum to an accumulator. The term of zeros is 0.</summary>
    internal interface ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T>;
    }

    /// <summary>A function before a maximum.</summary>
    internal interface IProjection<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T>;
    }

    /// <summary>The sum of the terms over two spans of one length.</summary>
    public static double Pairwise<T, TTerm>(TTerm term, ReadOnlySpan<T> x, ReadOnlySpan<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        double sum;
        fixed (T* px = x, py = y)
            new SimdRange<T, SumBody<T, TTerm>>(new(term, px, py, &sum), SimdWidth.Widest).Execute(0, x.Length);
        return sum;
    }

    /// <summary>The sums of blocks meet pairwise.</summary>
    public static double Pairwise<TVector, T, TTerm>(TTerm term, T* x, T* y, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        nint block = Chains * ChainLength * TVector.Count;
        if (n <= block)
            return Block<TVector, T, TTerm>(term, x, y, n);
        Unsafe.SkipInit(out PairwiseSum sum);
        sum.Clear();
        for (; n > 0; n -= block, x += block, y += block)
            sum.Add(n >= block ? WholeBlock<TVector, T, TTerm>(term, x, y) : Block<TVector, T, TTerm>(term, x, y, n));
        return sum.Total;
    }

    [MethodImpl(Loop)]
    private static double WholeBlock<TVector, T, TTerm>(TTerm term, T* x, T* y)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        TVector a = TVector.Zero, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        nint count = TVector.Count;
        for (nint i = 0; i < ChainLength; i++, x += Chains * count, y += Chains * count)
        {
            a = term.Add(x, y, a);
            b = term.Add(x + count, y + count, b);
            c = term.Add(x + 2 * count, y + 2 * count, c);
            d = term.Add(x + 3 * count, y + 3 * count, d);
            e = term.Add(x + 4 * count, y + 4 * count, e);
            f = term.Add(x + 5 * count, y + 5 * count, f);
            g = term.Add(x + 6 * count, y + 6 * count, g);
            h = term.Add(x + 7 * count, y + 7 * count, h);
        }

        return double.CreateTruncating(TVector.Sum((a + b) + (c + d) + ((e + f) + (g + h))));
    }

    /// <summary>Up to a block: four chains, then single registers, then a padded one.</summary>
    [MethodImpl(Loop)]
    private static double Block<TVector, T, TTerm>(TTerm term, T* x, T* y, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        TVector a = TVector.Zero, b = a, c = a, d = a;
        nint count = TVector.Count;
        for (; n >= 4 * count; n -= 4 * count, x += 4 * count, y += 4 * count)
        {
            a = term.Add(x, y, a);
            b = term.Add(x + count, y + count, b);
            c = term.Add(x + 2 * count, y + 2 * count, c);
            d = term.Add(x + 3 * count, y + 3 * count, d);
        }

        for (; n >= count; n -= count, x += count, y += count)
            a = term.Add(x, y, a);
        if (n > 0)
            b = Tail<TVector, T, TTerm>(term, x, y, n, b);
        return double.CreateTruncating(TVector.Sum((a + b) + (c + d)));
    }

    /// <summary>Less than a register.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TVector Tail<TVector, T, TTerm>(TTerm term, T* x, T* y, nint n, TVector sum)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        TVector px = MapLoops.LoadPadded<TVector, T>(x, n), py = MapLoops.LoadPadded<TVector, T>(y, n);
        return term.Add((T*)&px, (T*)&py, sum);
    }

    /// <summary>The largest of at least one projected element; NaN if any is NaN.</summary>
    public static T Max<T, TProjection>(TProjection projection, ReadOnlySpan<T> x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TProjection : struct, IProjection<T>
    {
        T largest;
        fixed (T* px = x)
            new SimdRange<T, MaxBody<T, TProjection>>(new(projection, px, &largest), SimdWidth.Widest).Execute(0, x.Length);
        return largest;
    }

    public static T Max<TVector, T, TProjection>(TProjection projection, T* x, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TProjection : struct, IProjection<T>
    {
        if (n < TVector.Count)
        {
            var padded = TVector.Create(*x);
            Unsafe.CopyBlockUnaligned(&padded, x, (uint)(n * sizeof(T)));
            return Max<TVector, T, TProjection>(projection, (T*)&padded, TVector.Count);
        }

        var largest = Largest<TVector, T, TProjection>(projection, x, n, out var isSuspect);
        return isSuspect && HasNaN<TVector, T>(x, n) ? T.NaN : largest;
    }

    /// <summary>The largest of at least a register, if none is NaN. Suspect if any is NaN or infinite: a maximum forgets NaN, but 0
    /// times the element does not.</summary>
    [MethodImpl(Loop)]
    private static T Largest<TVector, T, TProjection>(TProjection projection, T* x, nint n, out bool isSuspect)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TProjection : struct, IProjection<T>
    {
        nint count = TVector.Count;
        var last = x + (n - count);
        TVector vector = TVector.Load(last), zero = TVector.Zero;
        var sa = TVector.MultiplyAdd(vector, zero, zero);
        TVector a = projection.Invoke(vector), b = a, c = a, d = a, sb = sa, sc = sa, sd = sa;
        for (; x + 3 * count < last; x += 4 * count)
        {
            vector = TVector.Load(x);
            a = TVector.Max(a, projection.Invoke(vector));
            sa = TVector.MultiplyAdd(vector, zero, sa);
            vector = TVector.Load(x + count);
            b = TVector.Max(b, projection.Invoke(vector));
            sb = TVector.MultiplyAdd(vector, zero, sb);
            vector = TVector.Load(x + 2 * count);
            c = TVector.Max(c, projection.Invoke(vector));
            sc = TVector.MultiplyAdd(vector, zero, sc);
            vector = TVector.Load(x + 3 * count);
            d = TVector.Max(d, projection.Invoke(vector));
            sd = TVector.MultiplyAdd(vector, zero, sd);
        }

        for (; x < last; x += count)
        {
            vector = TVector.Load(x);
            b = TVector.Max(b, projection.Invoke(vector));
            sb = TVector.MultiplyAdd(vector, zero, sb);
        }

        isSuspect = T.IsNaN(TVector.Sum((sa + sb) + (sc + sd)));
        return Lanes.Largest<TVector, T>(TVector.Max(TVector.Max(a, b), TVector.Max(c, d)));
    }

    [MethodImpl(Loop)]
    private static bool HasNaN<TVector, T>(T* x, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var last = x + (n - TVector.Count);
        var found = TVector.IsNaN(TVector.Load(last));
        for (; x < last; x += TVector.Count)
            found |= TVector.IsNaN(TVector.Load(x));
        return T.IsNaN(TVector.Sum(found)); // A mask of ones is NaN.
    }

    private readonly struct SumBody<T, TTerm>(TTerm term, T* x, T* y, double* sum) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TTerm : struct, ITerm<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T> =>
            *sum = Pairwise<TVector, T, TTerm>(term, x + start, y + start, limit - start);
    }

    private readonly struct MaxBody<T, TProjection>(TProjection projection, T* x, T* largest) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TProjection : struct, IProjection<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T> =>
            *largest = Max<TVector, T, TProjection>(projection, x + start, limit - start);
    }

    internal readonly struct SumTerm<T> : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T> => sum + TVector.Load(x);
    }

    internal readonly struct DotTerm<T> : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.MultiplyAdd(TVector.Load(x), TVector.Load(y), sum);
    }

    internal readonly struct SquareTerm<T> : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var value = TVector.Load(x);
            return TVector.MultiplyAdd(value, value, sum);
        }
    }

    internal readonly struct ScaledSquareTerm<T>(T scale) : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var scaled = TVector.Load(x) * TVector.Create(scale);
            return TVector.MultiplyAdd(scaled, scaled, sum);
        }
    }

    internal readonly struct FiniteTerm<T> : ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.MultiplyAdd(TVector.Load(x), TVector.Zero, sum);
    }

    internal readonly struct Identity<T> : IProjection<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => x;
    }

    internal readonly struct Magnitude<T> : IProjection<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.Abs(x);
    }

    internal readonly struct Negative<T> : IProjection<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => -x;
    }
}
