using System.Numerics;
using System.Runtime.Intrinsics.X86;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Blocks of random words in registers, and what is dropped by them, against one block at a time.</summary>
public sealed unsafe class DroppingTests
{
    [Fact]
    public void Blocks_in_registers_are_those_of_Philox()
    {
        const int Blocks = 24;
        foreach (var counter in (ulong[])[0, 5, uint.MaxValue - 3, ulong.MaxValue - 2, 0x0123_4567_89ab_cdef])
        {
            foreach (var (high, key) in ((ulong, ulong)[])[(0, 0), (0x85a308d3_243f6a88, 0x03707344_13198a2e), (ulong.MaxValue, ulong.MaxValue)])
            {
                var expected = new uint[4 * Blocks];
                for (var i = 0; i < Blocks; i++)
                    (expected[4 * i], expected[4 * i + 1], expected[4 * i + 2], expected[4 * i + 3]) = Philox.Block(unchecked(counter + (ulong)i), high, key);
                Assert.Equal(expected, Words(Blocks, words => PhiloxBlocks.Fill(counter, high, key, (uint*)words, Blocks)));
                Assert.Equal(expected, Words(Blocks, words => PhiloxBlocks.FillScalar(counter, high, key, (uint*)words, Blocks)));
                if (Avx2.IsSupported)
                    Assert.Equal(expected, Words(Blocks, words => PhiloxBlocks.Fill256(counter, high, key, (uint*)words, Blocks)));
                if (Avx512F.IsSupported)
                    Assert.Equal(expected, Words(Blocks, words => PhiloxBlocks.Fill512(counter, high, key, (uint*)words, Blocks)));
            }
        }
    }

    [Fact]
    public void Float_drops_what_the_words_say() => Check<float>();

    [Fact]
    public void Double_drops_what_the_words_say() => Check<double>();

    private static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        var stream = new WordStream(0x1234_5678_9abc_def0, 42);
        using GuardedMemory pages = new(1 << 16), results = new(1 << 16);
        foreach (var width in Enum.GetValues<SimdWidth>())
        {
            foreach (var n in (int[])[1, 3, 4, 7, 16, 31, 511, 512, 513, 1100])
            {
                foreach (var (first, p) in ((ulong, double)[])[(0, 0.5), (3, 0.1), (4, 0.9), (5, 0.3), (ulong.MaxValue / 8 + 2, 0.5)])
                {
                    foreach (var atEnd in (bool[])[true, false])
                    {
                        Span<T> x = atEnd ? pages.AtEnd<T>(n) : pages.AtStart<T>(n), y = atEnd ? results.AtEnd<T>(n) : results.AtStart<T>(n);
                        var what = $"{typeof(T).Name}, {width}, {n} from {first}, p {p}";
                        for (var i = 0; i < n; i++)
                            x[i] = T.CreateTruncating(i + 1);
                        y.Fill(T.NaN);
                        Dropping.Run<T>(stream, first, p, 2, x, y, null, width);
                        AssertEqual(y, i => IsKept(stream, first + (ulong)i, p) ? 2 * (i + 1) : 0, what);
                        Dropping.Run<T>(stream, first, p, 2, x, new(y, adds: true), null, width);
                        AssertEqual(y, i => IsKept(stream, first + (ulong)i, p) ? 4 * (i + 1) : 0, what + ", added");
                        Dropping.Run<T>(stream, first, p, 3, x, x, null, width);
                        AssertEqual(x, i => IsKept(stream, first + (ulong)i, p) ? 3 * (i + 1) : 0, what + ", in place");
                        pages.AssertUntouched<T>(x, what);
                        results.AssertUntouched<T>(y, what);
                    }
                }
            }
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads() => Threads.AssertSameBits<float>(context =>
    {
        float[] x = [.. Enumerable.Range(1, 9000).Select(i => (float)i)], y = new float[x.Length];
        Dropping.Run<float>(new(1, 2), 7, 0.4, 1, x, y, context);
        return y;
    });

    [Fact]
    public void Dropped_numbers_are_zero_whatever_they_were()
    {
        float[] x = [.. Enumerable.Repeat(float.NaN, 1000)], y = new float[1000];
        Dropping.Run<float>(new(1, 2), 0, 0.5, 2, x, y, null);
        Assert.Contains(0, y);
        Assert.Contains(float.NaN, y);
        Assert.All(y, v => Assert.True(float.IsNaN(v) || v == 0 && float.IsPositive(v)));
    }

    /// <summary>By the definition: the upper 23 bits of the word, as a fraction, are not below p rounded to 23 bits.</summary>
    private static bool IsKept(WordStream stream, ulong position, double p)
    {
        var (x, y, z, w) = Philox.Block(position / 4, stream.CounterHigh, stream.Key);
        var word = (position % 4) switch { 0 => x, 1 => y, 2 => z, _ => w };
        return (word >> 9) >= Math.Round(p * (1 << 23));
    }

    private static void AssertEqual<T>(Span<T> actual, Func<int, double> expected, string what) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < actual.Length; i++)
        {
            if (double.CreateChecked(actual[i]) != expected(i))
                Assert.Fail($"{what}: [{i}] is {actual[i]}, expected {expected(i)}.");
        }
    }

    private static uint[] Words(int blocks, Action<nint> fill)
    {
        var words = new uint[4 * blocks];
        fixed (uint* p = words)
            fill((nint)p);
        return words;
    }
}
