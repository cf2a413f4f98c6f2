using System.Numerics.Tensors;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Tests.Memory;

public sealed class MatrixTensorTests
{
    private static float[] Counting(int length) => [.. Enumerable.Range(0, length).Select(i => (float)i)];

    [Fact]
    public void A_dense_tensor_becomes_a_dense_matrix()
    {
        var values = Counting(12);
        var matrix = Matrix<float>.FromTensor(new TensorSpan<float>(values, [3, 4]));
        Assert.Equal((3, 4, 4, 1), (matrix.Rows, matrix.Columns, matrix.RowStride, matrix.ColumnStride));
        matrix[2, 3] = -1;
        Assert.Equal(-1, values[11]);
        var readOnly = ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [3, 4]));
        Assert.Equal(6, readOnly[1, 2]);
    }

    [Fact]
    public void Strides_are_kept()
    {
        var values = Counting(40);
        var padded = ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [3, 4], [7, 1]));
        Assert.Equal((7, 1), (padded.RowStride, padded.ColumnStride));
        var columnMajor = ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [3, 4], [1, 6]));
        Assert.Equal((1, 6), (columnMajor.RowStride, columnMajor.ColumnStride));
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 4; j++)
            {
                Assert.Equal(i * 7 + j, padded[i, j]);
                Assert.Equal(i + j * 6, columnMajor[i, j]);
            }
        }
    }

    [Fact]
    public void A_slice_of_a_tensor_starts_at_its_first_element()
    {
        var tensor = new TensorSpan<float>(Counting(30), [5, 6]).Slice([1..4, 2..5]);
        var matrix = Matrix<float>.FromTensor(tensor);
        Assert.Equal((3, 3), (matrix.Rows, matrix.Columns));
        Assert.Equal((8, 22), (matrix[0, 0], matrix[2, 2]));
    }

    [Fact]
    public void Dimensions_of_one_and_none_are_accepted()
    {
        var values = Counting(12);
        foreach (var (rows, columns) in ((nint, nint)[])[(1, 4), (4, 1), (1, 1)])
        {
            var matrix = ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [rows, columns]));
            Assert.Equal((rows, columns), (matrix.Rows, matrix.Columns));
            Assert.Equal((float)(rows * columns - 1), matrix[(int)rows - 1, (int)columns - 1]);
            Assert.Equal((float)(rows * columns - 1), matrix.Transposed[(int)columns - 1, (int)rows - 1]);
        }

        var empty = Matrix<float>.FromTensor(Tensor.CreateFromShape<float>([0, 4]));
        Assert.Equal((0, 4), (empty.Rows, empty.Columns));
        var strided = ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [1, 3], [0, 4]));
        Assert.Equal(8, strided[0, 2]);
    }

    [Fact]
    public void Other_ranks_are_refused()
    {
        var values = Counting(24);
        foreach (var error in (ArgumentException[])
        [
            Assert.Throws<ArgumentException>(() => Matrix<float>.FromTensor(new TensorSpan<float>(values, [24]))),
            Assert.Throws<ArgumentException>(() => ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [2, 3, 4]))),
        ])
        {
            Assert.Equal("tensor", error.ParamName);
            Assert.Contains("rank 2", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Broadcast_and_doubly_strided_tensors_are_refused()
    {
        var values = Counting(64);
        Assert.ThrowsAny<ArgumentException>(() => ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [3, 4], [0, 1])));
        Assert.ThrowsAny<ArgumentException>(() => ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [3, 4], [1, 0])));
        Assert.ThrowsAny<ArgumentException>(() => ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [3, 4], [16, 2])));
        Assert.ThrowsAny<ArgumentException>(() => ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [3, 1], [0, 0])));
        Assert.ThrowsAny<ArgumentException>(() => ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(values, [1, 3], [0, 0])));
    }

    [Fact]
    public void Tensors_multiply()
    {
        float[] a = [1, 2, 3, 4, 5, 6], b = [1, 0, 0, 1, 1, 1], c = new float[4];
        Gemm.Multiply(ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(a, [2, 3])),
            ReadOnlyMatrix<float>.FromTensor(new ReadOnlyTensorSpan<float>(b, [3, 2])), Matrix<float>.FromTensor(new TensorSpan<float>(c, [2, 2])));
        Assert.Equal([4, 5, 10, 11], c);
    }
}
