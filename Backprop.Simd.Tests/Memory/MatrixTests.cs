using Backprop.Simd.Memory;

namespace Backprop.Simd.Tests.Memory;

public sealed class MatrixTests
{
    private static float[] Counting(int length) => [.. Enumerable.Range(0, length).Select(i => (float)i)];

    [Fact]
    public void Elements_are_addressed_by_row_and_column()
    {
        var values = Counting(40);
        var dense = new ReadOnlyMatrix<float>(values, 3, 4);
        var padded = new ReadOnlyMatrix<float>(values, 3, 4, 7);
        var columnMajor = new ReadOnlyMatrix<float>(values, 3, 4, 1, 5);
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 4; j++)
            {
                Assert.Equal(i * 4 + j, dense[i, j]);
                Assert.Equal(i * 7 + j, padded[i, j]);
                Assert.Equal(i + j * 5, columnMajor[i, j]);
                Assert.Equal(i * 7 + j, padded.Transposed[j, i]);
                Assert.Equal(i * 7 + j, padded.Transposed.Transposed[i, j]);
            }
        }
    }

    [Fact]
    public void A_view_writes_through()
    {
        var values = new double[20];
        var matrix = new Matrix<double>(values, 3, 4, 6);
        matrix[2, 3] = 5;
        matrix.Transposed[1, 2] = 7;
        Assert.Equal(5, values[2 * 6 + 3]);
        Assert.Equal(7, values[2 * 6 + 1]);
        ReadOnlyMatrix<double> readOnly = matrix;
        Assert.Equal(5, readOnly[2, 3]);
        Assert.Equal(7, matrix.AsReadOnly()[2, 1]);
    }

    [Fact]
    public void Properties_tell_shape_and_strides()
    {
        var matrix = new Matrix<float>(new float[40], 3, 4, 7).Transposed;
        Assert.Equal((4, 3, 1, 7), (matrix.Rows, matrix.Columns, matrix.RowStride, matrix.ColumnStride));
        Assert.Equal("[4, 3]", matrix.ToString());
        Assert.Equal("[3, 4]", matrix.AsReadOnly().Transposed.ToString());
        Assert.Equal(40, matrix.Span.Length);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(3, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 4)]
    [InlineData(2, 4)] // Inside the span, outside the matrix.
    [InlineData(int.MaxValue, 0)]
    [InlineData(int.MinValue, int.MinValue)]
    public void Elements_outside_are_refused(int row, int column)
    {
        var values = Counting(40);
        var writable = Assert.Throws<ArgumentOutOfRangeException>(() => new Matrix<float>(values, 3, 4, 7)[row, column] = 1);
        var readable = Assert.Throws<ArgumentOutOfRangeException>(() => _ = new ReadOnlyMatrix<float>(values, 3, 4, 7)[row, column]);
        foreach (var error in (ArgumentOutOfRangeException[])[writable, readable])
        {
            Assert.Equal(row is >= 0 and < 3 ? "column" : "row", error.ParamName);
            Assert.Contains("[3, 4]", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(0, 0)]
    [InlineData(3, 0)]
    public void Row_slices_see_the_same_elements(int start, int count)
    {
        var values = Counting(3 * 7 - 3); // Ends exactly at the last element.
        foreach (var turned in (bool[])[false, true])
        {
            var whole = turned ? new Matrix<float>(values, 3, 4, 7) : new Matrix<float>(values, 3, 4, 7).Transposed;
            var slice = turned ? whole.SliceRows(start, count) : whole.SliceColumns(start, count);
            var readOnly = turned ? whole.AsReadOnly().SliceRows(start, count) : whole.AsReadOnly().SliceColumns(start, count);
            Assert.Equal(turned ? (count, 4) : (4, count), (slice.Rows, slice.Columns));
            for (var i = 0; i < slice.Rows; i++)
            {
                for (var j = 0; j < slice.Columns; j++)
                {
                    Assert.Equal(turned ? whole[i + start, j] : whole[i, j + start], slice[i, j]);
                    Assert.Equal(slice[i, j], readOnly[i, j]);
                }
            }
        }
    }

    [Fact]
    public void A_slice_of_a_slice_is_a_slice()
    {
        var whole = new Matrix<float>(Counting(100), 10, 10);
        var inner = whole.SliceRows(2, 6).SliceColumns(3, 5).SliceRows(1, 2).Transposed.SliceRows(4, 1);
        Assert.Equal((1, 2), (inner.Rows, inner.Columns));
        Assert.Equal((whole[3, 7], whole[4, 7]), (inner[0, 0], inner[0, 1]));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(0, 4)]
    [InlineData(3, 1)]
    [InlineData(4, 0)]
    [InlineData(1, int.MaxValue)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void Slices_outside_are_refused(int start, int count)
    {
        var values = new float[100];
        ArgumentOutOfRangeException[] errors =
        [
            Assert.Throws<ArgumentOutOfRangeException>(() => new Matrix<float>(values, 3, 9).SliceRows(start, count)),
            Assert.Throws<ArgumentOutOfRangeException>(() => new ReadOnlyMatrix<float>(values, 3, 9).SliceRows(start, count)),
            Assert.Throws<ArgumentOutOfRangeException>(() => new Matrix<float>(values, 9, 3).SliceColumns(start, count)),
            Assert.Throws<ArgumentOutOfRangeException>(() => new ReadOnlyMatrix<float>(values, 9, 3).SliceColumns(start, count)),
        ];
        Assert.All(errors, error => Assert.Equal("start", error.ParamName));
    }

    [Theory]
    [InlineData(-1, 2, 2, 1, "rows")]
    [InlineData(2, -1, 2, 1, "columns")]
    [InlineData(2, 2, -2, 1, "rowStride")]
    [InlineData(2, 2, 2, -1, "columnStride")]
    [InlineData(3, 4, 3, 1, "rowStride")]            // Rows overlap.
    [InlineData(3, 4, 0, 1, "rowStride")]            // A broadcast row.
    [InlineData(3, 4, 1, 2, "columnStride")]         // Columns overlap.
    [InlineData(3, 4, 1, 0, "columnStride")]         // A broadcast column.
    [InlineData(3, 4, 8, 2, "columnStride")]         // Neither stride is 1.
    [InlineData(10, 10, 10, 1, "span")]              // One element short.
    [InlineData(10, 10, 1, 10, "span")]
    [InlineData(50_000, 50_000, 50_000, 1, "span")]  // The length needed exceeds 32 bits.
    public void Bad_views_are_refused(int rows, int columns, int rowStride, int columnStride, string parameter)
    {
        var values = new float[99];
        ArgumentException[] errors =
        [
            Assert.ThrowsAny<ArgumentException>(() => new Matrix<float>(values, rows, columns, rowStride, columnStride)),
            Assert.ThrowsAny<ArgumentException>(() => new ReadOnlyMatrix<float>(values, rows, columns, rowStride, columnStride)),
        ];
        Assert.All(errors, error => Assert.Equal(parameter, error.ParamName));
        if (parameter == "span")
        {
            Assert.Contains($"[{rows}, {columns}]", errors[0].Message, StringComparison.Ordinal);
            Assert.Contains($"{(long)rows * columns} elements; the span has 99", errors[0].Message, StringComparison.Ordinal);
        }
        else if (rows == 3 && rowStride != 8)
        {
            var expected = parameter == "rowStride" ? $"4 columns; it is {rowStride}" : $"3 rows; it is {columnStride}";
            Assert.Contains(expected, errors[0].Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_dense_view_of_negative_size_names_it()
    {
        Assert.Equal("rows", Assert.Throws<ArgumentOutOfRangeException>(() => new Matrix<float>([], -1, 3)).ParamName);
        Assert.Equal("columns", Assert.Throws<ArgumentOutOfRangeException>(() => new ReadOnlyMatrix<float>([], 3, -1)).ParamName);
    }

    [Fact]
    public void The_span_may_end_at_the_last_element()
    {
        Assert.Equal(0, new Matrix<float>(new float[2 * 9 + 4], 3, 4, 9)[2, 3]);
        Assert.Throws<ArgumentException>(() => new Matrix<float>(new float[2 * 9 + 3], 3, 4, 9));
        Assert.Equal(0, new ReadOnlyMatrix<float>(new float[3 * 9 + 3], 3, 4, 1, 9)[2, 3]);
        Assert.Throws<ArgumentException>(() => new ReadOnlyMatrix<float>(new float[3 * 9 + 2], 3, 4, 1, 9));
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    [InlineData(0, 0)]
    public void Empty_matrices_need_no_elements(int rows, int columns)
    {
        var empty = new Matrix<float>([], rows, columns);
        Assert.Equal((columns, rows), (empty.Transposed.Rows, empty.Transposed.Columns));
        Assert.Equal((rows, columns), (empty.SliceRows(0, rows).Rows, empty.SliceColumns(columns, 0).Rows == rows ? columns : -1));
        Assert.Equal(rows, empty.AsReadOnly().Rows);
    }

    /// <summary>A dimension of one element has no neighbours, so that its stride is free; the other's is not.</summary>
    [Fact]
    public void A_single_row_or_column_may_have_any_stride()
    {
        var values = Counting(40);
        Assert.Equal(3, new ReadOnlyMatrix<float>(values, 1, 4, 0, 1)[0, 3]);
        Assert.Equal(21, new ReadOnlyMatrix<float>(values, 4, 1, 7, 1)[3, 0]);
        Assert.Equal(21, new ReadOnlyMatrix<float>(values, 1, 4, 1, 7)[0, 3]);
        Assert.Equal(21, new ReadOnlyMatrix<float>(values, 4, 1, 7, 1).Transposed[0, 3]);
        Assert.Equal(3, new ReadOnlyMatrix<float>(values, 1, 4, int.MaxValue, 1)[0, 3]);
    }

    [Fact]
    public void Rows_of_a_single_column_may_not_share_an_element()
    {
        foreach (var columnStride in (int[])[0, 1, 5])
        {
            Assert.Throws<ArgumentException>(() => new Matrix<float>(new float[9], 3, 1, 0, columnStride));
            Assert.Throws<ArgumentException>(() => new ReadOnlyMatrix<float>(new float[9], 3, 1, 0, columnStride));
        }
    }

    /// <summary>Whatever a constructor accepts survives every conversion.</summary>
    [Fact]
    public void An_accepted_view_can_be_transposed_and_read()
    {
        var values = Counting(200);
        foreach (var rows in (int[])[0, 1, 2, 5])
        {
            foreach (var columns in (int[])[0, 1, 2, 5])
            {
                foreach (var rowStride in (int[])[0, 1, 2, 5, 7])
                {
                    foreach (var columnStride in (int[])[0, 1, 2, 5, 7])
                        RoundTrip(values, rows, columns, rowStride, columnStride);
                }
            }
        }

        static void RoundTrip(float[] values, int rows, int columns, int rowStride, int columnStride)
        {
            Matrix<float> matrix;
            try
            {
                matrix = new(values, rows, columns, rowStride, columnStride);
            }
            catch (ArgumentException)
            {
                return;
            }

            var seen = new HashSet<float>();
            var transposed = matrix.Transposed.AsReadOnly();
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                {
                    Assert.Equal(matrix[i, j], transposed[j, i]);
                    Assert.True(seen.Add(matrix[i, j]), $"[{rows}, {columns}] strides {rowStride}, {columnStride}: two elements share a place.");
                }
            }
        }
    }
}
