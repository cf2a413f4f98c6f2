using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Gathers and sums by indices on small integers: every order of sums gives the same number.</summary>
public sealed class IndexingTests
{
    /// <summary>The shape of x, the rows of the batch and the indices of each.</summary>
    public static TheoryData<int[], int, int> Cases => new()
    {
        { [1, 1, 1, 1], 1, 1 }, { [2, 1, 5, 3], 2, 4 }, { [1, 1, 5, 3], 2, 4 }, { [3, 2, 4, 1], 3, 6 }, { [1, 3, 4, 2], 5, 3 }, { [2, 2, 3, 40], 2, 7 },
        { [2, 1, 3, 5], 2, 300 }, { [1, 2, 3, 5], 4, 100 }, { [1, 1, 3000, 2], 3, 500 }, { [4, 3, 7, 33], 4, 129 }, { [1, 2, 2, 1], 1, 1000 },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Results_and_sums_are_those_of_the_reference(int[] shape, int rows, int count)
    {
        Check(shape, rows, count, isByElement: false);
        Check(shape, rows, Math.Min(count, 40), isByElement: true);
    }

    [Fact]
    public void Threads_do_not_change_a_bit_and_long_sums_are_pairwise()
    {
        using var team = new ComputeContext(3);
        int[] indices = [.. Enumerable.Range(0, 3 * 4000).Select(i => i % 5 == 0 ? i % 7 : 3)], order = new int[2 * indices.Length];
        float[] dy = [.. Enumerable.Range(0, indices.Length * 2 * 17).Select(i => (float)Math.Sin(i))];
        foreach (var groups in (int[])[1, 3])
        {
            float[] alone = new float[groups * 2 * 7 * 17], together = new float[alone.Length];
            Indexing.ScatterAdd(new(dy, 3, 2, 4000, 17), indices, [groups, 2, 7, 17], new Destination<float>(alone), order);
            Indexing.ScatterAdd(new(dy, 3, 2, 4000, 17), indices, [groups, 2, 7, 17], new Destination<float>(together), order, team);
            Assert.Equal(alone, together);
        }

        const int N = 1 << 18;
        var (terms, sums) = (new float[N], new float[2]);
        Array.Fill(terms, 0.1f);
        Indexing.ScatterAdd(new(terms, 1, 1, N, 1), new int[N], [1, 1, 2, 1], new Destination<float>(sums), new int[2 * N]);
        Assert.InRange(Math.Abs(sums[0] / (N * (double)0.1f) - 1), 0, 60 * Math.ScaleB(1, -23));
        Assert.Equal(0, sums[1]);
    }

    [Fact]
    public void Bad_indices_are_named_and_nothing_is_written()
    {
        double[] x = [1, 2, 3], y = [7, 7, 7, 7];
        foreach (var bad in (int[])[-1, 3, int.MaxValue, int.MinValue])
        {
            foreach (var call in (Action[])[
                () => Indexing.Gather(new(x, 1, 1, 3, 1), [0, 1, bad, 2], 2, new Destination<double>(y)),
                () => Indexing.GatherElements(new(x, 1, 1, 3, 1), [0, 1, bad, 2], 2, new Destination<double>(y)),
                () => Indexing.ScatterAdd(new(new double[4], 2, 1, 2, 1), [0, 1, bad, 2], [1, 1, 3, 1], new Destination<double>(x), new int[8]),
                () => Indexing.ScatterAddElements(new double[4], [0, 1, bad, 2], 2, [1, 1, 3, 1], new Destination<double>(x), new int[12])])
            {
                var error = Assert.Throws<ArgumentException>("indices", call);
                Assert.Contains($"[0, 3); row 1 has {bad} (number 0 of 2)", error.Message, StringComparison.Ordinal);
                Assert.Equal([1, 2, 3, 7, 7, 7, 7], [.. x, .. y]);
            }
        }
    }

    [Fact]
    public void Misfits_are_refused()
    {
        double[] x = new double[6], y = new double[4];
        Assert.Throws<ArgumentException>("x", () => Indexing.Gather(new(x, 2, 3), [0, 1], 2, new Destination<double>(y)));
        Assert.Throws<ArgumentException>("indices", () => Indexing.Gather(new(x, 3, 1, 2, 1), [0, 1, 0, 1], 2, new Destination<double>(y)));
        Assert.Throws<ArgumentException>("indices", () => Indexing.Gather(new(x, 1, 1, 6, 1), [0, 1, 0], 2, new Destination<double>(y)));
        Assert.Throws<ArgumentException>("y", () => Indexing.Gather(new(x, 1, 1, 6, 1), [0, 1], 2, new Destination<double>(y)));
        Assert.Throws<ArgumentException>("y", () => Indexing.Gather(new(x, 1, 1, 6, 1), [0, 1], 2, new Destination<double>(x.AsSpan(1, 2))));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => Indexing.Gather(new(x, 1, 1, 6, 1), [0, 1], 0, new Destination<double>(y)));
        Assert.Throws<ArgumentException>("dy", () => Indexing.ScatterAdd(new(y, 2, 1, 1, 2), [0, 1], [1, 1, 4, 1], new Destination<double>(y), []));
        Assert.Throws<ArgumentException>("order", () =>
            Indexing.ScatterAdd(new(new double[200], 1, 1, 200, 1), new int[200], [1, 1, 4, 1], new Destination<double>(y), new int[399]));
        Assert.Throws<ArgumentException>("order", () => Indexing.ScatterAddElements(y, new int[4], 4, [1, 1, 4, 1], new Destination<double>(y), new int[11]));
        Assert.Throws<ArgumentException>("order", () =>
        {
            var order = new int[12];
            var terms = MemoryMarshal.Cast<int, double>(order.AsSpan(8));
            Indexing.ScatterAddElements(terms, new int[2], 2, [1, 1, 4, 1], new Destination<double>(new double[4]), order);
        });
        Assert.Throws<ArgumentException>("x", () => Indexing.ScatterAddElements<double>([], [], 1, [1, 1, 4, 1], new Destination<double>(x), []));
    }

    private static void Check(int[] shape, int rows, int count, bool isByElement)
    {
        using var team = new ComputeContext(3);
        double[] x = [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(i => (double)(i * 5 % 17))];
        int[] indices = [.. Enumerable.Range(0, rows * count * (isByElement ? shape[1] * shape[3] : 1)).Select(i => i * i % 11 % shape[2])];
        var sources = IndexingReference.Sources(shape, indices, count, isByElement);
        double[] dy = [.. sources.Select((_, i) => (double)(i * 7 % 11 - 4))];
        var expected = ArrayReference.Scatter(dy, sources, x.Length);
        var order = new int[3 * indices.Length];
        foreach (var context in (ComputeContext?[])[null, team])
        {
            double[] y = new double[dy.Length], dx = new double[x.Length];
            Array.Fill(y, double.NaN);
            Array.Fill(dx, double.NaN);
            Gather(y);
            Assert.Equal(ArrayReference.Take(x, sources, 0), y);
            Gather(new(y, adds: true));
            Assert.Equal(sources.Select(s => 2 * x[s]), y);
            Scatter(dx);
            Assert.Equal(expected, dx);
            Scatter(new(dx, adds: true));
            Assert.Equal(expected.Select(d => 2 * d), dx);

            void Gather(Destination<double> to)
            {
                if (isByElement)
                    Indexing.GatherElements(new(x, shape), indices, count, to, context);
                else
                    Indexing.Gather(new(x, shape), indices, count, to, context);
            }

            void Scatter(Destination<double> to)
            {
                if (isByElement)
                    Indexing.ScatterAddElements(dy, indices, count, shape, to, order, context);
                else
                    Indexing.ScatterAdd(new(dy, rows, shape[1], count, shape[3]), indices, shape, to, order, context);
            }
        }
    }
}
