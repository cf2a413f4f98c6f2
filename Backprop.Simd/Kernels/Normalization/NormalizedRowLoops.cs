using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The loops along one normalized row. Sums run in four chains, blocks of them meet pairwise in double: the order follows from the
/// length and the register width. Less than a register goes through a padded one.
/// </summary>
internal static unsafe class NormalizedRowLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    /// <summary>Turns of four registers that are summed in T; bounds the rounding.</summary>
    private const int Turns = 32;

    /// <summary>The sums of x - center and of its square.</summary>
    public static void Deviations<TVector, T>(T* x, nint n, T center, out double sum, out double squares)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint block = 4 * Turns * TVector.Count;
        if (n <= block)
        {
            var (s, q) = DeviationBlock<TVector, T>(x, n, center);
            (sum, squares) = (double.CreateTruncating(s), double.CreateTruncating(q));
            return;
        }

        PairwiseSum sums = default, ofSquares = default;
        for (; n > 0; n -= block, x += block)
        {
            var (s, q) = DeviationBlock<TVector, T>(x, Math.Min(n, block), center);
            sums.Add(double.CreateTruncating(s));
            ofSquares.Add(double.CreateTruncating(q));
        }

        (sum, squares) = (sums.Total, ofSquares.Total);
    }

    /// <summary>The sums of g = dy weight and of g (x - center); without a weight, it is 1.</summary>
    public static void Products<TVector, T>(T* x, T* dy, T* weight, nint n, T center, out double sum, out double products)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint block = 4 * Turns * TVector.Count;
        if (n <= block)
        {
            var (s, p) = ProductBlock<TVector, T>(x, dy, weight, n, center);
            (sum, products) = (double.CreateTruncating(s), double.CreateTruncating(p));
            return;
        }

        PairwiseSum sums = default, ofProducts = default;
        for (; n > 0; n -= block, x += block, dy += block)
        {
            var (s, p) = ProductBlock<TVector, T>(x, dy, weight, Math.Min(n, block), center);
            sums.Add(double.CreateTruncating(s));
            ofProducts.Add(double.CreateTruncating(p));
            weight = weight is null ? null : weight + block;
        }

        (sum, products) = (sums.Total, ofProducts.Total);
    }

    /// <summary>y = ((x - center) scale + shift) weight + bias; without a weight it is 1, without a bias it is 0.</summary>
    [MethodImpl(Loop)]
    public static void Normalize<TVector, T>(T* x, T* y, T* weight, T* bias, nint n, T center, T scale, T shift)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        TVector m = TVector.Create(center), a = TVector.Create(scale), b = TVector.Create(shift);
        var full = n - TVector.Count;
        if (full < 0)
        {
            ShortNormalize<TVector, T>(x, y, weight, bias, n, center, scale, shift);
            return;
        }

        // The last register may overlap the one before, and writes the same bits there.
        for (nint i = 0; ; i = Math.Min(i + TVector.Count, full))
        {
            var value = TVector.MultiplyAdd(TVector.Load(x + i) - m, a, b);
            if (bias is not null)
                value = TVector.MultiplyAdd(value, TVector.Load(weight + i), TVector.Load(bias + i));
            else if (weight is not null)
                value *= TVector.Load(weight + i);
            TVector.Store(y + i, value);
            if (i == full)
                return;
        }
    }

    /// <summary>dx = dy weight byDy + (x - center) byX + shift, or dx += it; without a weight it is 1.</summary>
    [MethodImpl(Loop)]
    public static void Gradient<TVector, T>(T* x, T* dy, T* dx, T* weight, nint n, T center, T byDy, T byX, T shift, bool adds)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        TVector m = TVector.Create(center), a = TVector.Create(byDy), b = TVector.Create(byX), c = TVector.Create(shift);
        var full = n - TVector.Count;
        if (full < 0)
        {
            ShortGradient<TVector, T>(x, dy, dx, weight, n, center, byDy, byX, shift, adds);
            return;
        }

        // The last register may overlap the one before: what it adds to is read first.
        var lastOld = adds ? TVector.Load(dx + full) : TVector.Zero;
        for (nint i = 0; ; i = Math.Min(i + TVector.Count, full))
        {
            var gradient = TVector.Load(dy + i);
            if (weight is not null)
                gradient *= TVector.Load(weight + i);
            var value = TVector.MultiplyAdd(TVector.Load(x + i) - m, b, c);
            value = TVector.MultiplyAdd(gradient, a, value);
            if (adds)
                value += i == full ? lastOld : TVector.Load(dx + i);
            TVector.Store(dx + i, value);
            if (i == full)
                return;
        }
    }

    [MethodImpl(Loop)]
    private static (T Sum, T Squares) DeviationBlock<TVector, T>(T* x, nint n, T center)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var m = TVector.Create(center);
        TVector a = TVector.Zero, b = a, c = a, d = a, aa = a, bb = a, cc = a, dd = a;
        nint count = TVector.Count;
        for (; n >= 4 * count; n -= 4 * count, x += 4 * count)
        {
            var value = TVector.Load(x) - m;
            a += value;
            aa = TVector.MultiplyAdd(value, value, aa);
            value = TVector.Load(x + count) - m;
            b += value;
            bb = TVector.MultiplyAdd(value, value, bb);
            value = TVector.Load(x + 2 * count) - m;
            c += value;
            cc = TVector.MultiplyAdd(value, value, cc);
            value = TVector.Load(x + 3 * count) - m;
            d += value;
            dd = TVector.MultiplyAdd(value, value, dd);
        }

        for (; n > 0; n -= count, x += count)
        {
            var value = (n >= count ? TVector.Load(x) : Padded<TVector, T>(x, n, m)) - m;
            b += value;
            bb = TVector.MultiplyAdd(value, value, bb);
        }

        return (TVector.Sum((a + b) + (c + d)), TVector.Sum((aa + bb) + (cc + dd)));
    }

    [MethodImpl(Loop)]
    private static (T Sum, T Products) ProductBlock<TVector, T>(T* x, T* dy, T* weight, nint n, T center)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var m = TVector.Create(center);
        TVector a = TVector.Zero, b = a, aa = a, bb = a;
        nint count = TVector.Count;
        for (; n >= 2 * count; n -= 2 * count, x += 2 * count, dy += 2 * count)
        {
            TVector first = TVector.Load(dy), second = TVector.Load(dy + count);
            if (weight is not null)
            {
                first *= TVector.Load(weight);
                second *= TVector.Load(weight + count);
                weight += 2 * count;
            }

            a += first;
            aa = TVector.MultiplyAdd(first, TVector.Load(x) - m, aa);
            b += second;
            bb = TVector.MultiplyAdd(second, TVector.Load(x + count) - m, bb);
        }

        for (; n > 0; n -= count, x += count, dy += count)
        {
            var whole = n >= count;
            var gradient = whole ? TVector.Load(dy) : Padded<TVector, T>(dy, n, TVector.Zero);
            if (weight is not null)
            {
                gradient *= whole ? TVector.Load(weight) : Padded<TVector, T>(weight, n, TVector.Zero);
                weight += count;
            }

            b += gradient;
            bb = TVector.MultiplyAdd(gradient, (whole ? TVector.Load(x) : Padded<TVector, T>(x, n, m)) - m, bb);
        }

        return (TVector.Sum(a + b), TVector.Sum(aa + bb));
    }

    /// <summary>The first elements; <paramref name="padding"/> in the other lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TVector Padded<TVector, T>(T* source, nint n, TVector padding)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Unsafe.CopyBlockUnaligned(&padding, source, (uint)(n * sizeof(T)));
        return padding;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortNormalize<TVector, T>(T* x, T* y, T* weight, T* bias, nint n, T center, T scale, T shift)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        TVector px = Padded<TVector, T>(x, n, TVector.Zero), pw = px, pb = px;
        if (weight is not null)
            pw = Padded<TVector, T>(weight, n, TVector.Zero);
        if (bias is not null)
            pb = Padded<TVector, T>(bias, n, TVector.Zero);
        Normalize<TVector, T>((T*)&px, (T*)&px, weight is null ? null : (T*)&pw, bias is null ? null : (T*)&pb, TVector.Count, center, scale, shift);
        MapLoops.StorePartial<TVector, T>(px, y, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortGradient<TVector, T>(T* x, T* dy, T* dx, T* weight, nint n, T center, T byDy, T byX, T shift, bool adds)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        TVector px = Padded<TVector, T>(x, n, TVector.Zero), pdy = Padded<TVector, T>(dy, n, TVector.Zero), pw = pdy, pdx = TVector.Zero;
        if (weight is not null)
            pw = Padded<TVector, T>(weight, n, TVector.Zero);
        if (adds)
            pdx = Padded<TVector, T>(dx, n, TVector.Zero);
        Gradient<TVector, T>((T*)&px, (T*)&pdy, (T*)&pdx, weight is null ? null : (T*)&pw, TVector.Count, center, byDy, byX, shift, adds);
        MapLoops.StorePartial<TVector, T>(pdx, dx, n);
    }
}
