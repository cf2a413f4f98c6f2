using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>A, B, C and the added row, each ending at an inaccessible page or starting behind one: a stray access ends the process.</summary>
public sealed class GemmGuardPageTests
{
    private static readonly GemmForm[] Forms = [GemmForm.Overwrite, GemmForm.Accumulate, GemmForm.AddRow, GemmForm.ScaledAccumulate];

    private static readonly int[] Sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 19, 24, 31, 32, 33, 37, 40];

    public static TheoryData<string> Widths => [.. Enum.GetNames<SimdWidth>()];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Float_stays_inside_its_operands(string width) => Check<float>(Enum.Parse<SimdWidth>(width));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Double_stays_inside_its_operands(string width) => Check<double>(Enum.Parse<SimdWidth>(width));

    private static void Check<T>(SimdWidth width) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // One size beyond the sample takes the packed path with several k blocks.
        var largest = 70 * 700 * 8;
        using GuardedMemory a = new(largest), b = new(largest), c = new(largest), row = new(largest);
        foreach (var m in Sizes)
        {
            foreach (var n in Sizes)
            {
                // Every pair of m and n, with every k in turn.
                var k = Sizes[(m * 7 + n * 3) % Sizes.Length];
                Products<T>(a, b, c, row, m, n, k, width);
                Products<T>(a, b, c, row, m, k, n, width);
            }
        }

        Products<T>(a, b, c, row, 33, 70, 700, width);
        Products<T>(a, b, c, row, 70, 35, 700, width);
        Products<T>(a, b, c, row, 1, 70, 700, width);
        Products<T>(a, b, c, row, 70, 1, 700, width);
    }

    private static void Products<T>(GuardedMemory a, GuardedMemory b, GuardedMemory c, GuardedMemory row, int m, int n, int k, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom((ulong)(m * 10_007 + n * 101 + k));
        var left = new int[m * k];
        var right = new int[k * n];
        foreach (ref var x in left.AsSpan())
            x = random.Integer(-3, 3);
        foreach (ref var x in right.AsSpan())
            x = random.Integer(-3, 3);
        var product = MatrixReference.Multiply(left, right, m, n, k);
        foreach (var atEnd in (ReadOnlySpan<bool>)[true, false])
        {
            var spanA = Take<T>(a, m * k, atEnd);
            var spanB = Take<T>(b, k * n, atEnd);
            var spanC = Take<T>(c, m * n, atEnd);
            var addend = Take<T>(row, n, atEnd);
            addend.Fill(T.One);
            for (var layout = 0; layout < 8; layout++)
            {
                bool turnA = (layout & 1) != 0, turnB = (layout & 2) != 0, turnC = (layout & 4) != 0;
                var viewA = Fill(spanA, left, m, k, turnA);
                var viewB = Fill(spanB, right, k, n, turnB);
                var viewC = turnC ? new Matrix<T>(spanC, n, m).Transposed : new Matrix<T>(spanC, m, n);
                for (var at = 0; at < Forms.Length; at++)
                {
                    var form = Forms[at];
                    if (form == GemmForm.AddRow && turnC && n > 1)
                        continue;
                    if (IsaOfProcess.IsSoftware && (layout + at + m + n + k) % 4 != 0)
                        continue; // Every layout and every form, not every pair; which meets which differs by shape.
                    spanC.Fill(form is GemmForm.Accumulate or GemmForm.ScaledAccumulate ? T.One : T.NaN);
                    GemmDispatch.Run(viewA, viewB, form == GemmForm.AddRow ? addend : default, viewC, new(form), null, width);
                    var added = form == GemmForm.Overwrite ? 0 : 1;
                    for (var i = 0; i < m; i++)
                    {
                        for (var j = 0; j < n; j++)
                        {
                            if (viewC[i, j] != T.CreateChecked(product[i * n + j] + added))
                                Assert.Fail($"{typeof(T).Name} {width} {form} m={m} n={n} k={k} turned {turnA} {turnB} {turnC}: "
                                    + $"C[{i}, {j}] is {viewC[i, j]}, expected {product[i * n + j] + added}.");
                        }
                    }
                }
            }

            var what = $"{typeof(T).Name} {width} m={m} n={n} k={k}";
            a.AssertUntouched<T>(spanA, what + ", A");
            b.AssertUntouched<T>(spanB, what + ", B");
            c.AssertUntouched<T>(spanC, what + ", C");
        }
    }

    private static Span<T> Take<T>(GuardedMemory memory, int length, bool atEnd) where T : unmanaged =>
        atEnd ? memory.AtEnd<T>(length) : memory.AtStart<T>(length);

    private static ReadOnlyMatrix<T> Fill<T>(Span<T> span, int[] values, int rows, int columns, bool turned) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var view = turned ? new Matrix<T>(span, columns, rows).Transposed : new Matrix<T>(span, rows, columns);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                view[i, j] = T.CreateChecked(values[i * columns + j]);
        }

        return view;
    }
}
