using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Runs an operator over spans: destination[i] = f(x[i], ...), or destination[i] += f(x[i], ...), or nothing, as the destination
/// says. Checks lengths and overlap first; shares the elements out over the threads of a context. Results do not depend on the
/// partition, because an operator treats every lane alike.
/// </summary>
internal static unsafe class Map
{
    /// <summary>Ranges of threads start at multiples of this: bounds the cache lines that two threads share.</summary>
    private const int Granularity = 512;

    public static void Unary<T, TOperator>(
        TOperator f, ReadOnlySpan<T> x, Destination<T> destination, double nanoseconds, ComputeContext? context,
        SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IUnaryOperator<T>
    {
        if (!destination.IsWanted)
            return;
        SpanGuard.Supported<T>();
        SpanGuard.AtLeast(x.Length, destination.Span.Length);
        var result = destination.Span[..x.Length];
        SpanGuard.SameStartOrDisjoint(x, result, nameof(destination));
        if (destination.Adds)
            Run<T, BinaryBody<T, AddUnary<T, TOperator>>>(new(new(f), x, result, result), x.Length, nanoseconds, context, width);
        else
            Run<T, UnaryBody<T, TOperator>>(new(f, x, result), x.Length, nanoseconds, context, width);
    }

    public static void Binary<T, TOperator>(
        TOperator f, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Destination<T> destination, double nanoseconds, ComputeContext? context,
        SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        if (!destination.IsWanted)
            return;
        var result = Checked(x, y, destination.Span);
        if (destination.Adds)
            Run<T, TernaryBody<T, AddBinary<T, TOperator>>>(new(new(f), x, y, result, result), x.Length, nanoseconds, context, width);
        else
            Run<T, BinaryBody<T, TOperator>>(new(f, x, y, result), x.Length, nanoseconds, context, width);
    }

    /// <summary>The same for an operator that is a whole loop over spans.</summary>
    public static void Spans<T, TOperator>(
        TOperator f, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, double nanoseconds, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, ISpanOperator<T>
    {
        destination = Checked(x, y, destination);
        Run(new SpansBody<T, TOperator>(f, x, y, destination), x.Length, nanoseconds, context);
    }

    public static void Ternary<T, TOperator>(
        TOperator f, ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> z, Destination<T> destination, double nanoseconds, ComputeContext? context,
        SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, ITernaryOperator<T>
    {
        if (!destination.IsWanted)
            return;
        SpanGuard.SameLength(x.Length, z.Length);
        var result = Checked(x, y, destination.Span);
        SpanGuard.SameStartOrDisjoint(z, result, nameof(destination));
        if (destination.Adds)
            Run<T, QuaternaryBody<T, AddTernary<T, TOperator>>>(new(new(f), x, y, z, result, result), x.Length, nanoseconds, context, width);
        else
            Run<T, TernaryBody<T, TOperator>>(new(f, x, y, z, result), x.Length, nanoseconds, context, width);
    }

    /// <summary>The rules for two inputs; the destination without its tail.</summary>
    private static Span<T> Checked<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination)
        where T : unmanaged
    {
        SpanGuard.Supported<T>();
        SpanGuard.SameLength(x.Length, y.Length);
        SpanGuard.AtLeast(x.Length, destination.Length);
        destination = destination[..x.Length];
        SpanGuard.SameStartOrDisjoint(x, destination);
        SpanGuard.SameStartOrDisjoint(y, destination);
        return destination;
    }

    private static void Run<T, TBody>(TBody body, int n, double nanosecondsPerElement, ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdRangeBody<T>, allows ref struct =>
        Run(new SimdRange<T, TBody>(body, width), n, nanosecondsPerElement, context);

    private static void Run<TBody>(TBody body, int n, double nanosecondsPerElement, ComputeContext? context)
        where TBody : struct, IRangeBody, allows ref struct
    {
        if (context is not null)
            context.For(n, Granularity, n * nanosecondsPerElement, in body);
        else if (n > 0)
            body.Execute(0, n);
    }

    private readonly ref struct UnaryBody<T, TOperator>(TOperator f, ReadOnlySpan<T> x, Span<T> destination) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IUnaryOperator<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _destination = destination;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* px = _x, pd = _destination)
            {
                if (TOperator.IsShort)
                    MapLoops.UnrolledUnary<TVector, T, TOperator>(f, px + start, pd + start, limit - start);
                else
                    MapLoops.Unary<TVector, T, TOperator>(f, px + start, pd + start, limit - start);
            }
        }
    }

    private readonly ref struct BinaryBody<T, TOperator>(TOperator f, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _y = y;
        private readonly Span<T> _destination = destination;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* px = _x, py = _y, pd = _destination)
            {
                if (TOperator.IsShort)
                    MapLoops.UnrolledBinary<TVector, T, TOperator>(f, px + start, py + start, pd + start, limit - start);
                else
                    MapLoops.Binary<TVector, T, TOperator>(f, px + start, py + start, pd + start, limit - start);
            }
        }
    }

    private readonly ref struct SpansBody<T, TOperator>(TOperator f, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination) : IRangeBody
        where T : unmanaged
        where TOperator : struct, ISpanOperator<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _y = y;
        private readonly Span<T> _destination = destination;

        public void Execute(int start, int limit) => f.Invoke(_x[start..limit], _y[start..limit], _destination[start..limit]);
    }

    private readonly ref struct TernaryBody<T, TOperator>(TOperator f, ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> z, Span<T> destination) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, ITernaryOperator<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _y = y, _z = z;
        private readonly Span<T> _destination = destination;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* px = _x, py = _y, pz = _z, pd = _destination)
                MapLoops.Ternary<TVector, T, TOperator>(f, px + start, py + start, pz + start, pd + start, limit - start);
        }
    }

    private readonly ref struct QuaternaryBody<T, TOperator>(
        TOperator f, ReadOnlySpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<T> z, ReadOnlySpan<T> w, Span<T> destination) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IQuaternaryOperator<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _y = y, _z = z, _w = w;
        private readonly Span<T> _destination = destination;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* px = _x, py = _y, pz = _z, pw = _w, pd = _destination)
                MapLoops.Quaternary<TVector, T, TOperator>(f, px + start, py + start, pz + start, pw + start, pd + start, limit - start);
        }
    }
}
