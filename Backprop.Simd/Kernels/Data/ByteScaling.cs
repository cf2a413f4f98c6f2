using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>y[i] = x[i] / maximum, correctly rounded, for bytes x.</summary>
/// <remarks>
/// A division costs as much as ten multiplications. With r = 1 / maximum, q = x r and e = x - q maximum (exact in a fused
/// operation), q + e r is the rounded quotient but for rare divisors (Markstein, "Computation of elementary functions on the IBM
/// RISC System/6000 processor", 1990, theorem 7). All 256 quotients are looked at once; where one differs, kernels divide.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
internal readonly struct ByteScale<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Looks at all quotients.</summary>
    /// <param name="maximum">The byte that stands for 1: positive and finite in <typeparamref name="T"/>.</param>
    public ByteScale(double maximum)
    {
        Maximum = T.CreateTruncating(maximum);
        SpanGuard.PositiveFinite(Maximum, nameof(maximum));
        Reciprocal = T.One / Maximum;
        IsCorrected = SimdBits.IsFused;
        for (var x = 0; x < 256 && IsCorrected; x++)
        {
            var (value, quotient) = (T.CreateTruncating(x), T.CreateTruncating(x) * Reciprocal);
            var error = T.FusedMultiplyAdd(-quotient, Maximum, value);
            IsCorrected = T.FusedMultiplyAdd(error, Reciprocal, quotient) == value / Maximum;
        }
    }

    /// <summary>The divisor.</summary>
    public T Maximum { get; }

    /// <summary>1 / maximum, rounded.</summary>
    public T Reciprocal { get; }

    /// <summary>Whether products with the reciprocal, corrected, are the quotients.</summary>
    public bool IsCorrected { get; }
}

/// <summary>The loop of <see cref="ByteScale{T}"/>.</summary>
internal static unsafe class ByteScaling
{
    /// <summary>y[i] = x[i] / maximum, correctly rounded.</summary>
    /// <param name="scale">The divisor.</param>
    /// <param name="x">The bytes.</param>
    /// <param name="y">As many numbers; a longer span keeps its tail.</param>
    /// <param name="width">The register width.</param>
    public static void Divide<T>(ByteScale<T> scale, ReadOnlySpan<byte> x, Span<T> y, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        SpanGuard.AtLeast(x.Length, y.Length);
        if (!x.IsEmpty)
            new SimdRange<T, Body<T>>(new(scale, x, y), width).Execute(0, x.Length);
    }

    private readonly ref struct Body<T>(ByteScale<T> scale, ReadOnlySpan<byte> x, Span<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<byte> _x = x;
        private readonly Span<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            if (limit - start < TVector.Count)
            {
                for (var i = start; i < limit; i++)
                    _y[i] = T.CreateTruncating(_x[i]) / scale.Maximum;
                return;
            }

            fixed (byte* x = _x)
            fixed (T* y = _y)
            {
                if (scale.IsCorrected)
                    Corrected<TVector>(x + start, y + start, limit - start);
                else
                    Divided<TVector>(x + start, y + start, limit - start);
            }
        }

        // The last register may overlap the one before.
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private void Corrected<TVector>(byte* x, T* y, nint n) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            TVector maximum = TVector.Create(scale.Maximum), reciprocal = TVector.Create(scale.Reciprocal);
            var last = n - TVector.Count;
            for (nint i = 0; ; i = Math.Min(i + TVector.Count, last))
            {
                var value = ByteLanes.Load<TVector, T>(x + i);
                var quotient = value * reciprocal;
                var error = TVector.MultiplyAdd(-quotient, maximum, value);
                TVector.Store(y + i, TVector.MultiplyAdd(error, reciprocal, quotient));
                if (i == last)
                    return;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private void Divided<TVector>(byte* x, T* y, nint n) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var maximum = TVector.Create(scale.Maximum);
            var last = n - TVector.Count;
            for (nint i = 0; ; i = Math.Min(i + TVector.Count, last))
            {
                TVector.Store(y + i, ByteLanes.Load<TVector, T>(x + i) / maximum);
                if (i == last)
                    return;
            }
        }
    }
}
