using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// <see cref="Map"/> for operands that are broadcast to the destination. An element has the bits that it has there, and results do
/// not depend on the partition over threads.
/// </summary>
/// <remarks>Callers have checked that layouts and lengths agree.</remarks>
internal static unsafe class BroadcastMap
{
    private const int Granularity = 512;

    public static void Binary<T, TOperator>(
        TOperator f, BroadcastOperand<T> x, BroadcastOperand<T> y, Destination<T> destination, double nanoseconds, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        if (!destination.IsWanted)
            return;
        var result = destination.Span;
        if (x.Layout.IsWhole && y.Layout.IsWhole)
            Map.Binary(f, x.Values, y.Values, destination, nanoseconds, context);
        else if (destination.Adds)
            Run<T, TernaryBody<T, AddBinary<T, TOperator>>>(new(new(f), x, y, result, result), result.Length, nanoseconds, context);
        else
            Run<T, BinaryBody<T, TOperator>>(new(f, x, y, result), result.Length, nanoseconds, context);
    }

    public static void Ternary<T, TOperator>(TOperator f, BroadcastOperand<T> x, BroadcastOperand<T> y, BroadcastOperand<T> z,
        Destination<T> destination, double nanoseconds, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, ITernaryOperator<T>
    {
        if (!destination.IsWanted)
            return;
        var result = destination.Span;
        if (x.Layout.IsWhole && y.Layout.IsWhole && z.Layout.IsWhole)
            Map.Ternary(f, x.Values, y.Values, z.Values, destination, nanoseconds, context);
        else if (destination.Adds)
            Run<T, QuaternaryBody<T, AddTernary<T, TOperator>>>(new(new(f), x, y, z, result), result.Length, nanoseconds, context);
        else
            Run<T, TernaryBody<T, TOperator>>(new(f, x, y, z, result), result.Length, nanoseconds, context);
    }

    private static void Run<T, TBody>(TBody body, int n, double nanosecondsPerElement, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdRangeBody<T>, allows ref struct
    {
        var range = new SimdRange<T, TBody>(body, SimdWidth.Widest);
        if (context is not null)
            context.For(n, Granularity, n * nanosecondsPerElement, in range);
        else if (n > 0)
            range.Execute(0, n);
    }

    private readonly ref struct BinaryBody<T, TOperator>(TOperator f, BroadcastOperand<T> x, BroadcastOperand<T> y, Span<T> destination)
        : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T>
    {
        private readonly BroadcastOperand<T> _x = x, _y = y;
        private readonly Span<T> _destination = destination;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var buffers = stackalloc T[2 * BroadcastReader<T>.Buffer];
            fixed (T* px = _x.Values, py = _y.Values, pd = _destination)
            {
                var x = new BroadcastReader<T>(px, in _x.Layout, buffers, isStepped: true);
                var y = new BroadcastReader<T>(py, in _y.Layout, buffers + BroadcastReader<T>.Buffer, isStepped: true);
                for (nint at = start, end; at < limit; at = end)
                {
                    end = limit;
                    x.Limit(at, ref end);
                    y.Limit(at, ref end);
                    MapLoops.SteppedBinary<TVector, T, TOperator>(f, x.At(at, end), x.Step, y.At(at, end), y.Step, pd + at, end - at);
                }
            }
        }
    }

    private readonly ref struct TernaryBody<T, TOperator>(
        TOperator f, BroadcastOperand<T> x, BroadcastOperand<T> y, BroadcastOperand<T> z, Span<T> destination) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, ITernaryOperator<T>
    {
        private readonly BroadcastOperand<T> _x = x, _y = y, _z = z;
        private readonly Span<T> _destination = destination;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var buffers = stackalloc T[3 * BroadcastReader<T>.Buffer];
            fixed (T* px = _x.Values, py = _y.Values, pz = _z.Values, pd = _destination)
            {
                var x = new BroadcastReader<T>(px, in _x.Layout, buffers);
                var y = new BroadcastReader<T>(py, in _y.Layout, buffers + BroadcastReader<T>.Buffer);
                var z = new BroadcastReader<T>(pz, in _z.Layout, buffers + 2 * BroadcastReader<T>.Buffer);
                for (nint at = start, end; at < limit; at = end)
                {
                    end = limit;
                    x.Limit(at, ref end);
                    y.Limit(at, ref end);
                    z.Limit(at, ref end);
                    MapLoops.Ternary<TVector, T, TOperator>(f, x.At(at, end), y.At(at, end), z.At(at, end), pd + at, end - at);
                }
            }
        }
    }

    private readonly ref struct QuaternaryBody<T, TOperator>(
        TOperator f, BroadcastOperand<T> x, BroadcastOperand<T> y, BroadcastOperand<T> z, Span<T> destination) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IQuaternaryOperator<T>
    {
        private readonly BroadcastOperand<T> _x = x, _y = y, _z = z;
        private readonly Span<T> _destination = destination;

        /// <summary>The destination is the fourth operand.</summary>
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var buffers = stackalloc T[3 * BroadcastReader<T>.Buffer];
            fixed (T* px = _x.Values, py = _y.Values, pz = _z.Values, pd = _destination)
            {
                var x = new BroadcastReader<T>(px, in _x.Layout, buffers);
                var y = new BroadcastReader<T>(py, in _y.Layout, buffers + BroadcastReader<T>.Buffer);
                var z = new BroadcastReader<T>(pz, in _z.Layout, buffers + 2 * BroadcastReader<T>.Buffer);
                for (nint at = start, end; at < limit; at = end)
                {
                    end = limit;
                    x.Limit(at, ref end);
                    y.Limit(at, ref end);
                    z.Limit(at, ref end);
                    MapLoops.Quaternary<TVector, T, TOperator>(f, x.At(at, end), y.At(at, end), z.At(at, end), pd + at, pd + at, end - at);
                }
            }
        }
    }
}
