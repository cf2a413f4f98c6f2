using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The time steps of a simple recurrence, shared out over the threads by rows.</summary>
internal static class RnnSteps
{
    /// <summary>Nanoseconds per unit: an exponential and a quotient, and some five operations.</summary>
    private const double ForwardCost = 0.5, BackwardCost = 0.25;

    /// <inheritdoc cref="RnnForwardStep{T, TOperator}"/>
    public static void Forward<T, TOperator>(TOperator f, Matrix<T> hidden, TimeStep step, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IUnaryOperator<T> =>
        RegisterWidth.ForRows<T, RnnForwardStep<T, TOperator>>(new(f, hidden, step), hidden.Rows, hidden.Columns, ForwardCost, compute);

    /// <inheritdoc cref="RnnBackwardStep{T, TOperator}"/>
    public static void Backward<T, TOperator>(
        TOperator f, ReadOnlyMatrix<T> hidden, ReadOnlyMatrix<T> outputs, Matrix<T> carry, Matrix<T> gradients, TimeStep step, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IBinaryOperator<T> =>
        RegisterWidth.ForRows<T, RnnBackwardStep<T, TOperator>>(
            new(f, hidden, outputs, carry, gradients, step), hidden.Rows, hidden.Columns, BackwardCost, compute);
}

/// <summary>One time step of a simple recurrence: h = f(sums), in place. Rows whose sequence has ended get h = 0.</summary>
/// <param name="f">f.</param>
/// <param name="hidden">The sums x W + b + h U, [rows, units]; h afterwards.</param>
/// <param name="step">The time step.</param>
internal readonly unsafe ref struct RnnForwardStep<T, TOperator>(TOperator f, Matrix<T> hidden, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TOperator : struct, IUnaryOperator<T>
{
    private readonly Matrix<T> _hidden = hidden;
    private readonly TimeStep _step = step;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _hidden.Columns;
        fixed (T* hidden = _hidden.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                var h = hidden + row * _hidden.RowStride;
                if (_step.HasEnded((int)row))
                    new Span<T>(h, (int)units).Clear();
                else
                    MapLoops.Unary<TVector, T, TOperator>(f, h, h, units);
            }
        }
    }
}

/// <summary>
/// The gradients of one time step of a simple recurrence: d = (dy + carry) f'. Rows whose sequence has ended get zeros and keep carry; of
/// the others carry is cleared.
/// </summary>
/// <param name="f">dh f', from dh and h.</param>
/// <param name="hidden">h.</param>
/// <param name="outputs">dy, the gradient by this step's output.</param>
/// <param name="carry">The gradient by h that the steps behind give.</param>
/// <param name="gradients">d: by the sums before the function.</param>
/// <param name="step">The time step.</param>
internal readonly unsafe ref struct RnnBackwardStep<T, TOperator>(
    TOperator f, ReadOnlyMatrix<T> hidden, ReadOnlyMatrix<T> outputs, Matrix<T> carry, Matrix<T> gradients, TimeStep step) : ISimdRangeBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TOperator : struct, IBinaryOperator<T>
{
    private readonly ReadOnlyMatrix<T> _hidden = hidden, _outputs = outputs;
    private readonly Matrix<T> _carry = carry, _gradients = gradients;
    private readonly TimeStep _step = step;

    public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        nint units = _carry.Columns;
        fixed (T* hidden = _hidden.Span, outputs = _outputs.Span, carry = _carry.Span, gradients = _gradients.Span)
        {
            for (nint row = start; row < limit; row++)
            {
                T* d = gradients + row * _gradients.RowStride, c = carry + row * _carry.RowStride;
                if (_step.HasEnded((int)row))
                {
                    new Span<T>(d, (int)units).Clear();
                    continue;
                }

                MapLoops.Ternary<TVector, T, OfSum<T, TOperator>>(new(f), outputs + row * _outputs.RowStride, c, hidden + row * _hidden.RowStride, d, units);
                new Span<T>(c, (int)units).Clear();
            }
        }
    }
}

/// <summary>f(x + y, z).</summary>
internal readonly struct OfSum<T, TOperator>(TOperator f) : ITernaryOperator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TOperator : struct, IBinaryOperator<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => f.Invoke(x + y, z);
}

/// <summary>x, whatever y is.</summary>
internal readonly struct FirstOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => x;
}
