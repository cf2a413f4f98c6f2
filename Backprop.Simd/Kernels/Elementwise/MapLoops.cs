using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The loops under <see cref="Map"/>: whole vectors, then the last vector, which may overlap the one before. Its inputs are read
/// before the loop, so that the destination may be an input, and it is stored after. Fewer elements than a vector go through
/// padded vectors on the stack: no second formula exists.
/// </summary>
internal static unsafe class MapLoops
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unary<T, TOperator>(TOperator f, T* x, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, IUnaryOperator<T>
    {
        var full = n - Vector<T>.Count;
        if (full < 0)
        {
            ShortUnary(f, x, destination, n);
            return;
        }

        var last = f.Invoke(Vector.Load(x + full));
        var lastDestination = destination + full;
        for (var end = x + full; x < end; x += Vector<T>.Count, destination += Vector<T>.Count)
            Vector.Store(f.Invoke(Vector.Load(x)), destination);
        Vector.Store(last, lastDestination);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Binary<T, TOperator>(TOperator f, T* x, T* y, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, IBinaryOperator<T>
    {
        var full = n - Vector<T>.Count;
        if (full < 0)
        {
            ShortBinary(f, x, y, destination, n);
            return;
        }

        var last = f.Invoke(Vector.Load(x + full), Vector.Load(y + full));
        var lastDestination = destination + full;
        for (var end = x + full; x < end; x += Vector<T>.Count, y += Vector<T>.Count, destination += Vector<T>.Count)
            Vector.Store(f.Invoke(Vector.Load(x), Vector.Load(y)), destination);
        Vector.Store(last, lastDestination);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Ternary<T, TOperator>(TOperator f, T* x, T* y, T* z, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, ITernaryOperator<T>
    {
        var full = n - Vector<T>.Count;
        if (full < 0)
        {
            ShortTernary(f, x, y, z, destination, n);
            return;
        }

        var last = f.Invoke(Vector.Load(x + full), Vector.Load(y + full), Vector.Load(z + full));
        var lastDestination = destination + full;
        for (var end = x + full; x < end; x += Vector<T>.Count, y += Vector<T>.Count, z += Vector<T>.Count, destination += Vector<T>.Count)
            Vector.Store(f.Invoke(Vector.Load(x), Vector.Load(y), Vector.Load(z)), destination);
        Vector.Store(last, lastDestination);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quaternary<T, TOperator>(TOperator f, T* x, T* y, T* z, T* w, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, IQuaternaryOperator<T>
    {
        var full = n - Vector<T>.Count;
        if (full < 0)
        {
            ShortQuaternary(f, x, y, z, w, destination, n);
            return;
        }

        var last = f.Invoke(Vector.Load(x + full), Vector.Load(y + full), Vector.Load(z + full), Vector.Load(w + full));
        for (nint i = 0; i < full; i += Vector<T>.Count)
            Vector.Store(f.Invoke(Vector.Load(x + i), Vector.Load(y + i), Vector.Load(z + i), Vector.Load(w + i)), destination + i);
        Vector.Store(last, destination + full);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Update<T, TOperator>(TOperator f, T* gradient, T* parameter, T* state, nint n)
        where T : unmanaged
        where TOperator : struct, IUpdateOperator<T>
    {
        var full = n - Vector<T>.Count;
        if (full < 0)
        {
            ShortUpdate(f, gradient, parameter, state, n);
            return;
        }

        Vector<T> lastParameter = Vector.Load(parameter + full), lastState = Vector.Load(state + full);
        f.Invoke(Vector.Load(gradient + full), ref lastParameter, ref lastState);
        for (nint i = 0; i < full; i += Vector<T>.Count)
        {
            Vector<T> p = Vector.Load(parameter + i), s = Vector.Load(state + i);
            f.Invoke(Vector.Load(gradient + i), ref p, ref s);
            Vector.Store(p, parameter + i);
            Vector.Store(s, state + i);
        }

        Vector.Store(lastParameter, parameter + full);
        Vector.Store(lastState, state + full);
    }

    /// <summary>The first <paramref name="n"/> elements, the other lanes 0.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Vector<T> LoadPadded<T>(T* source, nint n) where T : unmanaged
    {
        var padded = Vector<T>.Zero;
        Unsafe.CopyBlockUnaligned(&padded, source, (uint)(n * sizeof(T)));
        return padded;
    }

    /// <summary>Stores the first <paramref name="n"/> lanes.</summary>
    public static void StorePartial<T>(Vector<T> value, T* destination, nint n) where T : unmanaged =>
        Unsafe.CopyBlockUnaligned(destination, &value, (uint)(n * sizeof(T)));

    [MethodImpl(MethodImplOptions.NoInlining)] // Its locals have addresses: kept out of the loops' frames.
    private static void ShortUnary<T, TOperator>(TOperator f, T* x, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, IUnaryOperator<T>
    {
        var px = LoadPadded(x, n);
        Unary(f, (T*)&px, (T*)&px, Vector<T>.Count);
        StorePartial(px, destination, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortBinary<T, TOperator>(TOperator f, T* x, T* y, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, IBinaryOperator<T>
    {
        Vector<T> px = LoadPadded(x, n), py = LoadPadded(y, n);
        Binary(f, (T*)&px, (T*)&py, (T*)&px, Vector<T>.Count);
        StorePartial(px, destination, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortTernary<T, TOperator>(TOperator f, T* x, T* y, T* z, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, ITernaryOperator<T>
    {
        Vector<T> px = LoadPadded(x, n), py = LoadPadded(y, n), pz = LoadPadded(z, n);
        Ternary(f, (T*)&px, (T*)&py, (T*)&pz, (T*)&px, Vector<T>.Count);
        StorePartial(px, destination, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortQuaternary<T, TOperator>(TOperator f, T* x, T* y, T* z, T* w, T* destination, nint n)
        where T : unmanaged
        where TOperator : struct, IQuaternaryOperator<T>
    {
        Vector<T> px = LoadPadded(x, n), py = LoadPadded(y, n), pz = LoadPadded(z, n), pw = LoadPadded(w, n);
        Quaternary(f, (T*)&px, (T*)&py, (T*)&pz, (T*)&pw, (T*)&px, Vector<T>.Count);
        StorePartial(px, destination, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortUpdate<T, TOperator>(TOperator f, T* gradient, T* parameter, T* state, nint n)
        where T : unmanaged
        where TOperator : struct, IUpdateOperator<T>
    {
        Vector<T> pg = LoadPadded(gradient, n), pp = LoadPadded(parameter, n), ps = LoadPadded(state, n);
        Update(f, (T*)&pg, (T*)&pp, (T*)&ps, Vector<T>.Count);
        StorePartial(pp, parameter, n);
        StorePartial(ps, state, n);
    }
}
