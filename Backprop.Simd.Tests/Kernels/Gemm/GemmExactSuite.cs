using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>
/// One shape at a time, on small integers, so that float is exact: every transpose of A, B and C by views, every form, NaN in
/// every cell of A's and B's buffers that is no element, guard cells around and inside C, spans that end at the last element.
/// Whole buffers are compared, guards included.
/// </summary>
internal sealed class GemmExactSuite<T>(SimdWidth width, ComputeContext? context = null)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly GemmForm[] Forms = [GemmForm.Overwrite, GemmForm.Accumulate, GemmForm.ScaledOverwrite, GemmForm.ScaledAccumulate, GemmForm.AddRow];

    private readonly PlacedMatrix<T>[] _a = [new(), new()];
    private readonly PlacedMatrix<T>[] _b = [new(), new()];
    private readonly PlacedMatrix<T> _c = new(), _start = new(), _expected = new();
    private int _m, _n, _k;
    private int[] _old = [], _row = [], _product = [];
    private T[] _rowElements = [];

    /// <summary>Checks every layout and form; <paramref name="padding"/> is how much longer leading dimensions are than rows.</summary>
    /// <param name="allPairs">Every layout in every form; else every form in one layout, another for each shape and width.</param>
    public void Check(int m, int n, int k, int padding, bool allPairs = true)
    {
        Prepare(m, n, k, padding);
        for (var cOrder = 0; cOrder < 2; cOrder++)
        {
            for (var at = 0; at < Forms.Length; at++)
            {
                var form = Forms[at];
                if (form == GemmForm.AddRow && cOrder == 1 && n > 1)
                    continue; // A row is added to a row-major destination only.
                var overwrites = form is not (GemmForm.Accumulate or GemmForm.ScaledAccumulate);
                Fill(_start, cOrder == 1, padding, (i, j) => overwrites ? T.NaN : T.CreateChecked(_old[i * n + j]));
                Fill(_expected, cOrder == 1, padding, (i, j) => T.CreateChecked(Expected(form, i, j)));
                _c.Shape(m, n, cOrder == 1, padding, Guard);
                for (var aOrder = 0; aOrder < 2; aOrder++)
                {
                    for (var bOrder = 0; bOrder < 2; bOrder++)
                    {
                        if (!allPairs && (4 * cOrder + 2 * aOrder + bOrder + 3 * at + m + n + k + (int)width) % 8 != 0)
                            continue; // Each form meets one of the eight layouts; which one differs by shape and width.
                        _start.Buffer.CopyTo(_c.Buffer);
                        Run(form, _a[aOrder].View, _b[bOrder].View, _c.View);
                        if (!Bits.Equal<T>(_expected.Buffer, _c.Buffer))
                            Fail(form, aOrder, bOrder, cOrder, padding);
                    }
                }
            }
        }
    }

    // Not a NaN, and no sum of small integers.
    private static T Guard => T.CreateChecked(-987654.5);

    private static int Alpha(GemmForm form) => form is GemmForm.ScaledOverwrite or GemmForm.ScaledAccumulate ? 2 : 1;

    private int Expected(GemmForm form, int i, int j)
    {
        var product = _product[i * _n + j];
        return form switch
        {
            GemmForm.Overwrite => product,
            GemmForm.Accumulate => _old[i * _n + j] + product,
            GemmForm.AddRow => _row[j] + product,
            GemmForm.ScaledOverwrite => 2 * product,
            _ => 2 * product - 3 * _old[i * _n + j],
        };
    }

    private void Prepare(int m, int n, int k, int padding)
    {
        (_m, _n, _k) = (m, n, k);
        var random = new TestRandom(((ulong)m * 4099 + (ulong)n) * 4099 + (ulong)k);
        var a = Integers(m * k, ref random);
        var b = Integers(k * n, ref random);
        _old = Integers(m * n, ref random);
        _row = Integers(n, ref random);
        _rowElements = Array.ConvertAll(_row, T.CreateChecked);
        _product = MatrixReference.Multiply(a, b, m, n, k);
        for (var order = 0; order < 2; order++)
        {
            FillInput(_a[order], m, k, order == 1, padding, a);
            FillInput(_b[order], k, n, order == 1, padding, b);
        }
    }

    private static int[] Integers(int length, ref TestRandom random)
    {
        var values = new int[length];
        for (var i = 0; i < length; i++)
            values[i] = random.Integer(-4, 4);
        return values;
    }

    private static void FillInput(PlacedMatrix<T> matrix, int rows, int columns, bool columnMajor, int padding, int[] values)
    {
        var buffer = matrix.Shape(rows, columns, columnMajor, padding, T.NaN).Buffer;
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                buffer[matrix.Index(i, j)] = T.CreateChecked(values[i * columns + j]);
        }
    }

    private void Fill(PlacedMatrix<T> matrix, bool columnMajor, int padding, Func<int, int, T> value)
    {
        var buffer = matrix.Shape(_m, _n, columnMajor, padding, Guard).Buffer;
        for (var i = 0; i < _m; i++)
        {
            for (var j = 0; j < _n; j++)
                buffer[matrix.Index(i, j)] = value(i, j);
        }
    }

    /// <summary>The public entry point where the width is the default, the dispatch with that width elsewhere.</summary>
    private void Run(GemmForm form, ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b, Matrix<T> c)
    {
        var alpha = T.CreateChecked(Alpha(form));
        var beta = form switch
        {
            GemmForm.Accumulate or GemmForm.AddRow => T.One,
            GemmForm.ScaledAccumulate => T.CreateChecked(-3),
            _ => T.Zero,
        };
        if (width != SimdWidth.Widest)
            GemmDispatch.Run(a, b, form == GemmForm.AddRow ? _rowElements : default, c, new(form, alpha, beta), context, width);
        else if (form == GemmForm.Overwrite)
            Gemm.Multiply(a, b, c, context);
        else if (form == GemmForm.Accumulate)
            Gemm.MultiplyAdd(a, b, c, context);
        else if (form == GemmForm.AddRow)
            Gemm.MultiplyAddRow(a, b, _rowElements, c, context);
        else
            Gemm.Multiply(alpha, a, b, beta, c, context);
    }

    private void Fail(GemmForm form, int aOrder, int bOrder, int cOrder, int padding)
    {
        var what = $"{typeof(T).Name} {width} {form} m={_m} n={_n} k={_k} A {Order(aOrder)} B {Order(bOrder)} C {Order(cOrder)} padding {padding}";
        var expected = _expected.Buffer;
        var actual = _c.Buffer;
        for (var at = 0; at < expected.Length; at++)
        {
            if (Bits.Equal<T>(expected.Slice(at, 1), actual.Slice(at, 1)))
                continue;
            var where = _c.ElementAt(at) is { } element ? $"C[{element.Row}, {element.Column}]" : $"guard cell {at} of {expected.Length}";
            Assert.Fail($"{what}: {where} is {actual[at]}, expected {expected[at]}.");
        }
    }

    private static string Order(int order) => order == 0 ? "row-major" : "column-major";
}
