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

    /// <summary>
    /// What each step of each row starts from: destination[row, 0] = initial[row], or 0 where that is empty, and
    /// destination[row, t] = states[row, t - 1].
    /// </summary>
    public static void Shift<T>(ReadOnlySpan<T> states, ReadOnlySpan<T> initial, Span<T> destination, int rows, int columns) where T : unmanaged
    {
        var size = destination.Length / rows;
        for (var row = 0; row < rows; row++)
        {
            var to = destination.Slice(row * size, size);
            if (initial.IsEmpty)
                to[..columns].Clear();
            else
                initial.Slice(row * columns, columns).CopyTo(to);
            states.Slice(row * size, size - columns).CopyTo(to[columns..]);
        }
    }

    /// <summary>destination[row] = states[row, lengths[row] - 1], or the state of the last step where there are no lengths.</summary>
    public static void Last<T>(ReadOnlySpan<T> states, ReadOnlySpan<int> lengths, Span<T> destination, int rows, int columns) where T : unmanaged
    {
        var size = states.Length / rows;
        for (var row = 0; row < rows; row++)
        {
            var end = lengths.IsEmpty ? size : lengths[row] * columns;
            states.Slice(row * size + end - columns, columns).CopyTo(destination[(row * columns)..]);
        }
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
