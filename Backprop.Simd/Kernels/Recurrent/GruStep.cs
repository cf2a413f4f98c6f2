using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>
/// One time step of a GRU: with p the part of the sums that the input gives and q that of h, r, z = sigmoid(p + q),
/// a = q_n + bias, n = tanh(p_n + r a), in place of p; h' = n + z (h - n). Rows whose sequence has ended get h' = 0.
/// </summary>
/// <param name="gates">p, [rows, 3 units] in the order r, z, n.</param>
/// <param name="fromHidden">q, alike.</param>
/// <param name="bias">The bias of a, [units].</param>
/// <param name="previous">h.</param>
/// <param name="inner">a, or no matrix.</param>
/// <param name="hidden">h'.</param>
/// <param name="step">The time step.</param>
internal readonly unsafe ref struct GruForwardStep<T>(
    Matrix<T> gates, ReadOnlyMatrix<T> fromHidden, ReadOnlySpan<T> bias, ReadOnlyMatrix<T> previous, Matrix<T> inner, Matrix<T> hidden,
    TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Matrix<T> _gates = gates, _inner = inner, _hidden = hidden;
    private readonly ReadOnlyMatrix<T> _fromHidden = fromHidden, _previous = previous;
    private readonly ReadOnlySpan<T> _bias = bias;
    private readonly TimeStep _step = step;

    /// <summary>Nanoseconds per unit: three exponentials and quotients.</summary>
    public const double Cost = 2;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _hidden.Columns;
        fixed (T* gates = _gates.Span, fromHidden = _fromHidden.Span, bias = _bias, previous = _previous.Span, inner = _inner.Span, hidden = _hidden.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                var h = hidden + row * _hidden.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(h, (int)units).Clear();
                    continue;
                }

                GruLoops.Forward<TVector, T>(gates + row * _gates.RowStride, fromHidden + row * _fromHidden.RowStride, units, bias,
                    previous + row * _previous.RowStride, inner == null ? null : inner + row * _inner.RowStride, h, units);
            }
        }
    }
}

/// <summary>
/// The gradients of one time step of a GRU: with dh = dy + carry, dn = dh (1 - z) (1 - n^2), dr = dn a r (1 - r),
/// dz = dh (h - n) z (1 - z), da = dn r, and carry = dh z, what goes to h directly. Rows whose sequence has ended get zeros and
/// keep carry.
/// </summary>
/// <param name="gates">r, z, n as forward left them.</param>
/// <param name="inner">a.</param>
/// <param name="previous">h.</param>
/// <param name="outputs">dy, the gradient by this step's output.</param>
/// <param name="carry">The gradient by h' that the steps behind give; the direct part of that by h afterwards.</param>
/// <param name="gradients">dn, dr, dz, da: by the sums before the functions. The first three belong to the input, the last three
/// to h.</param>
/// <param name="step">The time step.</param>
internal readonly unsafe ref struct GruBackwardStep<T>(
    ReadOnlyMatrix<T> gates, ReadOnlyMatrix<T> inner, ReadOnlyMatrix<T> previous, ReadOnlyMatrix<T> outputs, Matrix<T> carry,
    Matrix<T> gradients, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlyMatrix<T> _gates = gates, _inner = inner, _previous = previous, _outputs = outputs;
    private readonly Matrix<T> _carry = carry, _gradients = gradients;
    private readonly TimeStep _step = step;

    /// <summary>Nanoseconds per unit: some 20 operations.</summary>
    public const double Cost = 1;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _carry.Columns;
        fixed (T* gates = _gates.Span, inner = _inner.Span, previous = _previous.Span, outputs = _outputs.Span)
        fixed (T* carry = _carry.Span, gradients = _gradients.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                var d = gradients + row * _gradients.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(d, (int)(4 * units)).Clear();
                    continue;
                }

                GruLoops.Backward<TVector, T>(gates + row * _gates.RowStride, units, inner + row * _inner.RowStride,
                    previous + row * _previous.RowStride, outputs + row * _outputs.RowStride, carry + row * _carry.RowStride, d, units);
            }
        }
    }
}

/// <summary>The loops over the units of one row: whole registers, then the rest in padded registers on the stack.</summary>
internal static unsafe class GruLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    [MethodImpl(Loop)]
    public static void Forward<TVector, T>(T* gates, T* fromHidden, nint stride, T* bias, T* previous, T* inner, T* hidden, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint at = 0;
        for (; at <= n - TVector.Count; at += TVector.Count)
        {
            var gate = VectorMath.Sigmoid(TVector.Load(gates + at) + TVector.Load(fromHidden + at));
            TVector.Store(gates + at, gate);
            var a = TVector.Load(fromHidden + 2 * stride + at) + TVector.Load(bias + at);
            if (inner != null)
                TVector.Store(inner + at, a);
            a = TVector.MultiplyAdd(gate, a, TVector.Load(gates + 2 * stride + at));
            a = VectorMath.Tanh(a);
            TVector.Store(gates + 2 * stride + at, a);
            gate = VectorMath.Sigmoid(TVector.Load(gates + stride + at) + TVector.Load(fromHidden + stride + at));
            TVector.Store(gates + stride + at, gate);
            TVector.Store(hidden + at, TVector.MultiplyAdd(gate, TVector.Load(previous + at) - a, a));
        }

        if (at < n)
            ForwardTail<TVector, T>(gates + at, fromHidden + at, stride, bias + at, previous + at, inner == null ? null : inner + at, hidden + at, n - at);
    }

    [MethodImpl(Loop)]
    public static void Backward<TVector, T>(T* gates, nint stride, T* inner, T* previous, T* outputs, T* carry, T* gradients, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint at = 0;
        for (; at <= n - TVector.Count; at += TVector.Count)
        {
            var dh = TVector.Load(outputs + at) + TVector.Load(carry + at);
            var z = TVector.Load(gates + stride + at);
            TVector.Store(carry + at, dh * z);
            var y = TVector.Load(gates + 2 * stride + at);
            var d = dh * (TVector.Load(previous + at) - y);
            TVector.Store(gradients + 2 * stride + at, d * (z * (1 - z)));
            d = dh * (1 - z);
            d *= 1 - y * y;
            TVector.Store(gradients + at, d);
            y = TVector.Load(gates + at);
            TVector.Store(gradients + 3 * stride + at, d * y);
            d *= TVector.Load(inner + at);
            TVector.Store(gradients + stride + at, d * (y * (1 - y)));
        }

        if (at < n)
            BackwardTail<TVector, T>(gates + at, stride, inner + at, previous + at, outputs + at, carry + at, gradients + at, n - at);
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // Its locals have addresses: kept out of the loop's frame.
    private static void ForwardTail<TVector, T>(T* gates, T* fromHidden, nint stride, T* bias, T* previous, T* inner, T* hidden, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var padded = stackalloc TVector[10];
        for (var gate = 0; gate < 3; gate++)
        {
            padded[gate] = MapLoops.LoadPadded<TVector, T>(gates + gate * stride, n);
            padded[3 + gate] = MapLoops.LoadPadded<TVector, T>(fromHidden + gate * stride, n);
        }

        padded[6] = MapLoops.LoadPadded<TVector, T>(bias, n);
        padded[7] = MapLoops.LoadPadded<TVector, T>(previous, n);
        Forward<TVector, T>((T*)padded, (T*)(padded + 3), TVector.Count, (T*)(padded + 6), (T*)(padded + 7), (T*)(padded + 8), (T*)(padded + 9), TVector.Count);
        for (var gate = 0; gate < 3; gate++)
            MapLoops.StorePartial<TVector, T>(padded[gate], gates + gate * stride, n);
        if (inner != null)
            MapLoops.StorePartial<TVector, T>(padded[8], inner, n);
        MapLoops.StorePartial<TVector, T>(padded[9], hidden, n);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BackwardTail<TVector, T>(T* gates, nint stride, T* inner, T* previous, T* outputs, T* carry, T* gradients, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var padded = stackalloc TVector[11];
        for (var gate = 0; gate < 3; gate++)
            padded[gate] = MapLoops.LoadPadded<TVector, T>(gates + gate * stride, n);
        padded[3] = MapLoops.LoadPadded<TVector, T>(inner, n);
        padded[4] = MapLoops.LoadPadded<TVector, T>(previous, n);
        padded[5] = MapLoops.LoadPadded<TVector, T>(outputs, n);
        padded[6] = MapLoops.LoadPadded<TVector, T>(carry, n);
        Backward<TVector, T>((T*)padded, TVector.Count, (T*)(padded + 3), (T*)(padded + 4), (T*)(padded + 5), (T*)(padded + 6),
            (T*)(padded + 7), TVector.Count);
        MapLoops.StorePartial<TVector, T>(padded[6], carry, n);
        for (var gate = 0; gate < 4; gate++)
            MapLoops.StorePartial<TVector, T>(padded[7 + gate], gradients + gate * stride, n);
    }
}
