using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The time steps of a GRU whose reset gate comes before the product, shared out over the threads by rows. The sums of r and z, then that of n,
/// lie in gates [rows, 3 units], in the order r, z, n.
/// </summary>
internal static class GruBeforeSteps
{
    /// <summary>Nanoseconds per unit: two exponentials and quotients, one, and some five operations.</summary>
    private const double ResetCost = 1, CandidateCost = 0.75, BackwardCost = 0.5;

    /// <summary>r, z = sigmoid of their sums, in place; reset = r h. Rows whose sequence has ended get reset = 0.</summary>
    public static void Reset<T>(Matrix<T> gates, ReadOnlyMatrix<T> previous, Matrix<T> reset, TimeStep step, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.ForRows<T, GruResetStep<T>>(new(gates, previous, reset, step), reset.Rows, reset.Columns, ResetCost, compute);

    /// <summary>n = tanh of its sum, in place; h' = n + z (h - n). Rows whose sequence has ended get h' = 0.</summary>
    public static void Candidate<T>(Matrix<T> gates, ReadOnlyMatrix<T> previous, Matrix<T> hidden, TimeStep step, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.ForRows<T, GruCandidateStep<T>>(new(gates, previous, hidden, step), hidden.Rows, hidden.Columns, CandidateCost, compute);

    /// <summary>
    /// With dh = dy + carry: dn = dh (1 - z) (1 - n^2), dz = dh (h - n) z (1 - z), and carry = dh z, what goes to h directly. Rows whose
    /// sequence has ended get zeros for dr, dz and dn, and keep carry.
    /// </summary>
    public static void CandidateGradient<T>(
        ReadOnlyMatrix<T> gates, ReadOnlyMatrix<T> previous, ReadOnlyMatrix<T> outputs, Matrix<T> carry, Matrix<T> gradients, TimeStep step,
        ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.ForRows<T, GruCandidateGradient<T>>(
            new(gates, previous, outputs, carry, gradients, step), carry.Rows, carry.Columns, BackwardCost, compute);

    /// <summary>With e, the gradient by r h: dr = e h r (1 - r), and carry grows by e r. Rows whose sequence has ended keep all.</summary>
    public static void ResetGradient<T>(
        ReadOnlyMatrix<T> gates, ReadOnlyMatrix<T> previous, ReadOnlyMatrix<T> e, Matrix<T> carry, Matrix<T> gradients, TimeStep step,
        ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.ForRows<T, GruResetGradient<T>>(new(gates, previous, e, carry, gradients, step), carry.Rows, carry.Columns, BackwardCost, compute);
}

/// <inheritdoc cref="GruBeforeSteps.Reset"/>
internal readonly unsafe ref struct GruResetStep<T>(Matrix<T> gates, ReadOnlyMatrix<T> previous, Matrix<T> reset, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Matrix<T> _gates = gates, _reset = reset;
    private readonly ReadOnlyMatrix<T> _previous = previous;
    private readonly TimeStep _step = step;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _reset.Columns;
        fixed (T* gates = _gates.Span, previous = _previous.Span, reset = _reset.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                T* r = gates + row * _gates.RowStride, result = reset + row * _reset.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(result, (int)units).Clear();
                    continue;
                }

                MapLoops.Unary<TVector, T, Elementwise.SigmoidOperator<T>>(default, r, r, 2 * units);
                MapLoops.Binary<TVector, T, ProductOperator<T>>(default, r, previous + row * _previous.RowStride, result, units);
            }
        }
    }
}

/// <inheritdoc cref="GruBeforeSteps.Candidate"/>
internal readonly unsafe ref struct GruCandidateStep<T>(Matrix<T> gates, ReadOnlyMatrix<T> previous, Matrix<T> hidden, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Matrix<T> _gates = gates, _hidden = hidden;
    private readonly ReadOnlyMatrix<T> _previous = previous;
    private readonly TimeStep _step = step;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _hidden.Columns;
        fixed (T* gates = _gates.Span, previous = _previous.Span, hidden = _hidden.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                T* z = gates + row * _gates.RowStride + units, n = z + units, h = hidden + row * _hidden.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(h, (int)units).Clear();
                    continue;
                }

                MapLoops.Unary<TVector, T, Elementwise.TanhOperator<T>>(default, n, n, units);
                MapLoops.Ternary<TVector, T, MixOperator<T>>(default, z, previous + row * _previous.RowStride, n, h, units);
            }
        }
    }
}

/// <inheritdoc cref="GruBeforeSteps.CandidateGradient"/>
internal readonly unsafe ref struct GruCandidateGradient<T>(
    ReadOnlyMatrix<T> gates, ReadOnlyMatrix<T> previous, ReadOnlyMatrix<T> outputs, Matrix<T> carry, Matrix<T> gradients, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlyMatrix<T> _gates = gates, _previous = previous, _outputs = outputs;
    private readonly Matrix<T> _carry = carry, _gradients = gradients;
    private readonly TimeStep _step = step;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _carry.Columns;
        fixed (T* gates = _gates.Span, previous = _previous.Span, outputs = _outputs.Span, carry = _carry.Span, gradients = _gradients.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                T* d = gradients + row * _gradients.RowStride, dh = carry + row * _carry.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(d, (int)(3 * units)).Clear();
                    continue;
                }

                T* z = gates + row * _gates.RowStride + units, n = z + units;
                MapLoops.Binary<TVector, T, Elementwise.AddOperator<T>>(default, outputs + row * _outputs.RowStride, dh, dh, units);
                MapLoops.Quaternary<TVector, T, UpdateGradientOperator<T>>(default, dh, previous + row * _previous.RowStride, n, z, d + units, units);
                MapLoops.Ternary<TVector, T, CandidateGradientOperator<T>>(default, dh, z, n, d + 2 * units, units);
                MapLoops.Binary<TVector, T, ProductOperator<T>>(default, dh, z, dh, units);
            }
        }
    }
}

/// <inheritdoc cref="GruBeforeSteps.ResetGradient"/>
internal readonly unsafe ref struct GruResetGradient<T>(
    ReadOnlyMatrix<T> gates, ReadOnlyMatrix<T> previous, ReadOnlyMatrix<T> e, Matrix<T> carry, Matrix<T> gradients, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlyMatrix<T> _gates = gates, _previous = previous, _e = e;
    private readonly Matrix<T> _carry = carry, _gradients = gradients;
    private readonly TimeStep _step = step;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _carry.Columns;
        fixed (T* gates = _gates.Span, previous = _previous.Span, gradient = _e.Span, carry = _carry.Span, gradients = _gradients.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                if (_step.HasEnded((int)row))
                    continue;
                T* r = gates + row * _gates.RowStride, e = gradient + row * _e.RowStride, dh = carry + row * _carry.RowStride;
                MapLoops.Ternary<TVector, T, ResetGradientOperator<T>>(
                    default, e, previous + row * _previous.RowStride, r, gradients + row * _gradients.RowStride, units);
                MapLoops.Ternary<TVector, T, Elementwise.MultiplyAddOperator<T>>(default, e, r, dh, dh, units);
            }
        }
    }
}

/// <summary>x y.</summary>
internal readonly struct ProductOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => x * y;
}

/// <summary>n + z (h - n), of z, h, n.</summary>
internal readonly struct MixOperator<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.MultiplyAdd(x, y - z, z);
}

/// <summary>dh (h - n) z (1 - z), of dh, h, n, z.</summary>
internal readonly struct UpdateGradientOperator<T> : IQuaternaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector w) where TVector : unmanaged, ISimdVector<TVector, T> =>
        x * (y - z) * (w * (1 - w));
}

/// <summary>dh (1 - z) (1 - n^2), of dh, z, n.</summary>
internal readonly struct CandidateGradientOperator<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => x * (1 - y) * (1 - z * z);
}

/// <summary>e h r (1 - r), of e, h, r.</summary>
internal readonly struct ResetGradientOperator<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => x * y * (z * (1 - z));
}
