using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>A column of 32-bit integers, such as class labels, embedding indices or lengths.</summary>
public abstract class IndexColumn : DataColumn
{
    /// <summary>Makes a column.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example; <see cref="Shape.Scalar"/> for a label.</param>
    /// <param name="count">The number of examples, 0 or more.</param>
    protected IndexColumn(string name, Shape shape, int count)
        : base(name, new EdgeType(EdgeKind.Indices, shape), count)
    {
    }

    /// <summary>Copies chosen examples. Allocates nothing.</summary>
    /// <param name="rows">The examples, in this order. A row may occur more than once.</param>
    /// <param name="destination">Receives rows x size integers, row-major. The rest of a longer span is not changed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row does not exist; nothing was written.</exception>
    /// <exception cref="ArgumentException">The destination is too short, or shares memory with the rows; nothing was written.</exception>
    public void Read(ReadOnlySpan<int> rows, Span<int> destination)
    {
        Check(rows, destination.Length);
        SpanGuard.Apart<int, int>(rows, destination, nameof(destination));
        ReadRows(rows, destination[..(rows.Length * Type.Shape.Size)]);
    }

    /// <summary>Copies chosen examples. All arguments have been checked.</summary>
    /// <param name="rows">The examples.</param>
    /// <param name="destination">Exactly rows x size integers.</param>
    protected abstract void ReadRows(ReadOnlySpan<int> rows, Span<int> destination);
}
