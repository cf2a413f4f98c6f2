using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>The same bits for any number of threads, and proof that the threads worked.</summary>
public sealed class GemmThreadTests
{
    private static readonly GemmForm[] Forms = [GemmForm.Overwrite, GemmForm.Accumulate, GemmForm.AddRow, GemmForm.ScaledAccumulate];

    /// <summary>Shapes with a block for each of eight threads, whichever side is cut.</summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 2000, 300, 70 },  // tall
        { 100, 3000, 130 }, // wide
        { 300, 300, 2500 }, // deep: many k blocks
        { 1000, 500, 64 },
        { 8, 1000, 1000 },
        { 1000, 8, 1000 },
        { 517, 515, 513 },
        { 100, 257, 784 },
        { 784, 50, 100 },  // a tail of two columns
        { 1000, 2, 300 },
        { 1043, 10, 700 }, // few columns beside a column-major A
        { 2, 1000, 300 },
    };

    /// <summary>Shapes too small for eight threads, or with one block only.</summary>
    public static TheoryData<int, int, int> SmallShapes => new()
    {
        { 1, 1, 1 },
        { 1, 1, 5000 },
        { 1, 33, 5000 },
        { 13, 35, 129 },
        { 40, 40, 40 },
        { 3, 7, 300 },
        { 1, 16, 4 }, // one row and one panel
        { 2, 48, 16 },
        { 1, 3, 5 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Float_has_the_same_bits(int m, int n, int k) => Check<float>(m, n, k, everyWorker: true);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Double_has_the_same_bits(int m, int n, int k) => Check<double>(m, n, k, everyWorker: true);

    [Theory]
    [MemberData(nameof(SmallShapes))]
    public void Small_products_have_the_same_bits(int m, int n, int k)
    {
        Check<float>(m, n, k, everyWorker: false);
        Check<double>(m, n, k, everyWorker: false);
    }

    [Theory]
    [InlineData("Portable")]
    [InlineData("Bits128")]
    [InlineData("Bits256")]
    [InlineData("Bits512")]
    public void Every_width_has_the_same_bits_for_any_number_of_threads(string width)
    {
        Check<float>(300, 150, 900, everyWorker: true, Enum.Parse<SimdWidth>(width));
        Check<double>(150, 300, 900, everyWorker: true, Enum.Parse<SimdWidth>(width));
    }

    [Fact]
    public void A_team_gives_the_same_bits_as_no_team_at_the_default_threshold()
    {
        using var context = new ComputeContext(4);
        var (a, b) = (Random<float>(500 * 400, 1), Random<float>(400 * 300, 2));
        var (alone, shared) = (new float[500 * 300], new float[500 * 300]);
        Gemm.Multiply(new ReadOnlyMatrix<float>(a, 500, 400), new(b, 400, 300), new Matrix<float>(alone, 500, 300));
        var before = TestThreads.Snapshot(context);
        Gemm.Multiply(new ReadOnlyMatrix<float>(a, 500, 400), new(b, 400, 300), new Matrix<float>(shared, 500, 300), context);

        // Which thread ran a part is not fixed here: the caller takes over what no thread has begun. That there were parts is.
        Assert.Equal(4, context.PartsRun.ToArray().Sum() - before.Sum());
        Bits.AssertEqual<float>(alone, shared, "500 x 300 x 400");
    }

    [Fact]
    public void A_tiny_product_runs_on_its_caller()
    {
        using var context = new ComputeContext(4);
        var c = new float[16];
        for (var i = 0; i < 100; i++)
            Gemm.Multiply(new ReadOnlyMatrix<float>(new float[16], 4, 4), new(new float[16], 4, 4), new Matrix<float>(c, 4, 4), context);
        Assert.All(TestThreads.Snapshot(context), parts => Assert.Equal(0, parts));
    }

    private static void Check<T>(int m, int n, int k, bool everyWorker, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (a, b, old, row) = (Random<T>(m * k, 1), Random<T>(k * n, 2), Random<T>(m * n, 3), Random<T>(n, 4));
        T[] expected = new T[m * n], c = new T[m * n];
        for (var at = 0; at < Forms.Length; at++)
        {
            var form = Forms[at];
            for (var layout = 0; layout < 4; layout++)
            {
                if (IsaOfProcess.IsSoftware && ((layout + at + m + n + k) % 4 != 0 || (at + (m + n + k) / 4) % 2 != 0))
                    continue; // Two forms, two layouts; which meets which differs by shape.
                bool turnA = (layout & 1) != 0, turnB = (layout & 2) != 0;
                Run(expected, null);
                foreach (var threads in IsaOfProcess.IsSoftware ? [3, 8] : TestThreads.Counts)
                {
                    using var context = TestThreads.Create(threads);
                    var what = $"{typeof(T).Name} {width} {form} m={m} n={n} k={k} {(turnA ? 'T' : 'N')}{(turnB ? 'T' : 'N')} on {threads} threads";
                    var before = TestThreads.Snapshot(context);
                    Run(c, context);
                    Bits.AssertEqual<T>(expected, c, what);
                    if (everyWorker && threads > 1)
                        TestThreads.AssertEachWorked(context, before, threads, what);
                }

                void Run(T[] destination, ComputeContext? context)
                {
                    old.CopyTo(destination, 0);
                    var viewA = turnA ? new ReadOnlyMatrix<T>(a, k, m).Transposed : new(a, m, k);
                    var viewB = turnB ? new ReadOnlyMatrix<T>(b, n, k).Transposed : new(b, k, n);
                    GemmDispatch.Run(viewA, viewB, form == GemmForm.AddRow ? row : default, new Matrix<T>(destination, m, n),
                        new(form, T.CreateChecked(form == GemmForm.ScaledAccumulate ? 0.3 : 1),
                            T.CreateChecked(form == GemmForm.ScaledAccumulate ? -0.7 : 1)), context, width);
                }
            }
        }
    }

    private static T[] Random<T>(int length, ulong seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom(seed);
        var values = new T[length];
        foreach (ref var x in values.AsSpan())
            x = random.Signed<T>();
        return values;
    }
}
