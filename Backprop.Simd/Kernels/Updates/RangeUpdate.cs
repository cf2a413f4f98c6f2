using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Applies an optimizer's step to a range of the parameters and of the state, on the threads of a context.</summary>
internal readonly ref struct RangeUpdate<T>(
    Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context, SimdWidth width = SimdWidth.Widest) : IUpdateVisitor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Ranges of threads start at multiples of this: bounds the cache lines that two threads share.</summary>
    private const int Granularity = 512;

    /// <summary>Nanoseconds per parameter and stream on one thread, out of cache: a step reads every array, and writes all but the gradients.</summary>
    private const double StreamCost = 0.1;

    private readonly Span<T> _parameters = parameters.Slice(range.Start, range.Length);
    private readonly ReadOnlySpan<T> _gradients = gradients.Slice(range.Start, range.Length);

    public void Visit<TUpdate>(TUpdate update, Span<T> first, Span<T> second, Span<T> third) where TUpdate : struct, IUpdate<T>
    {
        if (TUpdate.States > 0)
            first = first.Slice(range.Start, range.Length);
        if (TUpdate.States > 1)
            second = second.Slice(range.Start, range.Length);
        if (TUpdate.States > 2)
            third = third.Slice(range.Start, range.Length);
        var body = new SimdRange<T, Body<TUpdate>>(new(update, _parameters, _gradients, first, second, third), width);
        if (context is null)
            body.Execute(0, range.Length);
        else
            context.For(range.Length, Granularity, range.Length * StreamCost * (2 + TUpdate.States), in body);
    }

    private readonly unsafe ref struct Body<TUpdate>(
        TUpdate update, Span<T> parameters, ReadOnlySpan<T> gradients, Span<T> first, Span<T> second, Span<T> third) : ISimdRangeBody<T>
        where TUpdate : struct, IUpdate<T>
    {
        private readonly Span<T> _parameters = parameters, _first = first, _second = second, _third = third;
        private readonly ReadOnlySpan<T> _gradients = gradients;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* p = _parameters, g = _gradients, s = _first, t = _second, u = _third)
                UpdateLoops.Run<TVector, T, TUpdate>(update, g + start, p + start, s + start, t + start, u + start, limit - start);
        }
    }
}
