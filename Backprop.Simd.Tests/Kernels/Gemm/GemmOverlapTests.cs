using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Operands between each other in one buffer: allowed where they share no element, refused where they do.</summary>
public sealed class GemmOverlapTests
{
    private static readonly GemmForm[] _forms = [GemmForm.Overwrite, GemmForm.Accumulate, GemmForm.AddRow, GemmForm.ScaledOverwrite, GemmForm.ScaledAccumulate];

    private delegate void Product(ReadOnlyMatrix<float> a, ReadOnlyMatrix<float> b, Matrix<float> c);

    [Fact]
    public void Interleaved_views_of_one_buffer_are_allowed()
    {
        foreach (var product in (Product[])[(a, b, c) => Gemm.Multiply(a, b, c), (a, b, c) => Gemm.MultiplyAdd(a, b, c),
            (a, b, c) => Gemm.Multiply(2, a, b, 3, c)])
        {
            // A, B and C are columns of one [9, 20] matrix, and what lies between them stays.
            foreach (var transposed in (bool[])[false, true])
            {
                var (buffer, alone) = (Filled(180), Filled(180));
                product(A(buffer), B(buffer), C(buffer));
                product(A(alone.ToArray()), B(alone.ToArray()), C(alone));
                Bits.AssertEqual<float>(alone, buffer, $"transposed {transposed}");
                Assert.NotEqual(Filled(180), buffer);

                ReadOnlyMatrix<float> A(float[] b) => Whole(b).SliceColumns(0, 4);
                ReadOnlyMatrix<float> B(float[] b) => Whole(b).SliceColumns(15, 4).SliceRows(2, 4);
                Matrix<float> C(float[] b) => transposed ? Whole(b).SliceColumns(5, 9).SliceRows(0, 4).Transposed : Whole(b).SliceColumns(5, 4);
                static Matrix<float> Whole(float[] b) => new(b, 9, 20);
            }
        }
    }

    /// <summary>Small views at random places of one buffer: refused if and only if C shares an element with the other.</summary>
    [Fact]
    public void An_overlap_is_refused_and_nothing_else()
    {
        var (refused, allowed) = (0, 0);
        var random = new Random(5);
        for (var n = 0; n < 20_000; n++)
        {
            var sizes = (M: random.Next(1, 5), N: random.Next(1, 5), K: random.Next(1, 5));
            var isA = random.Next(2) == 0;
            var at = Place(sizes.M, sizes.N);
            var from = isA ? Place(sizes.M, sizes.K) : Place(sizes.K, sizes.N);
            var buffer = Filled(64);
            var shares = Cells(at).Intersect(Cells(from)).Any();
            var exception = Record.Exception(() =>
            {
                Matrix<float> c = View(buffer, at), x = View(buffer, from);
                if (isA)
                    Gemm.Multiply(x, new ReadOnlyMatrix<float>(new float[16], sizes.K, sizes.N), c);
                else
                    Gemm.Multiply(new ReadOnlyMatrix<float>(new float[16], sizes.M, sizes.K), x, c);
            });
            Assert.True(shares ? exception is ArgumentException { ParamName: "c" } : exception is null, $"{from} beside {at}: {exception}");
            if (shares)
                Assert.Equal(Filled(64), buffer);
            (refused, allowed) = shares ? (refused + 1, allowed) : (refused, allowed + 1);
        }

        Assert.True(refused > 5000 && allowed > 5000);

        (int Start, int Rows, int Columns, int Step, bool Turned) Place(int rows, int columns)
        {
            var turned = random.Next(2) == 0;
            return (random.Next(21), rows, columns, (turned ? rows : columns) + random.Next(9), turned);
        }

        static IEnumerable<int> Cells((int Start, int Rows, int Columns, int Step, bool Turned) at) =>
            from row in Enumerable.Range(0, at.Rows)
            from column in Enumerable.Range(0, at.Columns)
            select at.Start + (at.Turned ? column * at.Step + row : row * at.Step + column);

        static Matrix<float> View(float[] buffer, (int Start, int Rows, int Columns, int Step, bool Turned) at) => at.Turned
            ? new Matrix<float>(buffer.AsSpan(at.Start), at.Columns, at.Rows, at.Step).Transposed
            : new Matrix<float>(buffer.AsSpan(at.Start), at.Rows, at.Columns, at.Step);
    }

    [Fact]
    public void A_row_or_column_of_stride_0_is_computed()
    {
        var (x, y) = (Filled(64), Filled(64));
        foreach (var (m, n, k) in ((int, int, int)[])[(1, 1, 1), (1, 5, 1), (5, 1, 1), (5, 5, 1), (1, 5, 5), (5, 1, 5), (1, 1, 64), (64, 64, 1),
            (1, 64, 64), (64, 1, 1)])
        {
            for (var views = 0; views < 8; views++)
            {
                float[] a = Filled(m * k), b = Filled(k * n), expected = Filled(m * n), actual = Filled(m * n);
                Gemm.MultiplyAdd(new ReadOnlyMatrix<float>(a, m, k), new(b, k, n), new Matrix<float>(expected, m, n));
                Gemm.MultiplyAdd(View(a, m, k, (views & 1) > 0), View(b, k, n, (views & 2) > 0), View(actual, m, n, (views & 4) > 0));
                Bits.AssertEqual<float>(expected, actual, $"[{m}, {k}] x [{k}, {n}], views {views}");
            }
        }

        // What no element depends on has the stride 0.
        static Matrix<float> View(float[] values, int rows, int columns, bool zero) => !zero ? new(values, rows, columns)
            : rows == 1 ? new(values, 1, columns, 0, 1) : columns == 1 ? new(values, rows, 1, 1, 0) : new(values, rows, columns);
    }

    /// <summary>
    /// Two threads write columns of one matrix beside each other. A store into the other's columns, of what was read there before
    /// too, would undo what the other has stored.
    /// </summary>
    [Fact]
    public void Cells_between_the_rows_are_never_stored_to()
    {
        foreach (var width in Enum.GetValues<SimdWidth>())
        {
            // One panel, masks, tails of few columns, columns alone, narrow beside a column-major A, packed, k of 1 and 0.
            foreach (var (m, n, k) in ((int, int, int)[])[(7, 3, 5), (9, 5, 33), (40, 10, 20), (33, 1, 70), (33, 2, 70), (12, 17, 40), (20, 35, 3),
                (70, 50, 65), (30, 13, 1), (5, 7, 0), (1, 19, 9)])
            {
                foreach (var form in _forms)
                {
                    for (var layout = 0; layout < (form == GemmForm.AddRow ? 2 : 4); layout++)
                    {
                        Beside<float>(m, n, k, form, columnMajorA: (layout & 1) > 0, columnMajorC: layout > 1, width);
                        Beside<double>(m, n, k, form, columnMajorA: (layout & 1) > 0, columnMajorC: layout > 1, width);
                    }
                }
            }
        }
    }

    [Fact]
    public void Cells_between_the_rows_of_a_long_product_are_never_stored_to()
    {
        // Blocks of k, few rows or columns beside a long k, columns alone; on the caller and on a team.
        foreach (var (m, n, k) in ((int, int, int)[])[(40, 20, 2500), (12, 5, 9000), (3, 140, 5000), (130, 1, 20000), (33, 17, 10000)])
        {
            foreach (var form in _forms)
            {
                foreach (var columnMajorA in (bool[])[false, true])
                {
                    Beside<float>(m, n, k, form, columnMajorA, columnMajorC: false, SimdWidth.Widest);
                    Beside<double>(m, n, k, form, columnMajorA, columnMajorC: false, SimdWidth.Widest, new ComputeContext(2));
                }
            }
        }
    }

    [Fact]
    public void A_row_to_add_may_lie_between_the_columns_of_c()
    {
        float[] buffer = new float[32], a = [1, 2, 3, 4], b = [1, 10, 100];
        buffer[3] = 5;
        buffer[4] = 6;
        buffer[5] = 7;
        Gemm.MultiplyAddRow<float>(new(a, 4, 1), new(b, 1, 3), buffer.AsSpan(3, 3), new Matrix<float>(buffer, 4, 8).SliceColumns(0, 3));
        for (var row = 0; row < 4; row++)
            Assert.Equal([a[row] + 5, 10 * a[row] + 6, 100 * a[row] + 7], buffer.AsSpan(8 * row, 3).ToArray());
        Assert.Equal([5, 6, 7], buffer.AsSpan(3, 3).ToArray());
    }

    private static void Beside<T>(
        int m, int n, int k, GemmForm form, bool columnMajorA, bool columnMajorC, SimdWidth width, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[] a = Numbers<T>(m * k), b = Numbers<T>(k * n), row = form == GemmForm.AddRow ? Numbers<T>(n) : [];
        var (lines, line) = columnMajorC ? (n, m) : (m, n);
        T[] alone = new T[2 * lines * line], shared = new T[2 * lines * line];
        Multiply(alone, 0);
        Multiply(alone, 1);
        using var barrier = new Barrier(2);
        Exception? failure = null;
        var other = new Thread(() => failure = Record.Exception(() => MakeAndLook(1)));
        other.Start();
        var mine = Record.Exception(() => MakeAndLook(0));
        other.Join();
        Assert.Null(failure ?? mine);

        // Each thread clears its half of the columns, makes it and looks; the other does the same beside it.
        void MakeAndLook(int side)
        {
            barrier.SignalAndWait();
            for (var repetition = 0; repetition < 6; repetition++)
            {
                for (var i = 0; i < lines; i++)
                    shared.AsSpan((2 * i + side) * line, line).Clear();
                Multiply(shared, side);
                for (var i = 0; i < lines; i++)
                {
                    Bits.AssertEqual<T>(alone.AsSpan((2 * i + side) * line, line), shared.AsSpan((2 * i + side) * line, line),
                        $"[{m}, {k}] x [{k}, {n}], {form}, A column-major {columnMajorA}, C {columnMajorC}, {width}");
                }
            }
        }

        void Multiply(T[] buffer, int side)
        {
            var c = new Matrix<T>(buffer, lines, 2 * line).SliceColumns(side * line, line);
            var x = columnMajorA ? new ReadOnlyMatrix<T>(a, k, m).Transposed : new ReadOnlyMatrix<T>(a, m, k);
            var isScaled = form is GemmForm.ScaledOverwrite or GemmForm.ScaledAccumulate;
            GemmDispatch.Run(x, new ReadOnlyMatrix<T>(b, k, n), row, columnMajorC ? c.Transposed : c,
                new(form, isScaled ? T.CreateTruncating(2) : T.One, isScaled ? T.CreateTruncating(3) : T.One), context, width);
        }
    }

    private static T[] Numbers<T>(int length) where T : unmanaged, IFloatingPointIeee754<T> =>
        [.. Enumerable.Range(0, length).Select(i => T.CreateTruncating(1 / (1.0 + i % 17)))];

    private static float[] Filled(int length) => [.. Enumerable.Range(0, length).Select(i => i % 13 - 6f)];
}
