using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>What is computed from rows of logits, in both forms.</summary>
internal interface ISoftmaxBody<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    int Classes { get; }

    /// <summary>Rows [start, limit), a row to a lane.</summary>
    void ByLanes<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>;

    /// <summary>Rows [start, limit), one after the other; a row fills at least a register.</summary>
    void ByRows<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>
/// Picks the form by the number of classes alone, so that a row has the same bits in any batch and on any thread, and the
/// register width: lanes give the same bits at any width, so few rows take a narrow one; sums along a row do not.
/// </summary>
internal readonly ref struct SoftmaxRange<T, TBody>(TBody body) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
    where TBody : struct, ISoftmaxBody<T>, allows ref struct
{
    /// <summary>Nanoseconds per logit: an exp, and the way in and out of registers.</summary>
    private const double Cost = 0.5;

    private readonly TBody _body = body;

    public void Run(int rows, ComputeContext? context)
    {
        if (context is null)
        {
            Execute(0, rows);
            return;
        }

        var granularity = RowMajor.Granularity(4 * _body.Classes);
        if (_body.Classes <= SoftmaxLanes.MostClasses)
            granularity = Math.Max(granularity, RegisterWidth.Lanes<T>(SimdWidth.Bits512)); // Whole groups of the widest register.
        context.For(rows, granularity, Cost * rows * _body.Classes, in this);
    }

    // One width for what is left after whole groups too: another form would have to be compiled first.
    public void Execute(int start, int limit)
    {
        if (_body.Classes <= SoftmaxLanes.MostClasses)
            new SimdRange<T, LanesBody>(new(_body), SimdWidth.Widest).Execute(start, limit);
        else
            RegisterWidth.Run<T, RowsBody>(new(_body, start, limit), RegisterWidth.Machine);
    }

    private readonly ref struct LanesBody(TBody body) : ISimdRangeBody<T>
    {
        private readonly TBody _body = body;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T> => _body.ByLanes<TVector>(start, limit);
    }

    private readonly ref struct RowsBody(TBody body, int start, int limit) : ISimdBody<T>
    {
        private readonly TBody _body = body;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T> => _body.ByRows<TVector>(start, limit);
    }
}
