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

/// <summary>q ((maximum - x) + logSum); 0 where q is 0.</summary>
internal readonly unsafe struct ExpectedLossTerm<T>(T maximum, T logSum) : ReductionLoops.ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var q = TVector.Load(x);
        var loss = TVector.Create(maximum) - TVector.Load(y) + TVector.Create(logSum);
        return TVector.AndNot(loss * q, TVector.Equal(q, TVector.Zero)) + sum;
    }
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

/// <summary>(x - maximum) - ln sum exp(x - maximum) along rows.</summary>
internal readonly unsafe ref struct LogSoftmaxBody<T>(ReadOnlySpan<T> logits, nint logitStride, Span<T> result, nint resultStride, int classes)
    : ISoftmaxBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<T> _logits = logits;
    private readonly Span<T> _result = result;

    public int Classes => classes;

    public void ByLanes<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var tile = stackalloc T[SoftmaxLanes.MostClasses * TVector.Count];
        fixed (T* x = _logits, y = _result)
        {
            for (var row = start; row < limit; row += TVector.Count)
            {
                var rows = Math.Min(TVector.Count, limit - row);
                SoftmaxLanes.Gather<TVector, T>(x + row * logitStride, logitStride, rows, classes, tile);
                SoftmaxGradientLoops.LogSoftmax<TVector, T>(tile, classes);
                SoftmaxLanes.Scatter<TVector, T>(tile, rows, classes, y + row * resultStride, resultStride);
            }
        }
    }

    public void ByRows<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        fixed (T* x = _logits, y = _result)
        {
            for (var row = start; row < limit; row++)
            {
                T* logits = x + row * logitStride;
                var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Identity<T>>(default, logits, classes);
                var sum = SoftmaxRows.Exponentials<TVector, T>(logits, null, classes, largest);
                MapLoops.Unary<TVector, T, TwoShifts>(new(largest, T.CreateTruncating(Math.Log(sum))), logits, y + row * resultStride, classes);
            }
        }
    }

    /// <summary>(x - a) - b.</summary>
    private readonly struct TwoShifts(T a, T b) : IUnaryOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => x - TVector.Create(a) - TVector.Create(b);
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

    /// <summary>Turns a tile of logits into logarithms of probabilities.</summary>
    [MethodImpl(Loop)]
    public static void LogSoftmax<TVector, T>(T* tile, nint classes)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var end = tile + classes * TVector.Count;
        var largest = TVector.Load(tile);
        for (var x = tile + TVector.Count; x < end; x += TVector.Count)
            largest = TVector.Max(largest, TVector.Load(x));

        // A NaN that the maximum forgets spoils the sum.
        var sum = TVector.Zero;
        for (var x = tile; x < end; x += TVector.Count)
        {
            var e = TVector.Load(x);
            sum += VectorMath.ExpBounded(e - largest);
        }

        var logSum = VectorMath.Log(sum);
        for (var x = tile; x < end; x += TVector.Count)
            TVector.Store(x, TVector.Load(x) - largest - logSum);
    }
}
