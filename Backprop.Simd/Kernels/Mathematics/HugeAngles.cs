using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The product of large numbers with 2/pi modulo 4, with all the digits that it takes (after Payne and Hanek).</summary>
internal static class HugeAngles
{
    /// <summary>2/pi in digits of 24 bits. float takes each in two halves, and a sixth of all.</summary>
    private static ReadOnlySpan<int> Digits =>
    [
        0xA2F983, 0x6E4E44, 0x1529FC, 0x2757D1, 0xF534DD, 0xC0DB62, 0x95993C, 0x439041, 0xFE5163, 0xABDEBB, 0xC561B7, 0x246E3A,
        0x424DD2, 0xE00649, 0x2EEA09, 0xD1921C, 0xFE1DEB, 0x1CB129, 0xA73EE8, 0x8235F5, 0x2EBB44, 0x84E99C, 0x7026B4, 0x5F7E41,
        0x3991D6, 0x398353, 0x39F49C, 0x845F8B, 0xBDF928, 0x3B1FF8, 0x97FFDE, 0x05980F, 0xEF2F11, 0x8B5A0A, 0x6D1F6D, 0x367ECF,
        0x27CB09, 0xB74F46, 0x3F669E, 0x5FEA2D, 0x7527BA, 0xC7EBE5, 0xF17B3D, 0x0739F7, 0x8A5292, 0xEA6BFB, 0x5FB11F, 0x8D5D08,
    ];

    /// <summary>a 2/pi as an integer, modulo 4, and a rest of at most 1/2 in quarters of a turn, in two numbers.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ReducedAngle<TVector> Quarters<TVector>(TVector a) where TVector : struct, ISimdVector<TVector>
    {
        // Scaled, so that neither the products with digits overflow nor the digits' weights underflow; a product of a half of a and
        // a digit is exact.
        a *= TVector.IsSingle ? 8.271806125530277e-25 : 6.223015277861142e-61; // 2^-80, 2^-200.
        var upper = a * (TVector.IsSingle ? 4097 : 134217729.0);
        upper -= upper - a;
        var lower = a - upper;
        var sum = new Sum<TVector>();
        var weight = TVector.IsSingle ? 1.2089258196146292e24 : 1.6069380442589903e60;
        var digits = TVector.IsSingle ? Digits[..8] : Digits;
        for (var i = 0; i < digits.Length; i++)
        {
            if (TVector.IsSingle)
            {
                weight /= 4096;
                sum.Add(upper * ((digits[i] >> 12) * weight), lower * ((digits[i] >> 12) * weight));
                weight /= 4096;
                sum.Add(upper * ((digits[i] & 0xFFF) * weight), lower * ((digits[i] & 0xFFF) * weight));
            }
            else
            {
                weight /= 16777216;
                sum.Add(upper * (digits[i] * weight), lower * (digits[i] * weight));
            }
        }

        return sum.Result;
    }

    /// <summary>A sum modulo 4: an integer, and a rest in two numbers. Whole quarters leave it as soon as they appear, so that a rest near
    /// 0 has all its digits.</summary>
    private struct Sum<TVector> where TVector : struct, ISimdVector<TVector>
    {
        private TVector _quarters, _high, _low;

        public readonly ReducedAngle<TVector> Result => new(_quarters, _high, _low);

        public void Add(TVector first, TVector second)
        {
            Add(first);
            Add(second);
        }

        private void Add(TVector term)
        {
            // A number of 2^25 (float) or 2^54 (double) and more is a multiple of 4.
            var rounder = TVector.IsSingle ? 50331648 : 27021597764222976.0; // 1.5 times that.
            var isWhole = TVector.Abs(term) >= (TVector.IsSingle ? 33554432 : 18014398509481984.0);
            term -= term + rounder - rounder;
            term = TVector.AndNot(term, isWhole);
            var (sum, error) = Exact(_high, term);
            var whole = VectorMath.RoundSmall(sum);
            _quarters += whole;
            (_high, _low) = Exact(sum - whole, _low + error);
        }

        /// <summary>x + y and what rounding has taken from it, whichever is larger.</summary>
        private static (TVector Sum, TVector Error) Exact(TVector x, TVector y)
        {
            var sum = x + y;
            var part = sum - x;
            return (sum, x - (sum - part) + (y - part));
        }
    }
}
