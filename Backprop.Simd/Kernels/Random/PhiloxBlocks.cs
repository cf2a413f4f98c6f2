using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Kernels;

/// <summary>Many blocks of <see cref="Philox"/> at once: the words of <see cref="Philox.Block"/>, in the same order.</summary>
internal static unsafe class PhiloxBlocks
{
    private const uint Left = 0xD2511F53, Right = 0xCD9E8D57, KeyStep0 = 0x9E3779B9, KeyStep1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Blocks go in groups of so many: with the widest registers they fill two.</summary>
    public const int Group = 8;

    /// <summary>Writes the words of the blocks <paramref name="counter"/>, <paramref name="counter"/> + 1, ... of a stream.</summary>
    /// <param name="counter">The low half of the first counter.</param>
    /// <param name="counterHigh">The high half of all counters.</param>
    /// <param name="key">The key.</param>
    /// <param name="words">Room for four words a block.</param>
    /// <param name="blocks">How many, a multiple of <see cref="Group"/>.</param>
    public static void Fill(ulong counter, ulong counterHigh, ulong key, uint* words, int blocks)
    {
        if (RegisterWidth.Machine == SimdWidth.Bits512)
            Fill512(counter, counterHigh, key, words, blocks);
        else if (RegisterWidth.Machine == SimdWidth.Bits256)
            Fill256(counter, counterHigh, key, words, blocks);
        else
            FillScalar(counter, counterHigh, key, words, blocks);
    }

    /// <summary>
    /// A counter in each 64-bit lane, its words in the low halves; high halves hold anything until the end. Lanes are numbered so
    /// that the last step, which works within 128 bits, leaves the blocks in order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Fill512(ulong counter, ulong counterHigh, ulong key, uint* words, int blocks)
    {
        var lanes = Vector512.Create(counter) + Vector512.Create(0UL, 4, 1, 5, 2, 6, 3, 7);
        Vector512<uint> leftFactor = Vector512.Create(Left), rightFactor = Vector512.Create(Right);
        Vector512<ulong> low = Vector512.Create((ulong)uint.MaxValue);
        for (; blocks > 0; blocks -= 8, words += 32, lanes += Vector512.Create(8UL))
        {
            Vector512<ulong> x = lanes, y = lanes >>> 32, z = Vector512.Create(counterHigh), w = Vector512.Create(counterHigh >> 32);
            uint k0 = (uint)key, k1 = (uint)(key >> 32);
            for (var round = 0; round < Rounds; round++)
            {
                var left = Avx512F.Multiply(leftFactor, x.AsUInt32());
                var right = Avx512F.Multiply(rightFactor, z.AsUInt32());
                x = right >>> 32 ^ y ^ Vector512.Create((ulong)k0);
                y = right;
                z = left >>> 32 ^ w ^ Vector512.Create((ulong)k1);
                w = left;
                k0 += KeyStep0;
                k1 += KeyStep1;
            }

            Vector512<ulong> xy = x & low | y << 32, zw = z & low | w << 32;
            Avx512F.UnpackLow(xy, zw).AsUInt32().Store(words);
            Avx512F.UnpackHigh(xy, zw).AsUInt32().Store(words + 16);
        }
    }

    /// <inheritdoc cref="Fill512"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Fill256(ulong counter, ulong counterHigh, ulong key, uint* words, int blocks)
    {
        var lanes = Vector256.Create(counter) + Vector256.Create(0UL, 2, 1, 3);
        Vector256<uint> leftFactor = Vector256.Create(Left), rightFactor = Vector256.Create(Right);
        Vector256<ulong> low = Vector256.Create((ulong)uint.MaxValue);
        for (; blocks > 0; blocks -= 4, words += 16, lanes += Vector256.Create(4UL))
        {
            Vector256<ulong> x = lanes, y = lanes >>> 32, z = Vector256.Create(counterHigh), w = Vector256.Create(counterHigh >> 32);
            uint k0 = (uint)key, k1 = (uint)(key >> 32);
            for (var round = 0; round < Rounds; round++)
            {
                var left = Avx2.Multiply(leftFactor, x.AsUInt32());
                var right = Avx2.Multiply(rightFactor, z.AsUInt32());
                x = right >>> 32 ^ y ^ Vector256.Create((ulong)k0);
                y = right;
                z = left >>> 32 ^ w ^ Vector256.Create((ulong)k1);
                w = left;
                k0 += KeyStep0;
                k1 += KeyStep1;
            }

            Vector256<ulong> xy = x & low | y << 32, zw = z & low | w << 32;
            Avx2.UnpackLow(xy, zw).AsUInt32().Store(words);
            Avx2.UnpackHigh(xy, zw).AsUInt32().Store(words + 8);
        }
    }

    internal static void FillScalar(ulong counter, ulong counterHigh, ulong key, uint* words, int blocks)
    {
        for (var block = 0; block < blocks; block++, words += 4)
            (words[0], words[1], words[2], words[3]) = Philox.Block(counter + (ulong)block, counterHigh, key);
    }
}
