using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>A loop body over a range of items, written once for every register width.</summary>
internal interface ISimdRangeBody<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Runs items <paramref name="start"/> up to, not including, <paramref name="limit"/>.</summary>
    void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>Picks the register width for a body: the widest of the hardware that a range fills, or the one asked for.</summary>
internal readonly ref struct SimdRange<T, TBody>(TBody body, SimdWidth width) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
    where TBody : struct, ISimdRangeBody<T>, allows ref struct
{
    private readonly TBody _body = body;

    public void Execute(int start, int limit)
    {
        if (width != SimdWidth.Widest)
            Forced(start, limit);
        else if (Vector512.IsHardwareAccelerated && limit - start >= Vector512<T>.Count)
            _body.Execute<SimdVector512<T>>(start, limit);
        else
            Narrower(start, limit);
    }

    // Apart, so that what is not called is not compiled either.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Narrower(int start, int limit)
    {
        if (Vector256.IsHardwareAccelerated && limit - start >= Vector256<T>.Count)
            _body.Execute<SimdVector256<T>>(start, limit);
        else
            _body.Execute<SimdVector128<T>>(start, limit);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Forced(int start, int limit)
    {
        if (width == SimdWidth.Bits512)
            _body.Execute<SimdVector512<T>>(start, limit);
        else if (width == SimdWidth.Bits256)
            _body.Execute<SimdVector256<T>>(start, limit);
        else if (width == SimdWidth.Bits128)
            _body.Execute<SimdVector128<T>>(start, limit);
        else
            _body.Execute<SimdVector<T>>(start, limit);
    }
}

/// <summary>Register widths by the length of what fills them, not by how much of it a thread has.</summary>
internal static class RegisterWidth
{
    /// <summary>The widest of the hardware that some columns fill, or the one asked for.</summary>
    public static SimdWidth Of<T>(int columns, SimdWidth width = SimdWidth.Widest) where T : unmanaged
    {
        if (width != SimdWidth.Widest)
            return width;
        if (Vector512.IsHardwareAccelerated && columns >= Vector512<T>.Count)
            return SimdWidth.Bits512;
        return Vector256.IsHardwareAccelerated && columns >= Vector256<T>.Count ? SimdWidth.Bits256 : SimdWidth.Bits128;
    }

    /// <summary>Runs a body over rows of a batch, shared out over the threads, in the register that a row fills.</summary>
    public static void ForRows<T, TBody>(TBody body, int rows, int columns, double nanosecondsPerElement, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdRangeBody<T>, allows ref struct =>
        context.For(rows, 1, nanosecondsPerElement * rows * columns, new SimdRange<T, TBody>(body, Of<T>(columns)));
}
