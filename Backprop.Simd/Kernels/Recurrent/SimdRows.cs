using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Runs a body over rows of a batch in the widest register of the hardware that a row fills: by the length of a row alone, not
/// by how many rows a thread has.
/// </summary>
internal readonly ref struct SimdRows<T, TBody>(TBody body, int columns) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
    where TBody : struct, ISimdRangeBody<T>, allows ref struct
{
    private readonly TBody _body = body;

    /// <summary>All of <paramref name="rows"/>, shared out over the threads of a context.</summary>
    public void Run(int rows, double nanosecondsPerElement, ComputeContext context) =>
        context.For(rows, 1, nanosecondsPerElement * rows * columns, in this);

    public void Execute(int start, int limit)
    {
        if (Vector512.IsHardwareAccelerated && columns >= Vector512<T>.Count)
            _body.Execute<SimdVector512<T>>(start, limit);
        else
            Narrower(start, limit);
    }

    // Apart, so that what is not called is not compiled either.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Narrower(int start, int limit)
    {
        if (Vector256.IsHardwareAccelerated && columns >= Vector256<T>.Count)
            _body.Execute<SimdVector256<T>>(start, limit);
        else
            _body.Execute<SimdVector128<T>>(start, limit);
    }
}
