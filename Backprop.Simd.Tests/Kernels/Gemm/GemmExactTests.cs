using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Kernels;

public sealed class GemmExactFloatTests : GemmExactTests<float>;

public sealed class GemmExactDoubleTests : GemmExactTests<double>;

/// <summary>GEMM's indexing: exact equality on small integers.</summary>
public abstract class GemmExactTests<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The k loop is the same for every width: these lengths meet its start, its end and what is between.</summary>
    private static readonly int[] Depths = [1, 2, 3, 17, 65];

    private static readonly int[] Sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 23, 31, 33, 63, 64, 65];

    public static TheoryData<int> Rows => [.. Sizes];

    public static TheoryData<string, int> OtherWidths
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var width in Enum.GetValues<SimdWidth>())
            {
                if (width == SimdWidth.Widest)
                    continue;
                foreach (var m in (int[])[1, 2, 5, 6, 7, 11, 12, 13, 17, 25])
                    data.Add(width.ToString(), m);
            }

            return data;
        }
    }

    /// <summary>Shapes that leave one k block, one block of rows, one chunk of panels, for every width, or have one long side.</summary>
    public static TheoryData<int, int, int> LargeShapes => new()
    {
        { 300, 200, 1100 },
        { 700, 70, 800 },
        { 270, 2300, 260 },
        { 5, 3000, 40 },
        { 5, 40, 3000 },
        { 1, 1000, 1000 },
        { 1000, 1, 1000 },
        { 1000, 10, 1000 },
        { 10, 3, 9000 },
        { 3, 10, 9000 },
        { 2000, 17, 130 },
        { 64, 129, 65 },

        // A tail of one or two columns behind three vectors or more, over more than one block of rows.
        { 200, 50, 300 },
        { 784, 50, 33 },
        { 130, 49, 784 },

        // One or two rows or columns, beyond the blocks of rows and of k that are summed at a time.
        { 2, 100, 70 },
        { 30, 2, 9000 },
        { 17_000, 1, 9 },
        { 2, 1100, 9 },

        // Few columns beside a column-major A, over less and more than a chunk of rows.
        { 32, 5, 16 },
        { 127, 12, 150 },
        { 128, 10, 40 },
        { 129, 7, 700 },
        { 300, 9, 64 },

        // A B that stays in the first-level cache: C is swept row by row.
        { 50, 1000, 4 },
        { 100, 600, 1 },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_small_shape(int m)
    {
        var suite = new GemmExactSuite<T>(SimdWidth.Widest);
        foreach (var n in Sizes)
        {
            foreach (var k in IsaOfProcess.IsSoftware ? Depths : Sizes)
                suite.Check(m, n, k, Padding(m, n, k));
        }
    }

    [Theory]
    [MemberData(nameof(OtherWidths))]
    public void Small_shapes_of_every_width(string width, int m)
    {
        var suite = new GemmExactSuite<T>(Enum.Parse<SimdWidth>(width));
        foreach (var n in Sizes)
        {
            foreach (var k in Depths)
                suite.Check(m, n, k, Padding(m, n, k));
        }
    }

    [Theory]
    [MemberData(nameof(LargeShapes))]
    public void Large_shapes(int m, int n, int k)
    {
        foreach (var width in Enum.GetValues<SimdWidth>())
            new GemmExactSuite<T>(width).Check(m, n, k, Padding(m, n, k), allPairs: !IsaOfProcess.IsSoftware);
    }

    [Theory]
    [MemberData(nameof(LargeShapes))]
    public void Large_shapes_on_several_threads(int m, int n, int k)
    {
        using var context = TestThreads.Create(3);
        new GemmExactSuite<T>(SimdWidth.Widest, context).Check(m, n, k, Padding(m, n, k), allPairs: !IsaOfProcess.IsSoftware);
    }

    /// <summary>Every second shape dense, the others with a gap behind each row.</summary>
    private static int Padding(int m, int n, int k) => (m + n + k) % 2 == 0 ? 0 : 1 + (m + n) % 5;
}
