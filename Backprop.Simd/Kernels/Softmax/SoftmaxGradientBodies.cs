using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>A gradient of a row that needs one sum along it.</summary>
internal unsafe interface IRowGradient<T> : ReductionLoops.ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>dx from dy, y, and the sum of the terms.</summary>
    TVector Invoke<TVector>(TVector dy, TVector y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>dx = y (dy - sum of dy y).</summary>
internal readonly unsafe struct SoftmaxGradient<T> : IRowGradient<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T> =>
        TVector.MultiplyAdd(TVector.Load(x), TVector.Load(y), sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector dy, TVector y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T> => y * (dy - sum);
}

/// <summary>dx = dy - e^y sum of dy.</summary>
internal readonly unsafe struct LogSoftmaxGradient<T> : IRowGradient<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.Load(x) + sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector dy, TVector y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T> =>
        dy - VectorMath.ExpBounded(y) * sum;
}

/// <summary>Gradients of rows by their outputs.</summary>
internal readonly unsafe ref struct SoftmaxGradientBody<T, TGradient>(
    TGradient gradient, ReadOnlySpan<T> dy, nint dyStride, ReadOnlySpan<T> y, nint yStride, Destination<T> dx, int classes)
    : ISoftmaxBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TGradient : struct, IRowGradient<T>
{
    private readonly ReadOnlySpan<T> _dy = dy, _y = y;
    private readonly Destination<T> _dx = dx;

    public int Classes => classes;

    public void ByLanes<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var tileDy = stackalloc T[SoftmaxLanes.MostClasses * TVector.Count];
        var tileY = stackalloc T[SoftmaxLanes.MostClasses * TVector.Count];
        fixed (T* dy = _dy, y = _y, dx = _dx.Span)
        {
            for (var row = start; row < limit; row += TVector.Count)
            {
                var rows = Math.Min(TVector.Count, limit - row);
                SoftmaxLanes.Gather<TVector, T>(dy + row * dyStride, dyStride, rows, classes, tileDy);
                SoftmaxLanes.Gather<TVector, T>(y + row * yStride, yStride, rows, classes, tileY);
                SoftmaxGradientLoops.Lanes<TVector, T, TGradient>(gradient, tileDy, tileY, classes);
                if (_dx.Adds)
                {
                    SoftmaxLanes.Gather<TVector, T>(dx + row * (nint)classes, classes, rows, classes, tileY);
                    SoftmaxGradientLoops.Add<TVector, T>(tileDy, tileY, classes);
                }

                SoftmaxLanes.Scatter<TVector, T>(tileDy, rows, classes, dx + row * (nint)classes, classes);
            }
        }
    }

    public void ByRows<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        fixed (T* dy = _dy, y = _y, dx = _dx.Span)
        {
            for (var row = start; row < limit; row++)
            {
                T* g = dy + row * dyStride, p = y + row * yStride, d = dx + row * (nint)classes;
                var f = new Shifted(gradient, T.CreateTruncating(ReductionLoops.Pairwise<TVector, T, TGradient>(gradient, g, p, classes)));
                if (_dx.Adds)
                    MapLoops.Ternary<TVector, T, AddBinary<T, Shifted>>(new(f), g, p, d, d, classes);
                else
                    MapLoops.Binary<TVector, T, Shifted>(f, g, p, d, classes);
            }
        }
    }

    /// <summary>The gradient with its sum known.</summary>
    private readonly struct Shifted(TGradient gradient, T sum) : IBinaryOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
            gradient.Invoke(x, y, TVector.Create(sum));
    }
}

/// <summary>Loops over tiles [classes, lanes], a row to a lane.</summary>
internal static unsafe class SoftmaxGradientLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    /// <summary>dy becomes dx.</summary>
    [MethodImpl(Loop)]
    public static void Lanes<TVector, T, TGradient>(TGradient gradient, T* dy, T* y, nint classes)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TGradient : struct, IRowGradient<T>
    {
        nint n = classes * TVector.Count;
        var sum = TVector.Zero;
        for (nint i = 0; i < n; i += TVector.Count)
            sum = gradient.Add(dy + i, y + i, sum);
        for (nint i = 0; i < n; i += TVector.Count)
            TVector.Store(dy + i, gradient.Invoke(TVector.Load(dy + i), TVector.Load(y + i), sum));
    }

    /// <summary>tile += other.</summary>
    [MethodImpl(Loop)]
    public static void Add<TVector, T>(T* tile, T* other, nint classes)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint n = classes * TVector.Count;
        for (nint i = 0; i < n; i += TVector.Count)
            TVector.Store(tile + i, TVector.Load(other + i) + TVector.Load(tile + i));
    }
}
