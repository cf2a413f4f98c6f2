using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>
/// What some hardware has no instruction for, with the same results: exponents by integer arithmetic, exact products, loads and
/// stores of part of a register. The formulas go step by step: an inlined formula may have few temporaries.
/// </summary>
internal static class SimdBits
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>1.5 * 2^(mantissa bits): added to a small number, it rounds it to an integer and leaves that integer in the low bits.</summary>
    public const float SingleRounder = 12582912f;

    /// <inheritdoc cref="SingleRounder"/>
    public const double DoubleRounder = 6755399441055744d;

    /// <summary>True where multiply-add rounds once, up to 256 bits.</summary>
    public static bool IsFused
    {
        [MethodImpl(Inline)]
        get => Fma.IsSupported || AdvSimd.IsSupported;
    }

    /// <summary><see cref="ISimdVector{TSelf, T}.LoadPartial"/> without masks.</summary>
    [MethodImpl(Inline)]
    public static unsafe TVector LoadPartial<TVector, T>(T* source, int count)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = TVector.Zero;
        Unsafe.CopyBlockUnaligned(&value, source, (uint)(count * sizeof(T)));
        return value;
    }

    /// <summary><see cref="ISimdVector{TSelf, T}.StorePartial"/> without masks.</summary>
    [MethodImpl(Inline)]
    public static unsafe void StorePartial<TVector, T>(T* destination, TVector value, int count)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Unsafe.CopyBlockUnaligned(destination, &value, (uint)(count * sizeof(T)));

    /// <summary><see cref="ISimdVector{TSelf}.ProductError"/> by Dekker's method: halves of the factors have exact products.</summary>
    [MethodImpl(Inline)]
    public static TVector ProductError<TVector, T>(TVector left, TVector right, TVector product)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var half = typeof(T) == typeof(float) ? 4097.0 : 134217729;
        var leftUpper = left * half;
        leftUpper -= leftUpper - left;
        var leftLower = left - leftUpper;
        var rightUpper = right * half;
        rightUpper -= rightUpper - right;
        var rightLower = right - rightUpper;
        var error = leftUpper * rightUpper - product;
        error += leftUpper * rightLower;
        error += leftLower * rightUpper;
        return error + leftLower * rightLower;
    }

    /// <summary><see cref="ISimdVector{TSelf}.ScaleByPowerOfTwo"/> in two halves, so that only the second may round.</summary>
    [MethodImpl(Inline)]
    public static TVector ScaleByPowerOfTwo<TVector, T>(TVector value, TVector exponent)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The integers stay in the low bits, from where they are moved to the exponent.
        var rounder = TVector.Create(SingleRounder, DoubleRounder);
        var half = TVector.MultiplyAdd(exponent, 0.5, rounder);
        var rest = half - rounder;
        rest = exponent - rest;
        rest += rounder;
        var field = typeof(T) == typeof(float) ? 23 : 52;
        half = TVector.ShiftBitsLeft(half, field);
        rest = TVector.ShiftBitsLeft(rest, field);
        var one = TVector.One;
        value *= TVector.AddBits(half, one);
        return value * TVector.AddBits(rest, one);
    }

    /// <summary><see cref="ISimdVector{TSelf}.Exponent"/>.</summary>
    [MethodImpl(Inline)]
    public static TVector Exponent<TVector, T>(TVector value)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The exponent field, set behind the bits of 2^(mantissa bits), is a number.
        var k = TVector.ShiftBitsRight(Biased<TVector, T>(value), typeof(T) == typeof(float) ? 23 : 52);
        var carrier = TVector.Create(8388608f, 4503599627370496d);
        k |= carrier;
        var zero = TVector.Create(8388608f + 127f, 4503599627370496d + 1023d);
        k -= zero;
        var shift = TVector.Create(25f, 54d);
        k -= TVector.AndNot(shift, value >= LeastNormal<T>());
        k = TVector.Select(value < double.PositiveInfinity, k, value);
        var infinity = TVector.Create(double.NegativeInfinity);
        return TVector.Select(TVector.Equal(value, TVector.Zero), infinity, k);
    }

    /// <summary><see cref="ISimdVector{TSelf}.Significand"/>.</summary>
    [MethodImpl(Inline)]
    public static TVector Significand<TVector, T>(TVector value)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var fraction = FromBits<TVector, T>(0x007FFFFF, 0x000FFFFFFFFFFFFF);
        fraction &= Biased<TVector, T>(value);
        var m = TVector.Create(0.75);
        m = TVector.AddBits(m, fraction);
        return m + TVector.AndNot(TVector.Create(double.NaN), value >= 0);
    }

    /// <summary>The bits of a normal number (a subnormal one is made normal), moved so that the exponent changes at 3/4.</summary>
    [MethodImpl(Inline)]
    private static TVector Biased<TVector, T>(TVector value)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var normal = value * (typeof(T) == typeof(float) ? 33554432 : 18014398509481984);
        normal = TVector.Select(value < LeastNormal<T>(), normal, value);
        var bias = FromBits<TVector, T>(0x3F800000 - 0x3F400000, 0x3FF0000000000000 - 0x3FE8000000000000);
        return TVector.AddBits(normal, bias);
    }

    [MethodImpl(Inline)]
    private static double LeastNormal<T>() where T : unmanaged => typeof(T) == typeof(float) ? 1.1754943508222875e-38 : 2.2250738585072014e-308;

    [MethodImpl(Inline)]
    private static TVector FromBits<TVector, T>(int single, long twice)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        TVector.Create(BitConverter.Int32BitsToSingle(single), BitConverter.Int64BitsToDouble(twice));
}
