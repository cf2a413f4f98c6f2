using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>One step of sequences of different lengths.</summary>
/// <param name="lengths">The length of each row's sequence; empty where all are as long as can be.</param>
/// <param name="step">The step, from 0.</param>
internal readonly ref struct TimeStep(ReadOnlySpan<int> lengths, int step)
{
    private readonly ReadOnlySpan<int> _lengths = lengths;

    public bool HasEnded(int row) => !_lengths.IsEmpty && step >= _lengths[row];
}

/// <summary>Views and copies of batches of sequences, [rows, steps, columns].</summary>
internal static unsafe class SequenceRows
{
    /// <summary>One time step of all rows: a matrix of row stride steps x columns, nothing copied.</summary>
    public static ReadOnlyMatrix<T> Step<T>(ReadOnlySpan<T> values, int step, int rows, int steps, int columns) where T : unmanaged =>
        new(values[(step * columns)..], rows, columns, steps * columns);

    /// <inheritdoc cref="Step{T}(ReadOnlySpan{T}, int, int, int, int)"/>
    public static Matrix<T> Step<T>(Span<T> values, int step, int rows, int steps, int columns) where T : unmanaged =>
        new(values[(step * columns)..], rows, columns, steps * columns);

    /// <summary>Copies row <paramref name="row"/> of some states, or writes zeros where they are empty.</summary>
    public static void Set<T>(Span<T> destination, ReadOnlySpan<T> states, int row) where T : unmanaged
    {
        if (states.IsEmpty)
            destination.Clear();
        else
            states.Slice(row * destination.Length, destination.Length).CopyTo(destination);
    }

    /// <summary>A dense row-major copy of the transpose.</summary>
    public static Matrix<T> Transpose<T>(ReadOnlyMatrix<T> matrix, Span<T> destination) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var result = new Matrix<T>(destination, matrix.Columns, matrix.Rows);
        RowMajor.Check(matrix, nameof(matrix));
        fixed (T* from = matrix.Span, to = destination)
            Transposition.Run(from, matrix.RowStride, matrix.Rows, matrix.Columns, to, matrix.Rows);
        return result;
    }
}
