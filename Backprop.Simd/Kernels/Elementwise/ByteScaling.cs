using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
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
                var value = Load<TVector, T>(x + i);
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
                TVector.Store(y + i, Load<TVector, T>(x + i) / maximum);
                if (i == last)
                    return;
            }
        }
    }

    /// <summary>As many bytes as the register has lanes, as numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load<TVector, T>(byte* x)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (TVector.IsSingle)
        {
            if (TVector.Count == Vector512<float>.Count)
                return Unsafe.BitCast<Vector512<float>, TVector>(Singles512(x));
            return TVector.Count == Vector256<float>.Count
                ? Unsafe.BitCast<Vector256<float>, TVector>(Singles256(x))
                : Unsafe.BitCast<Vector128<float>, TVector>(Singles128(x));
        }

        if (TVector.Count == Vector512<double>.Count)
            return Unsafe.BitCast<Vector512<double>, TVector>(Doubles512(x));
        return TVector.Count == Vector256<double>.Count
            ? Unsafe.BitCast<Vector256<double>, TVector>(Doubles256(x))
            : Unsafe.BitCast<Vector128<double>, TVector>(Doubles128(x));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Singles512(byte* x) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(x)))
        : Vector512.Create(Singles256(x), Singles256(x + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Singles256(byte* x) => Avx2.IsSupported
        ? Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(x))
        : Vector256.Create(Singles128(x), Singles128(x + 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Singles128(byte* x) => Vector128.ConvertToSingle(Integers128(Unsafe.ReadUnaligned<uint>(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Doubles512(byte* x) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Double(Avx2.ConvertToVector256Int32(x))
        : Vector512.Create(Doubles256(x), Doubles256(x + 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Doubles256(byte* x) => Avx.IsSupported
        ? Avx.ConvertToVector256Double(Integers128(Unsafe.ReadUnaligned<uint>(x)))
        : Vector256.Create(Doubles128(x), Doubles128(x + 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> Doubles128(byte* x) =>
        Vector128.ConvertToDouble(Vector128.WidenLower(Integers128(Unsafe.ReadUnaligned<ushort>(x))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Integers128(uint bytes) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(bytes).AsByte())).AsInt32();
}
