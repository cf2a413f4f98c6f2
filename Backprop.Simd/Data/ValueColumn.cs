using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>A column of numbers.</summary>
/// <typeparam name="T">float or double: the element type of the network, whatever the source holds.</typeparam>
public abstract class ValueColumn<T> : DataColumn where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes a column.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="count">The number of examples, 0 or more.</param>
    protected ValueColumn(string name, Shape shape, int count)
        : base(name, new EdgeType(EdgeKind.Values, shape), count)
    {
    }

    /// <summary>Copies chosen examples. Allocates nothing.</summary>
    /// <param name="rows">The examples, in this order. A row may occur more than once.</param>
    /// <param name="destination">Receives rows x size numbers, row-major. The rest of a longer span is not changed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row does not exist; nothing was written.</exception>
    /// <exception cref="ArgumentException">The destination is too short, or shares memory with the rows; nothing was written.</exception>
    public void Read(ReadOnlySpan<int> rows, Span<T> destination)
    {
        Check(rows, destination.Length);
        SpanGuard.Apart<int, T>(rows, destination, nameof(destination));
        ReadRows(rows, destination[..(rows.Length * Type.Shape.Size)]);
    }

    /// <summary>Copies chosen examples. All arguments have been checked.</summary>
    /// <param name="rows">The examples.</param>
    /// <param name="destination">Exactly rows x size numbers.</param>
    protected abstract void ReadRows(ReadOnlySpan<int> rows, Span<T> destination);
}
