using System.Numerics;
using System.Numerics.Tensors;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Copies columns of one matrix to columns of another.</summary>
internal static class Strips
{
    /// <summary>Nanoseconds per element.</summary>
    private const double Cost = 0.15;

    /// <summary>destination[r, to + i] = source[r, from + i] for i below <paramref name="columns"/>, or += it.</summary>
    /// <param name="source">The elements to copy.</param>
    /// <param name="sourceColumns">The columns of the source.</param>
    /// <param name="from">The first column to copy.</param>
    /// <param name="destination">Where they go, as many rows.</param>
    /// <param name="destinationColumns">The columns of the destination.</param>
    /// <param name="to">The first column to write.</param>
    /// <param name="columns">How many columns.</param>
    /// <param name="compute">The threads.</param>
    public static void Copy<T>(ReadOnlySpan<T> source, int sourceColumns, int from, Destination<T> destination, int destinationColumns, int to, int columns, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (columns == 0 || !destination.IsWanted)
            return;
        var rows = source.Length / sourceColumns;
        SpanGuard.SameLength(rows * sourceColumns, source.Length);
        SpanGuard.SameLength(rows * destinationColumns, destination.Span.Length);
        SpanGuard.Disjoint(source, destination.Span, nameof(destination));
        compute.For(rows, 1, (double)rows * columns * Cost + rows * 5.0, new Body<T>(source, sourceColumns, from, destination, destinationColumns, to, columns));
    }

    private readonly ref struct Body<T>(ReadOnlySpan<T> source, int sourceColumns, int from, Destination<T> destination, int destinationColumns, int to, int columns) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _source = source;
        private readonly Destination<T> _destination = destination;

        public void Execute(int start, int limit)
        {
            for (var row = start; row < limit; row++)
            {
                var x = _source.Slice(row * sourceColumns + from, columns);
                var y = _destination.Span.Slice(row * destinationColumns + to, columns);
                if (_destination.Adds)
                    TensorPrimitives.Add(x, y, y);
                else
                    x.CopyTo(y);
            }
        }
    }
}
