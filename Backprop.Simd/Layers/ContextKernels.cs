using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>Kernel calls in the two modes of a gradient target.</summary>
internal static class ContextKernels
{
    /// <summary>C = A B or C += A B.</summary>
    public static void Product<T>(ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b, Matrix<T> c, bool adds, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (adds)
            Gemm.MultiplyAdd(a, b, c, compute);
        else
            Gemm.Multiply(a, b, c, compute);
    }

    /// <summary>target = a x or target += a x.</summary>
    public static void Scaled<T>(ReadOnlySpan<T> x, T a, GradientTarget<T> target, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (target.IsEmpty)
            return;
        if (target.Adds)
            Elementwise.Axpy(a, x, target.Span, compute);
        else
            Elementwise.Scale(x, a, target.Span, compute);
    }

    /// <summary>target = x or target += x.</summary>
    public static void Copied<T>(ReadOnlySpan<T> x, GradientTarget<T> target, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (target.IsEmpty)
            return;
        if (target.Adds)
            Elementwise.Add(x, target.Span, target.Span, compute);
        else
            x.CopyTo(target.Span);
    }

    /// <summary>target = x * y or target += x * y.</summary>
    public static void Products<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, GradientTarget<T> target, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (target.IsEmpty)
            return;
        if (target.Adds)
            Elementwise.MultiplyAccumulate(x, y, target.Span, compute);
        else
            Elementwise.Multiply(x, y, target.Span, compute);
    }
}
