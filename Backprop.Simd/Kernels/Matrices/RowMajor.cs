using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>The rules of kernels that walk a matrix row by row.</summary>
internal static class RowMajor
{
    /// <summary>Throws unless the elements of a row are neighbours.</summary>
    public static void Check<T>(ReadOnlyMatrix<T> matrix, string name) where T : unmanaged
    {
        if (matrix.ColumnStride != 1 && matrix.Columns > 1)
            throw new ArgumentException($"'{name}' must be row-major (column stride 1); its column stride is {matrix.ColumnStride}.", name);
    }

    /// <summary>The elements from the first to the last of the matrix: its span may be longer.</summary>
    public static int Used<T>(ReadOnlyMatrix<T> matrix) where T : unmanaged =>
        (int)MatrixLayout.Needed(matrix.Rows, matrix.Columns, matrix.RowStride, matrix.ColumnStride);

    /// <summary>Throws unless two matrices have one shape.</summary>
    public static void SameShape<T>(ReadOnlyMatrix<T> expected, ReadOnlyMatrix<T> actual, string name) where T : unmanaged
    {
        if (expected.Rows != actual.Rows || expected.Columns != actual.Columns)
            throw new ArgumentException($"'{name}' must be {expected.ToString()}; it is {actual.ToString()}.", name);
    }

    /// <summary>Rows per range of a thread, so that a range holds at least some 512 elements.</summary>
    public static int Granularity(int columns) => Math.Max(1, 512 / Math.Max(1, columns));
}
