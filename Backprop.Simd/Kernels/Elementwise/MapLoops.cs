using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The loops under <see cref="Map"/>: whole vectors, then the last vector, which may overlap the one before; its inputs are read
/// before anything is stored, so that the destination may be an input. Fewer elements than a vector go through padded vectors
/// on the stack: no second formula exists. The operator stands in one place of each loop, because the compiler inlines a limited
/// amount into a method.
/// </summary>
internal static unsafe class MapLoops
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Unary<TVector, T, TOperator>(TOperator f, T* x, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IUnaryOperator<T>
    {
        var full = n - TVector.Count;
        if (full < 0)
        {
            ShortUnary<TVector, T, TOperator>(f, x, destination, n);
            return;
        }

        TVector vx = TVector.Load(x);
        TVector lastX = TVector.Load(x + full);
        nint i = 0;
        while (true)
        {
            TVector.Store(destination + i, f.Invoke(vx));
            if (i == full)
                return;
            i += TVector.Count;
            if (i < full)
            {
                vx = TVector.Load(x + i);
            }
            else
            {
                i = full;
                vx = lastX;
            }
        }
    }

    /// <summary>Four registers at a time, for operators cheaper than a turn of the loop. At least a register is left for the plain loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void UnrolledUnary<TVector, T, TOperator>(TOperator f, T* x, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IUnaryOperator<T>
    {
        nint count = TVector.Count;
        for (; n >= 5 * count; n -= 4 * count, x += 4 * count, destination += 4 * count)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + count), x2 = TVector.Load(x + 2 * count), x3 = TVector.Load(x + 3 * count);
            TVector.Store(destination, f.Invoke(x0));
            TVector.Store(destination + count, f.Invoke(x1));
            TVector.Store(destination + 2 * count, f.Invoke(x2));
            TVector.Store(destination + 3 * count, f.Invoke(x3));
        }

        Unary<TVector, T, TOperator>(f, x, destination, n);
    }

    /// <inheritdoc cref="UnrolledUnary"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void UnrolledBinary<TVector, T, TOperator>(TOperator f, T* x, T* y, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        nint count = TVector.Count;
        for (; n >= 5 * count; n -= 4 * count, x += 4 * count, y += 4 * count, destination += 4 * count)
        {
            TVector x0 = TVector.Load(x), x1 = TVector.Load(x + count), x2 = TVector.Load(x + 2 * count), x3 = TVector.Load(x + 3 * count);
            TVector y0 = TVector.Load(y), y1 = TVector.Load(y + count), y2 = TVector.Load(y + 2 * count), y3 = TVector.Load(y + 3 * count);
            TVector.Store(destination, f.Invoke(x0, y0));
            TVector.Store(destination + count, f.Invoke(x1, y1));
            TVector.Store(destination + 2 * count, f.Invoke(x2, y2));
            TVector.Store(destination + 3 * count, f.Invoke(x3, y3));
        }

        Binary<TVector, T, TOperator>(f, x, y, destination, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Binary<TVector, T, TOperator>(TOperator f, T* x, T* y, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        var full = n - TVector.Count;
        if (full < 0)
        {
            ShortBinary<TVector, T, TOperator>(f, x, y, destination, n);
            return;
        }

        TVector vx = TVector.Load(x), vy = TVector.Load(y);
        TVector lastX = TVector.Load(x + full), lastY = TVector.Load(y + full);
        nint i = 0;
        while (true)
        {
            TVector.Store(destination + i, f.Invoke(vx, vy));
            if (i == full)
                return;
            i += TVector.Count;
            if (i < full)
            {
                vx = TVector.Load(x + i);
                vy = TVector.Load(y + i);
            }
            else
            {
                i = full;
                vx = lastX;
                vy = lastY;
            }
        }
    }

    /// <summary>The same where an operand may stay: its step is then 0, and a register of copies of its element lies at its address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void SteppedBinary<TVector, T, TOperator>(TOperator f, T* x, nint stepX, T* y, nint stepY, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        nint count = TVector.Count, full = n - count;
        if (full < 0)
        {
            ShortBinary<TVector, T, TOperator>(f, x, y, destination, n);
            return;
        }

        TVector lastX = TVector.Load(x + full * stepX), lastY = TVector.Load(y + full * stepY);
        nint moveX = count * stepX, moveY = count * stepY, i = 0;
        for (; i + 2 * count <= full; i += 2 * count, x += 2 * moveX, y += 2 * moveY)
        {
            TVector x0 = TVector.Load(x), y0 = TVector.Load(y), x1 = TVector.Load(x + moveX), y1 = TVector.Load(y + moveY);
            TVector.Store(destination + i, f.Invoke(x0, y0));
            TVector.Store(destination + i + count, f.Invoke(x1, y1));
        }

        for (; i < full; i += count, x += moveX, y += moveY)
            TVector.Store(destination + i, f.Invoke(TVector.Load(x), TVector.Load(y)));
        TVector.Store(destination + full, f.Invoke(lastX, lastY));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Ternary<TVector, T, TOperator>(TOperator f, T* x, T* y, T* z, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, ITernaryOperator<T>
    {
        var full = n - TVector.Count;
        if (full < 0)
        {
            ShortTernary<TVector, T, TOperator>(f, x, y, z, destination, n);
            return;
        }

        TVector vx = TVector.Load(x), vy = TVector.Load(y), vz = TVector.Load(z);
        TVector lastX = TVector.Load(x + full), lastY = TVector.Load(y + full), lastZ = TVector.Load(z + full);
        nint i = 0;
        while (true)
        {
            TVector.Store(destination + i, f.Invoke(vx, vy, vz));
            if (i == full)
                return;
            i += TVector.Count;
            if (i < full)
            {
                vx = TVector.Load(x + i);
                vy = TVector.Load(y + i);
                vz = TVector.Load(z + i);
            }
            else
            {
                i = full;
                vx = lastX;
                vy = lastY;
                vz = lastZ;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Quaternary<TVector, T, TOperator>(TOperator f, T* x, T* y, T* z, T* w, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IQuaternaryOperator<T>
    {
        var full = n - TVector.Count;
        if (full < 0)
        {
            ShortQuaternary<TVector, T, TOperator>(f, x, y, z, w, destination, n);
            return;
        }

        TVector vx = TVector.Load(x), vy = TVector.Load(y), vz = TVector.Load(z), vw = TVector.Load(w);
        TVector lastX = TVector.Load(x + full), lastY = TVector.Load(y + full), lastZ = TVector.Load(z + full), lastW = TVector.Load(w + full);
        nint i = 0;
        while (true)
        {
            TVector.Store(destination + i, f.Invoke(vx, vy, vz, vw));
            if (i == full)
                return;
            i += TVector.Count;
            if (i < full)
            {
                vx = TVector.Load(x + i);
                vy = TVector.Load(y + i);
                vz = TVector.Load(z + i);
                vw = TVector.Load(w + i);
            }
            else
            {
                i = full;
                vx = lastX;
                vy = lastY;
                vz = lastZ;
                vw = lastW;
            }
        }
    }

    /// <summary>The first <paramref name="n"/> elements, the other lanes 0.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TVector LoadPadded<TVector, T>(T* source, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var padded = TVector.Zero;
        Unsafe.CopyBlockUnaligned(&padded, source, (uint)(n * sizeof(T)));
        return padded;
    }

    /// <summary>Stores the first <paramref name="n"/> lanes.</summary>
    public static void StorePartial<TVector, T>(TVector value, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Unsafe.CopyBlockUnaligned(destination, &value, (uint)(n * sizeof(T)));

    [MethodImpl(MethodImplOptions.NoInlining)] // Its locals have addresses: kept out of the loops' frames.
    private static void ShortUnary<TVector, T, TOperator>(TOperator f, T* x, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IUnaryOperator<T>
    {
        TVector px = LoadPadded<TVector, T>(x, n);
        Unary<TVector, T, TOperator>(f, (T*)&px, (T*)&px, TVector.Count);
        StorePartial<TVector, T>(px, destination, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortBinary<TVector, T, TOperator>(TOperator f, T* x, T* y, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        TVector px = LoadPadded<TVector, T>(x, n), py = LoadPadded<TVector, T>(y, n);
        Binary<TVector, T, TOperator>(f, (T*)&px, (T*)&py, (T*)&px, TVector.Count);
        StorePartial<TVector, T>(px, destination, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortTernary<TVector, T, TOperator>(TOperator f, T* x, T* y, T* z, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, ITernaryOperator<T>
    {
        TVector px = LoadPadded<TVector, T>(x, n), py = LoadPadded<TVector, T>(y, n), pz = LoadPadded<TVector, T>(z, n);
        Ternary<TVector, T, TOperator>(f, (T*)&px, (T*)&py, (T*)&pz, (T*)&px, TVector.Count);
        StorePartial<TVector, T>(px, destination, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortQuaternary<TVector, T, TOperator>(TOperator f, T* x, T* y, T* z, T* w, T* destination, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IQuaternaryOperator<T>
    {
        TVector px = LoadPadded<TVector, T>(x, n), py = LoadPadded<TVector, T>(y, n), pz = LoadPadded<TVector, T>(z, n), pw = LoadPadded<TVector, T>(w, n);
        Quaternary<TVector, T, TOperator>(f, (T*)&px, (T*)&py, (T*)&pz, (T*)&pw, (T*)&px, TVector.Count);
        StorePartial<TVector, T>(px, destination, n);
    }
}
