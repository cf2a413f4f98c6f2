using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Runs an optimizer's step over memory, in one pass.</summary>
internal static unsafe class UpdateLoops
{
    /// <summary>
    /// Whole registers, then the last, which may overlap the one before: it is read before the loop writes. Fewer elements than
    /// a register go through padded registers on the stack. Lanes are independent and every operation is rounded alike at any
    /// width: the bits are the same at any width.
    /// </summary>
    // Not inlined: in a caller's frame the operator's numbers would be copied for every register.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Run<TVector, T, TUpdate>(TUpdate update, T* gradient, T* parameter, T* first, T* second, T* third, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUpdate : struct, IUpdate<T>
    {
        var last = n - TVector.Count;
        if (last < 0)
        {
            Short<TVector, T, TUpdate>(update, gradient, parameter, first, second, third, n);
            return;
        }

        var lastParameter = TVector.Load(parameter + last);
        var lastFirst = TUpdate.States > 0 ? TVector.Load(first + last) : TVector.Zero;
        var lastSecond = TUpdate.States > 1 ? TVector.Load(second + last) : TVector.Zero;
        var lastThird = TUpdate.States > 2 ? TVector.Load(third + last) : TVector.Zero;
        update.Invoke(TVector.Load(gradient + last), ref lastParameter, ref lastFirst, ref lastSecond, ref lastThird);
        for (nint i = 0; i < last; i += TVector.Count)
        {
            var p = TVector.Load(parameter + i);
            var s = TUpdate.States > 0 ? TVector.Load(first + i) : TVector.Zero;
            var t = TUpdate.States > 1 ? TVector.Load(second + i) : TVector.Zero;
            var u = TUpdate.States > 2 ? TVector.Load(third + i) : TVector.Zero;
            update.Invoke(TVector.Load(gradient + i), ref p, ref s, ref t, ref u);
            TVector.Store(parameter + i, p);
            if (TUpdate.States > 0)
                TVector.Store(first + i, s);
            if (TUpdate.States > 1)
                TVector.Store(second + i, t);
            if (TUpdate.States > 2)
                TVector.Store(third + i, u);
        }

        TVector.Store(parameter + last, lastParameter);
        if (TUpdate.States > 0)
            TVector.Store(first + last, lastFirst);
        if (TUpdate.States > 1)
            TVector.Store(second + last, lastSecond);
        if (TUpdate.States > 2)
            TVector.Store(third + last, lastThird);
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // Its locals have addresses: kept out of the loop's frame.
    private static void Short<TVector, T, TUpdate>(TUpdate update, T* gradient, T* parameter, T* first, T* second, T* third, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUpdate : struct, IUpdate<T>
    {
        TVector g = MapLoops.LoadPadded<TVector, T>(gradient, n), p = MapLoops.LoadPadded<TVector, T>(parameter, n);
        var s = TUpdate.States > 0 ? MapLoops.LoadPadded<TVector, T>(first, n) : TVector.Zero;
        var t = TUpdate.States > 1 ? MapLoops.LoadPadded<TVector, T>(second, n) : TVector.Zero;
        var u = TUpdate.States > 2 ? MapLoops.LoadPadded<TVector, T>(third, n) : TVector.Zero;
        Run<TVector, T, TUpdate>(update, (T*)&g, (T*)&p, (T*)&s, (T*)&t, (T*)&u, TVector.Count);
        MapLoops.StorePartial<TVector, T>(p, parameter, n);
        if (TUpdate.States > 0)
            MapLoops.StorePartial<TVector, T>(s, first, n);
        if (TUpdate.States > 1)
            MapLoops.StorePartial<TVector, T>(t, second, n);
        if (TUpdate.States > 2)
            MapLoops.StorePartial<TVector, T>(u, third, n);
    }
}
