using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Tests.Memory;

public sealed class AlignedBufferTests
{
    [Fact]
    public void Every_block_starts_on_a_boundary_and_is_zero()
    {
        Check<byte>();
        Check<short>();
        Check<int>();
        Check<float>();
        Check<double>();
    }

    private static void Check<T>() where T : unmanaged, IEquatable<T>
    {
        var held = new List<AlignedBuffer<T>>(); // Live together, so that starts differ.
        foreach (var length in (int[])[1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 1000, 4096, 30_000, 100_003])
        {
            for (var repeat = 0; repeat < 8; repeat++)
            {
                var buffer = new AlignedBuffer<T>(length);
                held.Add(buffer);
                Assert.Equal(length, buffer.Length);
                Assert.Equal(length, buffer.Span.Length);
                Assert.Equal(length, buffer.Memory.Length);
                Assert.False(buffer.Span.ContainsAnyExcept(default(T)), $"{typeof(T).Name}[{length}] is not zero.");
                Assert.True(Address(buffer.Span) % AlignedBuffer<T>.Alignment == 0, $"{typeof(T).Name}[{length}] starts at 0x{Address(buffer.Span):x}.");
                Assert.True(buffer.Bytes >= (long)length * Unsafe.SizeOf<T>());
                Assert.True(buffer.Bytes <= (long)length * Unsafe.SizeOf<T>() + AlignedBuffer<T>.Alignment);
            }
        }

        GC.KeepAlive(held);
    }

    [Fact]
    public void A_block_does_not_move()
    {
        var buffers = Enumerable.Range(1, 50).Select(length => new AlignedBuffer<float>(length * 10)).ToArray();
        var before = Array.ConvertAll(buffers, buffer => Address(buffer.Span));
        for (var i = 0; i < 3; i++)
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        Assert.Equal(before, Array.ConvertAll(buffers, buffer => Address(buffer.Span)));
    }

    [Fact]
    public void Span_and_memory_are_the_same_elements()
    {
        var buffer = new AlignedBuffer<double>(9);
        buffer.Span[4] = 3;
        Assert.Equal(3, buffer.Memory.Span[4]);
        Assert.True(Unsafe.AreSame(ref buffer.Span[0], ref buffer.Memory.Span[0]));
    }

    [Fact]
    public void A_span_keeps_its_block_alive()
    {
        var span = Make();
        for (var i = 0; i < 3; i++)
            GC.Collect();
        _ = new byte[100_000];
        Assert.Equal(7, span[99]);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static Span<float> Make()
        {
            var buffer = new AlignedBuffer<float>(100);
            buffer.Span[99] = 7;
            return buffer.Span;
        }
    }

    [Fact]
    public void An_empty_block_costs_nothing()
    {
        var buffer = new AlignedBuffer<float>(0);
        Assert.Equal(0, buffer.Length);
        Assert.True(buffer.Span.IsEmpty);
        Assert.Equal(0, buffer.Bytes);
    }

    [Fact]
    public void Impossible_lengths_are_refused()
    {
        Assert.Equal("length", Assert.Throws<ArgumentOutOfRangeException>(() => new AlignedBuffer<float>(-1)).ParamName);
        Assert.Equal("length", Assert.Throws<ArgumentOutOfRangeException>(() => new AlignedBuffer<byte>(int.MaxValue)).ParamName);
        Assert.Equal("length", Assert.Throws<ArgumentOutOfRangeException>(() => new AlignedBuffer<float>(Array.MaxLength)).ParamName);
        Assert.Equal("length", Assert.Throws<ArgumentOutOfRangeException>(() => new AlignedBuffer<double>(Array.MaxLength - 7)).ParamName);
    }

    [Fact]
    public void Elements_that_cannot_start_on_every_boundary_are_refused()
    {
        Assert.Contains("System.Decimal has 16", Assert.Throws<NotSupportedException>(() => new AlignedBuffer<decimal>(1)).Message, StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => new AlignedBuffer<(float, float, float)>(1));
    }

    private static unsafe nuint Address<T>(Span<T> span) where T : unmanaged => (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(span));
}
