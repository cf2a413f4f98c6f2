using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Applies an optimizer's step to a matrix of parameters whose gradient is a column times a row, G = x^T dy, as in a batch of
/// one row: the gradient lives in registers and is never stored.
/// </summary>
internal readonly ref struct OuterUpdate<T>(Span<T> parameters, BlockRange range, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, ComputeContext context) : IUpdateVisitor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Rows that a thread takes at least: bounds the cache lines that two threads share.</summary>
    private const int Granularity = 8;

    /// <summary>Nanoseconds per parameter and stream on one thread, out of cache.</summary>
    private const double StreamCost = 0.1;

    private readonly Span<T> _parameters = parameters.Slice(range.Start, range.Length);
    private readonly ReadOnlySpan<T> _x = x, _dy = dy;

    /// <summary>Rows of fewer elements are not worth it.</summary>
    public static int LeastColumns => RegisterWidth.Lanes<T>(SimdWidth.Bits128);

    public void Visit<TUpdate>(TUpdate update, Span<T> first, Span<T> second, Span<T> third) where TUpdate : struct, IUpdate<T>
    {
        if (TUpdate.States > 0)
            first = first.Slice(range.Start, range.Length);
        if (TUpdate.States > 1)
            second = second.Slice(range.Start, range.Length);
        if (TUpdate.States > 2)
            third = third.Slice(range.Start, range.Length);
        var body = new SimdRange<T, Body<TUpdate>>(new(update, _parameters, _x, _dy, first, second, third), RegisterWidth.OfColumns<T>(_dy.Length));
        context.For(_x.Length, Granularity, range.Length * StreamCost * (1 + TUpdate.States), in body);
    }

    private readonly unsafe ref struct Body<TUpdate>(TUpdate update, Span<T> parameters, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> first, Span<T> second, Span<T> third) : ISimdRangeBody<T>
        where TUpdate : struct, IUpdate<T>
    {
        private readonly Span<T> _parameters = parameters, _first = first, _second = second, _third = third;
        private readonly ReadOnlySpan<T> _x = x, _dy = dy;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            nint columns = _dy.Length;
            fixed (T* p = _parameters, g = _dy, a = _x, s = _first, t = _second, u = _third)
            {
                var at = start * columns;
                OuterUpdateLoops.Run<TVector, T, TUpdate>(update, a + start, limit - start, g, columns, p + at, s + at, t + at, u + at);
            }
        }
    }
}

/// <summary>The loop of <see cref="OuterUpdate{T}"/>.</summary>
internal static unsafe class OuterUpdateLoops
{
    /// <summary>
    /// Row after row: whole registers, then the last, which may overlap the one before and is read before the row is written.
    /// The gradient is rounded as a stored one would be.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Run<TVector, T, TUpdate>(TUpdate update, T* x, nint rows, T* dy, nint columns, T* parameter, T* first, T* second, T* third)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUpdate : struct, IUpdate<T>
    {
        var last = columns - TVector.Count;
        for (; rows > 0; rows--)
        {
            var a = TVector.Create(*x);
            var lastParameter = TVector.Load(parameter + last);
            var lastFirst = TUpdate.States > 0 ? TVector.Load(first + last) : TVector.Zero;
            var lastSecond = TUpdate.States > 1 ? TVector.Load(second + last) : TVector.Zero;
            var lastThird = TUpdate.States > 2 ? TVector.Load(third + last) : TVector.Zero;
            update.Invoke(TVector.MultiplyAdd(a, TVector.Load(dy + last), TVector.Zero), ref lastParameter, ref lastFirst, ref lastSecond, ref lastThird);
            for (nint j = 0; j < last; j += TVector.Count)
            {
                var p = TVector.Load(parameter + j);
                var s = TUpdate.States > 0 ? TVector.Load(first + j) : TVector.Zero;
                var t = TUpdate.States > 1 ? TVector.Load(second + j) : TVector.Zero;
                var u = TUpdate.States > 2 ? TVector.Load(third + j) : TVector.Zero;
                update.Invoke(TVector.MultiplyAdd(a, TVector.Load(dy + j), TVector.Zero), ref p, ref s, ref t, ref u);
                TVector.Store(parameter + j, p);
                if (TUpdate.States > 0)
                    TVector.Store(first + j, s);
                if (TUpdate.States > 1)
                    TVector.Store(second + j, t);
                if (TUpdate.States > 2)
                    TVector.Store(third + j, u);
            }

            TVector.Store(parameter + last, lastParameter);
            if (TUpdate.States > 0)
                TVector.Store(first + last, lastFirst);
            if (TUpdate.States > 1)
                TVector.Store(second + last, lastSecond);
            if (TUpdate.States > 2)
                TVector.Store(third + last, lastThird);
            x++;
            parameter += columns;
            first += columns;
            second += columns;
            third += columns;
        }
    }
}
