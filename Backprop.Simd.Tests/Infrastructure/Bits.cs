using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>Comparison bit by bit: NaN equals the same NaN, 0 differs from -0.</summary>
internal static class Bits
{
    public static bool Equal<T>(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual) where T : unmanaged =>
        MemoryMarshal.AsBytes(expected).SequenceEqual(MemoryMarshal.AsBytes(actual));

    /// <summary>Fails with the first differing element, its values and their bits.</summary>
    public static void AssertEqual<T>(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual, string what) where T : unmanaged
    {
        if (Equal(expected, actual))
            return;
        Assert.True(expected.Length == actual.Length, $"{what}: {expected.Length} elements expected, {actual.Length} found.");
        for (var i = 0; i < expected.Length; i++)
        {
            if (!Equal(expected.Slice(i, 1), actual.Slice(i, 1)))
                Assert.Fail($"{what}: element {i} is {actual[i]} (0x{Hex(actual[i])}), expected {expected[i]} (0x{Hex(expected[i])}).");
        }
    }

    /// <summary>The bytes of a value, most significant first on a little-endian machine.</summary>
    public static string Hex<T>(T value) where T : unmanaged
    {
        Span<byte> bytes = stackalloc byte[Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(bytes, in value);
        if (BitConverter.IsLittleEndian)
            bytes.Reverse();
        return Convert.ToHexString(bytes);
    }
}
