using System.Numerics;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>A span with guard cells before and after it.</summary>
internal sealed class Guarded<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Guard = 40; // More than two of the widest vectors.

    private static readonly T Cell = T.CreateTruncating(-12345.678);

    private readonly T[] _cells;
    private readonly int _length;

    public Guarded(int length)
    {
        _length = length;
        _cells = new T[length + 2 * Guard];
        _cells.AsSpan().Fill(Cell);
    }

    public Guarded(ReadOnlySpan<T> values) : this(values.Length) => values.CopyTo(Span);

    public Span<T> Span => _cells.AsSpan(Guard, _length);

    /// <summary>Fails if a guard cell has changed.</summary>
    public void AssertIntact()
    {
        Assert.All(_cells[..Guard], cell => Assert.Equal(Cell, cell));
        Assert.All(_cells[(Guard + _length)..], cell => Assert.Equal(Cell, cell));
    }

    public static void AssertSameBits(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (UlpTable.Bits(expected[i]) != UlpTable.Bits(actual[i]))
                Assert.Fail($"Element {i} of {expected.Length}: expected {expected[i]}, got {actual[i]}.");
        }
    }
}
