using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>Turns bytes into the numbers of a register.</summary>
internal static unsafe class ByteLanes
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Reads as many bytes as the register has lanes, and converts each to a number.</summary>
    [MethodImpl(Inline)]
    public static TVector Load<TVector, T>(byte* x)
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

    [MethodImpl(Inline)]
    private static Vector512<float> Singles512(byte* x) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(x)))
        : Vector512.Create(Singles256(x), Singles256(x + 8));

    [MethodImpl(Inline)]
    private static Vector256<float> Singles256(byte* x) => Avx2.IsSupported
        ? Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(x))
        : Vector256.Create(Singles128(x), Singles128(x + 4));

    [MethodImpl(Inline)]
    private static Vector128<float> Singles128(byte* x) => Vector128.ConvertToSingle(Integers128(Unsafe.ReadUnaligned<uint>(x)));

    [MethodImpl(Inline)]
    private static Vector512<double> Doubles512(byte* x) => Avx512F.IsSupported
        ? Avx512F.ConvertToVector512Double(Avx2.ConvertToVector256Int32(x))
        : Vector512.Create(Doubles256(x), Doubles256(x + 4));

    [MethodImpl(Inline)]
    private static Vector256<double> Doubles256(byte* x) => Avx.IsSupported
        ? Avx.ConvertToVector256Double(Integers128(Unsafe.ReadUnaligned<uint>(x)))
        : Vector256.Create(Doubles128(x), Doubles128(x + 2));

    [MethodImpl(Inline)]
    private static Vector128<double> Doubles128(byte* x) =>
        Vector128.ConvertToDouble(Vector128.WidenLower(Integers128(Unsafe.ReadUnaligned<ushort>(x))));

    [MethodImpl(Inline)]
    private static Vector128<int> Integers128(uint bytes) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalar(bytes).AsByte())).AsInt32();
}
