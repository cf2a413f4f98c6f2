using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Tests.Infrastructure;

public sealed class GuardedMemoryTests
{
    [Fact]
    public unsafe void Spans_touch_the_guards_exactly()
    {
        using var memory = new GuardedMemory(10_000);
        var end = memory.AtEnd<float>(17);
        Assert.Equal(memory.EndAddress, (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(end)) + 17 * sizeof(float));
        var start = memory.AtStart<double>(17);
        Assert.Equal(memory.StartAddress, (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(start)));
    }

    [Fact]
    public void Neighbouring_pages_are_inaccessible()
    {
        using var memory = new GuardedMemory(10_000);
        if (GuardedMemory.IsProtected)
        {
            Assert.Equal("---p", PermissionsAt(memory.EndAddress));
            Assert.Equal("---p", PermissionsAt(memory.StartAddress - 1));
            Assert.Equal("rw-p", PermissionsAt(memory.StartAddress));
            Assert.Equal("rw-p", PermissionsAt(memory.EndAddress - 1));
        }
        else
        {
            Assert.False(memory.Forbidden<byte>(Environment.SystemPageSize).ContainsAnyExcept((byte)0xA5));
        }
    }

    [Fact]
    public void A_write_beside_the_span_is_seen()
    {
        using var memory = new GuardedMemory(64);
        var behind = memory.AtStart<float>(4);
        behind.Fill(1);
        memory.AssertUntouched<float>(behind, "only the span");
        memory.AtStart<float>(5)[4] = 1;
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => memory.AssertUntouched(First(memory, 4), "one behind"));
    }

    // The span without AtStart's refill.
    private static unsafe ReadOnlySpan<float> First(GuardedMemory memory, int length) => new((void*)memory.StartAddress, length);

    private static string PermissionsAt(nuint address)
    {
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var range = line[..line.IndexOf(' ')].Split('-');
            var low = nuint.Parse(range[0], NumberStyles.HexNumber);
            var high = nuint.Parse(range[1], NumberStyles.HexNumber);
            if (address >= low && address < high)
                return line.Split(' ')[1];
        }

        return "unmapped";
    }
}
