using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The two loops of a matrix times one column: y = A b, with A contiguous along its rows or along its columns.</summary>
/// <remarks>An element's chain of additions depends on its place in the full product alone, never on how rows are grouped.</remarks>
internal static unsafe class SkinnyKernels<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Columns of A that <see cref="AddColumns"/> takes in one pass over y: as many streams as a core follows.</summary>
    public const int Columns = 8;

    /// <summary>
    /// y[i] = y[i] + (a[i, 0] b[0] + ... + a[i, 3] b[3]) + (a[i, 4] b[4] + ... + a[i, 7] b[7]) for each group of eight columns:
    /// two short chains, so that successive passes wait for one addition only. <paramref name="first"/>: y counts as zero and
    /// is not read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddColumns(T* a, nint aStep, T* b, nint bStep, T* y, nint rows, nint groups, bool first)
    {
        for (; groups > 0; groups--)
        {
            var x0 = TSimd.Broadcast(b[0]);
            var x1 = TSimd.Broadcast(b[bStep]);
            var x2 = TSimd.Broadcast(b[2 * bStep]);
            var x3 = TSimd.Broadcast(b[3 * bStep]);
            var x4 = TSimd.Broadcast(b[4 * bStep]);
            var x5 = TSimd.Broadcast(b[5 * bStep]);
            var x6 = TSimd.Broadcast(b[6 * bStep]);
            var x7 = TSimd.Broadcast(b[7 * bStep]);
            T* a0 = a, a3 = a + 3 * aStep, a6 = a + 6 * aStep, to = y;
            var left = rows;
            for (; left >= TSimd.Count; left -= TSimd.Count)
            {
                var s = TSimd.Multiply(TSimd.Load(a0), x0);
                var t = TSimd.Multiply(TSimd.Load(a3 + aStep), x4);
                s = TSimd.MultiplyAdd(TSimd.Load(a0 + aStep), x1, s);
                t = TSimd.MultiplyAdd(TSimd.Load(a3 + 2 * aStep), x5, t);
                s = TSimd.MultiplyAdd(TSimd.Load(a0 + 2 * aStep), x2, s);
                t = TSimd.MultiplyAdd(TSimd.Load(a6), x6, t);
                s = TSimd.MultiplyAdd(TSimd.Load(a3), x3, s);
                t = TSimd.MultiplyAdd(TSimd.Load(a6 + aStep), x7, t);
                TSimd.Store(to, TSimd.Add(first ? TSimd.Zero : TSimd.Load(to), TSimd.Add(s, t)));
                a0 += TSimd.Count;
                a3 += TSimd.Count;
                a6 += TSimd.Count;
                to += TSimd.Count;
            }

            if (left > 0)
            {
                var rest = (int)left;
                var s = TSimd.Multiply(TSimd.LoadPartial(a0, rest), x0);
                var t = TSimd.Multiply(TSimd.LoadPartial(a3 + aStep, rest), x4);
                s = TSimd.MultiplyAdd(TSimd.LoadPartial(a0 + aStep, rest), x1, s);
                t = TSimd.MultiplyAdd(TSimd.LoadPartial(a3 + 2 * aStep, rest), x5, t);
                s = TSimd.MultiplyAdd(TSimd.LoadPartial(a0 + 2 * aStep, rest), x2, s);
                t = TSimd.MultiplyAdd(TSimd.LoadPartial(a6, rest), x6, t);
                s = TSimd.MultiplyAdd(TSimd.LoadPartial(a3, rest), x3, s);
                t = TSimd.MultiplyAdd(TSimd.LoadPartial(a6 + aStep, rest), x7, t);
                TSimd.StorePartial(to, TSimd.Add(first ? TSimd.Zero : TSimd.LoadPartial(to, rest), TSimd.Add(s, t)), rest);
            }

            a += Columns * aStep;
            b += Columns * bStep;
            first = false;
        }
    }

    /// <summary>c[i, j] = a[i] b[j].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Outer(T* a, nint aRow, nint rows, T* b, nint columns, T* c, nint cRow)
    {
        for (; rows > 0; rows--)
        {
            var x = TSimd.Broadcast(*a);
            nint j = 0;
            for (; j <= columns - TSimd.Count; j += TSimd.Count)
                TSimd.Store(c + j, TSimd.MultiplyAdd(x, TSimd.Load(b + j), TSimd.Zero));
            if (j < columns)
                TSimd.StorePartial(c + j, TSimd.MultiplyAdd(x, TSimd.LoadPartial(b + j, (int)(columns - j)), TSimd.Zero), (int)(columns - j));
            a += aRow;
            c += cRow;
        }
    }

    /// <summary>y[i] = y[i] + a[i] b. <paramref name="first"/>: y counts as zero and is not read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddColumn(T* a, T b, T* y, nint rows, bool first)
    {
        var x = TSimd.Broadcast(b);
        for (; rows >= TSimd.Count; rows -= TSimd.Count)
        {
            TSimd.Store(y, TSimd.MultiplyAdd(TSimd.Load(a), x, first ? TSimd.Zero : TSimd.Load(y)));
            a += TSimd.Count;
            y += TSimd.Count;
        }

        if (rows > 0)
        {
            var rest = (int)rows;
            TSimd.StorePartial(y, TSimd.MultiplyAdd(TSimd.LoadPartial(a, rest), x, first ? TSimd.Zero : TSimd.LoadPartial(y, rest)), rest);
        }
    }

    /// <summary>c[i, j] = y[j * next + i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Spread(T* y, nint next, nint rows, nint columns, T* c, nint cRow, nint cColumn)
    {
        if (columns == 2)
        {
            for (var end = y + rows; y < end; y++)
            {
                c[0] = *y;
                c[cColumn] = y[next];
                c += cRow;
            }

            return;
        }

        for (var end = y + rows; y < end; y++)
        {
            for (nint j = 0; j < columns; j++)
                c[j * cColumn] = y[j * next];
            c += cRow;
        }
    }

    /// <summary>destination[j * next + k] = b[k, j]: each line of B is read once, for all columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyColumns(T* b, nint bRow, nint bColumn, nint columns, nint depth, T* destination, nint next)
    {
        if (columns == 2)
        {
            for (var end = destination + depth; destination < end; destination++)
            {
                var second = b[bColumn];
                destination[0] = *b;
                destination[next] = second;
                b += bRow;
            }

            return;
        }

        for (var end = destination + depth; destination < end; destination++)
        {
            for (nint j = 0; j < columns; j++)
                destination[j * next] = b[j * bColumn];
            b += bRow;
        }
    }

    /// <summary>y[i] = sum over k of a[i, k] b[k], for <paramref name="groups"/> times TRows rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dots<TRows>(T* a, nint aRow, T* b, nint depth, T* y, nint groups)
        where TRows : unmanaged, IConstant
    {
        var whole = depth - depth % TSimd.Count;
        var rest = (int)(depth - whole);
        for (; groups > 0; groups--)
        {
            TVector s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
            TVector s4 = TSimd.Zero, s5 = TSimd.Zero, s6 = TSimd.Zero, s7 = TSimd.Zero;
            T* a0 = a, a3 = a + 3 * aRow, a6 = a + 6 * aRow;
            var x = b;
            for (var end = b + whole; x < end; x += TSimd.Count)
            {
                var v = TSimd.Load(x);
                s0 = TSimd.MultiplyAdd(TSimd.Load(a0), v, s0);
                if (sizeof(TRows) > 1)
                {
                    s1 = TSimd.MultiplyAdd(TSimd.Load(a0 + aRow), v, s1);
                    s2 = TSimd.MultiplyAdd(TSimd.Load(a0 + 2 * aRow), v, s2);
                    s3 = TSimd.MultiplyAdd(TSimd.Load(a3), v, s3);
                    s4 = TSimd.MultiplyAdd(TSimd.Load(a3 + aRow), v, s4);
                    s5 = TSimd.MultiplyAdd(TSimd.Load(a3 + 2 * aRow), v, s5);
                    s6 = TSimd.MultiplyAdd(TSimd.Load(a6), v, s6);
                    s7 = TSimd.MultiplyAdd(TSimd.Load(a6 + aRow), v, s7);
                    a3 += TSimd.Count;
                    a6 += TSimd.Count;
                }

                a0 += TSimd.Count;
            }

            if (rest > 0)
            {
                var v = TSimd.LoadPartial(x, rest);
                s0 = TSimd.MultiplyAdd(TSimd.LoadPartial(a0, rest), v, s0);
                if (sizeof(TRows) > 1)
                {
                    s1 = TSimd.MultiplyAdd(TSimd.LoadPartial(a0 + aRow, rest), v, s1);
                    s2 = TSimd.MultiplyAdd(TSimd.LoadPartial(a0 + 2 * aRow, rest), v, s2);
                    s3 = TSimd.MultiplyAdd(TSimd.LoadPartial(a3, rest), v, s3);
                    s4 = TSimd.MultiplyAdd(TSimd.LoadPartial(a3 + aRow, rest), v, s4);
                    s5 = TSimd.MultiplyAdd(TSimd.LoadPartial(a3 + 2 * aRow, rest), v, s5);
                    s6 = TSimd.MultiplyAdd(TSimd.LoadPartial(a6, rest), v, s6);
                    s7 = TSimd.MultiplyAdd(TSimd.LoadPartial(a6 + aRow, rest), v, s7);
                }
            }

            y[0] = TSimd.Sum(s0);
            if (sizeof(TRows) > 1)
            {
                y[1] = TSimd.Sum(s1);
                y[2] = TSimd.Sum(s2);
                y[3] = TSimd.Sum(s3);
                y[4] = TSimd.Sum(s4);
                y[5] = TSimd.Sum(s5);
                y[6] = TSimd.Sum(s6);
                y[7] = TSimd.Sum(s7);
            }

            a += sizeof(TRows) * aRow;
            y += sizeof(TRows);
        }
    }

    /// <summary>The same for two columns, b and behind it b + bNext, and <paramref name="groups"/> times four rows: A is read once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DotPairs(T* a, nint aRow, T* b, nint bNext, nint depth, T* y, nint yNext, nint groups)
    {
        var whole = depth - depth % TSimd.Count;
        var rest = (int)(depth - whole);
        for (; groups > 0; groups--)
        {
            TVector s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
            TVector t0 = TSimd.Zero, t1 = TSimd.Zero, t2 = TSimd.Zero, t3 = TSimd.Zero;
            T* a0 = a, a3 = a + 3 * aRow;
            var x = b;
            for (var end = b + whole; x < end; x += TSimd.Count)
            {
                var v = TSimd.Load(x);
                var w = TSimd.Load(x + bNext);
                var r = TSimd.Load(a0);
                s0 = TSimd.MultiplyAdd(r, v, s0);
                t0 = TSimd.MultiplyAdd(r, w, t0);
                r = TSimd.Load(a0 + aRow);
                s1 = TSimd.MultiplyAdd(r, v, s1);
                t1 = TSimd.MultiplyAdd(r, w, t1);
                r = TSimd.Load(a0 + 2 * aRow);
                s2 = TSimd.MultiplyAdd(r, v, s2);
                t2 = TSimd.MultiplyAdd(r, w, t2);
                r = TSimd.Load(a3);
                s3 = TSimd.MultiplyAdd(r, v, s3);
                t3 = TSimd.MultiplyAdd(r, w, t3);
                a0 += TSimd.Count;
                a3 += TSimd.Count;
            }

            if (rest > 0)
            {
                var v = TSimd.LoadPartial(x, rest);
                var w = TSimd.LoadPartial(x + bNext, rest);
                var r = TSimd.LoadPartial(a0, rest);
                s0 = TSimd.MultiplyAdd(r, v, s0);
                t0 = TSimd.MultiplyAdd(r, w, t0);
                r = TSimd.LoadPartial(a0 + aRow, rest);
                s1 = TSimd.MultiplyAdd(r, v, s1);
                t1 = TSimd.MultiplyAdd(r, w, t1);
                r = TSimd.LoadPartial(a0 + 2 * aRow, rest);
                s2 = TSimd.MultiplyAdd(r, v, s2);
                t2 = TSimd.MultiplyAdd(r, w, t2);
                r = TSimd.LoadPartial(a3, rest);
                s3 = TSimd.MultiplyAdd(r, v, s3);
                t3 = TSimd.MultiplyAdd(r, w, t3);
            }

            var z = y + yNext;
            y[0] = TSimd.Sum(s0);
            y[1] = TSimd.Sum(s1);
            y[2] = TSimd.Sum(s2);
            y[3] = TSimd.Sum(s3);
            z[0] = TSimd.Sum(t0);
            z[1] = TSimd.Sum(t1);
            z[2] = TSimd.Sum(t2);
            z[3] = TSimd.Sum(t3);
            a += 4 * aRow;
            y += 4;
        }
    }
}
