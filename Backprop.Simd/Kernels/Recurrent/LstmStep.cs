using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>
/// One time step of an LSTM: i, f, o = sigmoid and g = tanh of the sums that <c>gates</c> holds, in place; c' = f c + i g;
/// h = o tanh c'. Rows whose sequence has ended get h = 0 and keep all else.
/// </summary>
/// <param name="gates">[rows, 4 units] in the order i, f, g, o.</param>
/// <param name="previous">c; may be <paramref name="cells"/>.</param>
/// <param name="cells">c'.</param>
/// <param name="tanhCells">tanh c', or no matrix.</param>
/// <param name="hidden">h.</param>
/// <param name="step">The time step.</param>
internal readonly unsafe ref struct LstmForwardStep<T>(
    Matrix<T> gates, ReadOnlyMatrix<T> previous, Matrix<T> cells, Matrix<T> tanhCells, Matrix<T> hidden, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Matrix<T> _gates = gates, _cells = cells, _tanhCells = tanhCells, _hidden = hidden;
    private readonly ReadOnlyMatrix<T> _previous = previous;
    private readonly TimeStep _step = step;

    /// <summary>Nanoseconds per unit: five exponentials and quotients.</summary>
    public const double Cost = 3;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _hidden.Columns;
        fixed (T* gates = _gates.Span, previous = _previous.Span, cells = _cells.Span, tanhCells = _tanhCells.Span, hidden = _hidden.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                var h = hidden + row * _hidden.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(h, (int)units).Clear();
                    continue;
                }

                LstmLoops.Forward<TVector, T>(gates + row * _gates.RowStride, units, previous + row * _previous.RowStride,
                    cells + row * _cells.RowStride, tanhCells == null ? null : tanhCells + row * _tanhCells.RowStride, h, units);
            }
        }
    }
}

/// <summary>
/// The gradients of one time step of an LSTM: with dh = dy + carry and dc = cell + dh o (1 - tanh^2 c'),
/// di = dc g i (1 - i), df = dc c f (1 - f), dg = dc i (1 - g^2), do = dh tanh(c') o (1 - o), and cell = dc f for the step
/// before. Rows whose sequence has ended get zeros and keep carry and cell; of the others carry is cleared.
/// </summary>
/// <param name="gates">i, f, g, o as forward left them.</param>
/// <param name="previous">c.</param>
/// <param name="tanhCells">tanh c'.</param>
/// <param name="outputs">dy, the gradient by this step's output.</param>
/// <param name="carry">The gradient by h that the steps behind give.</param>
/// <param name="cell">The gradient by c' that the steps behind give; by c afterwards.</param>
/// <param name="gradients">di, df, dg, do: by the sums before the functions.</param>
/// <param name="step">The time step.</param>
internal readonly unsafe ref struct LstmBackwardStep<T>(
    ReadOnlyMatrix<T> gates, ReadOnlyMatrix<T> previous, ReadOnlyMatrix<T> tanhCells, ReadOnlyMatrix<T> outputs, Matrix<T> carry, Matrix<T> cell,
    Matrix<T> gradients, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlyMatrix<T> _gates = gates, _previous = previous, _tanhCells = tanhCells, _outputs = outputs;
    private readonly Matrix<T> _carry = carry, _cell = cell, _gradients = gradients;
    private readonly TimeStep _step = step;

    /// <summary>Nanoseconds per unit: some 25 operations.</summary>
    public const double Cost = 1;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _carry.Columns;
        fixed (T* gates = _gates.Span, previous = _previous.Span, tanhCells = _tanhCells.Span, outputs = _outputs.Span)
        fixed (T* carry = _carry.Span, cell = _cell.Span, gradients = _gradients.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                var d = gradients + row * _gradients.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(d, (int)(4 * units)).Clear();
                    continue;
                }

                var pointers = new LstmPointers<T>
                {
                    Gates = gates + row * _gates.RowStride,
                    Previous = previous + row * _previous.RowStride,
                    TanhCells = tanhCells + row * _tanhCells.RowStride,
                    Outputs = outputs + row * _outputs.RowStride,
                    Carry = carry + row * _carry.RowStride,
                    Cell = cell + row * _cell.RowStride,
                    Gradients = d,
                };
                LstmLoops.Backward<TVector, T>(in pointers, units, units);
            }
        }
    }
}

/// <summary>One row of an <see cref="LstmBackwardStep{T}"/>.</summary>
internal unsafe struct LstmPointers<T> where T : unmanaged
{
    public T* Gates, Previous, TanhCells, Outputs, Carry, Cell, Gradients;

    /// <summary>The row from a unit on.</summary>
    public readonly LstmPointers<T> From(nint unit) => new()
    {
        Gates = Gates + unit,
        Previous = Previous + unit,
        TanhCells = TanhCells + unit,
        Outputs = Outputs + unit,
        Carry = Carry + unit,
        Cell = Cell + unit,
        Gradients = Gradients + unit,
    };
}

/// <summary>The loops over the units of one row: whole registers, then the rest in padded registers on the stack.</summary>
internal static unsafe class LstmLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    [MethodImpl(Loop)]
    public static void Forward<TVector, T>(T* gates, nint stride, T* previous, T* cells, T* tanhCells, T* hidden, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (; n >= TVector.Count; n -= TVector.Count)
        {
            var c = VectorMath.Sigmoid(TVector.Load(gates));
            TVector.Store(gates, c);
            var gate = VectorMath.Tanh(TVector.Load(gates + 2 * stride));
            TVector.Store(gates + 2 * stride, gate);
            c *= gate;
            gate = VectorMath.Sigmoid(TVector.Load(gates + stride));
            TVector.Store(gates + stride, gate);
            c = TVector.MultiplyAdd(gate, TVector.Load(previous), c);
            TVector.Store(cells, c);
            c = VectorMath.Tanh(c);
            if (tanhCells != null)
            {
                TVector.Store(tanhCells, c);
                tanhCells += TVector.Count;
            }

            gate = VectorMath.Sigmoid(TVector.Load(gates + 3 * stride));
            TVector.Store(gates + 3 * stride, gate);
            TVector.Store(hidden, gate * c);
            gates += TVector.Count;
            previous += TVector.Count;
            cells += TVector.Count;
            hidden += TVector.Count;
        }

        if (n > 0)
            ForwardTail<TVector, T>(gates, stride, previous, cells, tanhCells, hidden, n);
    }

    [MethodImpl(Loop)]
    public static void Backward<TVector, T>(in LstmPointers<T> row, nint stride, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T* gates = row.Gates, previous = row.Previous, tanhCells = row.TanhCells, outputs = row.Outputs;
        T* carry = row.Carry, cell = row.Cell, gradients = row.Gradients;
        nint at = 0;
        for (; at <= n - TVector.Count; at += TVector.Count)
        {
            var dh = TVector.Load(outputs + at) + TVector.Load(carry + at);
            TVector.Store(carry + at, TVector.Zero);
            var t = TVector.Load(tanhCells + at);
            var gate = TVector.Load(gates + 3 * stride + at);
            var dc = dh * gate;
            dc = TVector.MultiplyAdd(dc, 1 - t * t, TVector.Load(cell + at));
            dh *= t;
            TVector.Store(gradients + 3 * stride + at, dh * (gate * (1 - gate)));

            gate = TVector.Load(gates + stride + at);
            TVector.Store(cell + at, dc * gate);
            t = dc * TVector.Load(previous + at);
            TVector.Store(gradients + stride + at, t * (gate * (1 - gate)));

            gate = TVector.Load(gates + at);
            var g = TVector.Load(gates + 2 * stride + at);
            t = dc * g;
            TVector.Store(gradients + at, t * (gate * (1 - gate)));
            dc *= gate;
            TVector.Store(gradients + 2 * stride + at, dc * (1 - g * g));
        }

        if (at < n)
            BackwardTail<TVector, T>(row.From(at), stride, n - at);
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // Its locals have addresses: kept out of the loop's frame.
    private static void ForwardTail<TVector, T>(T* gates, nint stride, T* previous, T* cells, T* tanhCells, T* hidden, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var padded = stackalloc TVector[8];
        for (var gate = 0; gate < 4; gate++)
            padded[gate] = MapLoops.LoadPadded<TVector, T>(gates + gate * stride, n);
        padded[4] = MapLoops.LoadPadded<TVector, T>(previous, n);
        Forward<TVector, T>((T*)padded, TVector.Count, (T*)(padded + 4), (T*)(padded + 5), (T*)(padded + 6), (T*)(padded + 7), TVector.Count);
        for (var gate = 0; gate < 4; gate++)
            MapLoops.StorePartial<TVector, T>(padded[gate], gates + gate * stride, n);
        MapLoops.StorePartial<TVector, T>(padded[5], cells, n);
        if (tanhCells != null)
            MapLoops.StorePartial<TVector, T>(padded[6], tanhCells, n);
        MapLoops.StorePartial<TVector, T>(padded[7], hidden, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardTail<TVector, T>(LstmPointers<T> row, nint stride, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var padded = stackalloc TVector[13];
        for (var gate = 0; gate < 4; gate++)
            padded[gate] = MapLoops.LoadPadded<TVector, T>(row.Gates + gate * stride, n);
        padded[4] = MapLoops.LoadPadded<TVector, T>(row.Previous, n);
        padded[5] = MapLoops.LoadPadded<TVector, T>(row.TanhCells, n);
        padded[6] = MapLoops.LoadPadded<TVector, T>(row.Outputs, n);
        padded[7] = MapLoops.LoadPadded<TVector, T>(row.Carry, n);
        padded[8] = MapLoops.LoadPadded<TVector, T>(row.Cell, n);
        var whole = new LstmPointers<T>
        {
            Gates = (T*)padded,
            Previous = (T*)(padded + 4),
            TanhCells = (T*)(padded + 5),
            Outputs = (T*)(padded + 6),
            Carry = (T*)(padded + 7),
            Cell = (T*)(padded + 8),
            Gradients = (T*)(padded + 9),
        };
        Backward<TVector, T>(in whole, TVector.Count, TVector.Count);
        MapLoops.StorePartial<TVector, T>(padded[7], row.Carry, n);
        MapLoops.StorePartial<TVector, T>(padded[8], row.Cell, n);
        for (var gate = 0; gate < 4; gate++)
            MapLoops.StorePartial<TVector, T>(padded[9 + gate], row.Gradients + gate * stride, n);
    }
}
