using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>x[i] = (x[i] - offset[j]) factor[j] + shift[j] in place, j = i mod the length of a pattern.</summary>
internal static unsafe class RowScaling
{
    /// <summary>Nanoseconds per element.</summary>
    private const double Cost = 0.15;

    /// <summary>Scales; patterns have one length of 1 or more, and lie apart from the values.</summary>
    public static void Run<T>(Span<T> values, ReadOnlySpan<T> offset, ReadOnlySpan<T> factor, ReadOnlySpan<T> shift, ComputeContext? context = null, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        SpanGuard.SameLength(offset.Length, factor.Length);
        SpanGuard.SameLength(offset.Length, shift.Length);
        if (values.IsEmpty)
            return;
        var rows = (values.Length - 1) / offset.Length + 1;
        var body = new SimdRange<T, Body<T>>(new(values, offset, factor, shift), RegisterWidth.OfColumns<T>(offset.Length, width));
        (context ?? ComputeContext.SingleThreaded).For(rows, 1, Cost * values.Length, in body);
    }

    private readonly ref struct Body<T>(Span<T> values, ReadOnlySpan<T> offset, ReadOnlySpan<T> factor, ReadOnlySpan<T> shift) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Span<T> _values = values;
        private readonly ReadOnlySpan<T> _offset = offset, _factor = factor, _shift = shift;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* values = _values, offset = _offset, factor = _factor, shift = _shift)
            {
                for (var row = start; row < limit; row++)
                {
                    var first = (nint)row * _offset.Length;
                    var n = Math.Min(_offset.Length, _values.Length - first);
                    MapLoops.Quaternary<TVector, T, Operator<T>>(default, values + first, offset, factor, shift, values + first, n);
                }
            }
        }
    }

    private readonly struct Operator<T> : IQuaternaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector w) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.MultiplyAdd(x - y, z, w);
    }
}
