using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Shares items of pooling out.</summary>
internal static class PoolingLoops
{
    public static void For<TBody>(in TBody body, int items, double nanoseconds, ComputeContext? context)
        where TBody : struct, IRangeBody, allows ref struct
    {
        if (context is not null)
            context.For(items, 1, nanoseconds, in body);
        else if (items > 0)
            body.Execute(0, items);
    }
}
