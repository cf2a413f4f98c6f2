using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The two loops of a matrix times one column: y = A b, with A contiguous along its rows or along its columns.</summary>
/// <remarks>An element's chain of additions depends on its place in the full product alone, never on how rows are grouped.</remarks>
internal static unsafe class SkinnyKernels<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
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
            var x0 = TVector.Create(b[0]);
            var x1 = TVector.Create(b[bStep]);
            var x2 = TVector.Create(b[2 * bStep]);
            var x3 = TVector.Create(b[3 * bStep]);
            var x4 = TVector.Create(b[4 * bStep]);
            var x5 = TVector.Create(b[5 * bStep]);
            var x6 = TVector.Create(b[6 * bStep]);
            var x7 = TVector.Create(b[7 * bStep]);
            T* a0 = a, a3 = a + 3 * aStep, a6 = a + 6 * aStep, to = y;
            var left = rows;
            for (; left >= TVector.Count; left -= TVector.Count)
            {
                var s = TVector.Load(a0) * x0;
                var t = TVector.Load(a3 + aStep) * x4;
                TVector.AddProduct(ref s, a0 + aStep, x1);
                TVector.AddProduct(ref t, a3 + 2 * aStep, x5);
                TVector.AddProduct(ref s, a0 + 2 * aStep, x2);
                TVector.AddProduct(ref t, a6, x6);
                TVector.AddProduct(ref s, a3, x3);
                TVector.AddProduct(ref t, a6 + aStep, x7);
                TVector.Store(to, (first ? TVector.Zero : TVector.Load(to)) + (s + t));
                a0 += TVector.Count;
                a3 += TVector.Count;
                a6 += TVector.Count;
                to += TVector.Count;
            }

            if (left > 0)
            {
                var rest = (int)left;
                var s = TVector.LoadPartial(a0, rest) * x0;
                var t = TVector.LoadPartial(a3 + aStep, rest) * x4;
                TVector.AddProduct(ref s, TVector.LoadPartial(a0 + aStep, rest), x1);
                TVector.AddProduct(ref t, TVector.LoadPartial(a3 + 2 * aStep, rest), x5);
                TVector.AddProduct(ref s, TVector.LoadPartial(a0 + 2 * aStep, rest), x2);
                TVector.AddProduct(ref t, TVector.LoadPartial(a6, rest), x6);
                TVector.AddProduct(ref s, TVector.LoadPartial(a3, rest), x3);
                TVector.AddProduct(ref t, TVector.LoadPartial(a6 + aStep, rest), x7);
                TVector.StorePartial(to, (first ? TVector.Zero : TVector.LoadPartial(to, rest)) + (s + t), rest);
            }

            a += Columns * aStep;
            b += Columns * bStep;
            first = false;
        }
    }

    /// <summary>y[i] = y[i] + a[i] b. <paramref name="first"/>: y counts as zero and is not read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddColumn(T* a, T b, T* y, nint rows, bool first)
    {
        var x = TVector.Create(b);
        for (; rows >= TVector.Count; rows -= TVector.Count)
        {
            TVector.Store(y, TVector.MultiplyAdd(TVector.Load(a), x, first ? TVector.Zero : TVector.Load(y)));
            a += TVector.Count;
            y += TVector.Count;
        }

        if (rows > 0)
        {
            var rest = (int)rows;
            TVector.StorePartial(y, TVector.MultiplyAdd(TVector.LoadPartial(a, rest), x, first ? TVector.Zero : TVector.LoadPartial(y, rest)), rest);
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
        var whole = depth - depth % TVector.Count;
        var rest = (int)(depth - whole);
        for (; groups > 0; groups--)
        {
            TVector s0 = TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
            TVector s4 = TVector.Zero, s5 = TVector.Zero, s6 = TVector.Zero, s7 = TVector.Zero;
            T* a0 = a, a3 = a + 3 * aRow, a6 = a + 6 * aRow;
            var x = b;
            for (var end = b + whole; x < end; x += TVector.Count)
            {
                var v = TVector.Load(x);
                TVector.AddProduct(ref s0, a0, v);
                if (sizeof(TRows) > 1)
                {
                    TVector.AddProduct(ref s1, a0 + aRow, v);
                    TVector.AddProduct(ref s2, a0 + 2 * aRow, v);
                    TVector.AddProduct(ref s3, a3, v);
                    TVector.AddProduct(ref s4, a3 + aRow, v);
                    TVector.AddProduct(ref s5, a3 + 2 * aRow, v);
                    TVector.AddProduct(ref s6, a6, v);
                    TVector.AddProduct(ref s7, a6 + aRow, v);
                    a3 += TVector.Count;
                    a6 += TVector.Count;
                }

                a0 += TVector.Count;
            }

            if (rest > 0)
            {
                var v = TVector.LoadPartial(x, rest);
                TVector.AddProduct(ref s0, TVector.LoadPartial(a0, rest), v);
                if (sizeof(TRows) > 1)
                {
                    TVector.AddProduct(ref s1, TVector.LoadPartial(a0 + aRow, rest), v);
                    TVector.AddProduct(ref s2, TVector.LoadPartial(a0 + 2 * aRow, rest), v);
                    TVector.AddProduct(ref s3, TVector.LoadPartial(a3, rest), v);
                    TVector.AddProduct(ref s4, TVector.LoadPartial(a3 + aRow, rest), v);
                    TVector.AddProduct(ref s5, TVector.LoadPartial(a3 + 2 * aRow, rest), v);
                    TVector.AddProduct(ref s6, TVector.LoadPartial(a6, rest), v);
                    TVector.AddProduct(ref s7, TVector.LoadPartial(a6 + aRow, rest), v);
                }
            }

            y[0] = TVector.SumHalves(s0);
            if (sizeof(TRows) > 1)
            {
                y[1] = TVector.SumHalves(s1);
                y[2] = TVector.SumHalves(s2);
                y[3] = TVector.SumHalves(s3);
                y[4] = TVector.SumHalves(s4);
                y[5] = TVector.SumHalves(s5);
                y[6] = TVector.SumHalves(s6);
                y[7] = TVector.SumHalves(s7);
            }

            a += sizeof(TRows) * aRow;
            y += sizeof(TRows);
        }
    }

    /// <summary>The same for two columns, b and behind it b + bNext, and <paramref name="groups"/> times four rows: A is read once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DotPairs(T* a, nint aRow, T* b, nint bNext, nint depth, T* y, nint yNext, nint groups)
    {
        var whole = depth - depth % TVector.Count;
        var rest = (int)(depth - whole);
        for (; groups > 0; groups--)
        {
            TVector s0 = TVector.Zero, s1 = TVector.Zero, s2 = TVector.Zero, s3 = TVector.Zero;
            TVector t0 = TVector.Zero, t1 = TVector.Zero, t2 = TVector.Zero, t3 = TVector.Zero;
            T* a0 = a, a3 = a + 3 * aRow;
            var x = b;
            for (var end = b + whole; x < end; x += TVector.Count)
            {
                var v = TVector.Load(x);
                var w = TVector.Load(x + bNext);
                var r = TVector.Load(a0);
                TVector.AddProduct(ref s0, r, v);
                TVector.AddProduct(ref t0, r, w);
                r = TVector.Load(a0 + aRow);
                TVector.AddProduct(ref s1, r, v);
                TVector.AddProduct(ref t1, r, w);
                r = TVector.Load(a0 + 2 * aRow);
                TVector.AddProduct(ref s2, r, v);
                TVector.AddProduct(ref t2, r, w);
                r = TVector.Load(a3);
                TVector.AddProduct(ref s3, r, v);
                TVector.AddProduct(ref t3, r, w);
                a0 += TVector.Count;
                a3 += TVector.Count;
            }

            if (rest > 0)
            {
                var v = TVector.LoadPartial(x, rest);
                var w = TVector.LoadPartial(x + bNext, rest);
                var r = TVector.LoadPartial(a0, rest);
                TVector.AddProduct(ref s0, r, v);
                TVector.AddProduct(ref t0, r, w);
                r = TVector.LoadPartial(a0 + aRow, rest);
                TVector.AddProduct(ref s1, r, v);
                TVector.AddProduct(ref t1, r, w);
                r = TVector.LoadPartial(a0 + 2 * aRow, rest);
                TVector.AddProduct(ref s2, r, v);
                TVector.AddProduct(ref t2, r, w);
                r = TVector.LoadPartial(a3, rest);
                TVector.AddProduct(ref s3, r, v);
                TVector.AddProduct(ref t3, r, w);
            }

            var z = y + yNext;
            y[0] = TVector.SumHalves(s0);
            y[1] = TVector.SumHalves(s1);
            y[2] = TVector.SumHalves(s2);
            y[3] = TVector.SumHalves(s3);
            z[0] = TVector.SumHalves(t0);
            z[1] = TVector.SumHalves(t1);
            z[2] = TVector.SumHalves(t2);
            z[3] = TVector.SumHalves(t3);
            a += 4 * aRow;
            y += 4;
        }
    }
}
