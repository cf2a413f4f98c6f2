using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Determinism;

/// <summary>Kernels of arrays, indices and scans on fractions, whose sums round: the same bits on any number of threads.</summary>
public sealed class ArrayThreadTests
{
    private static readonly int[] Shape = [3, 67, 41];

    private delegate void Kernel<T>(T[] x, Destination<T> y, ComputeContext? context) where T : unmanaged;

    [Fact]
    public void Paddings_tilings_and_reversals()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            int[] before = [2, 60, 7], after = [1, 50, 9], padded = [6, 177, 57], repeats = [3, 150, 2], axes = [0, 2];
            foreach (var mode in Enum.GetValues<PaddingMode>())
            {
                // A mirror is shorter than the dimension.
                int[] around = mode == PaddingMode.Reflect ? [2, 60, 7] : [2, 1500, 7];
                int[] result = [6, 67 + around[1] + after[1], 57];
                Same<T>(Shape, padded, (x, y, context) => Arrays.Pad(new(x, Shape), before, after, mode, T.One, y.Span, context), $"pad {mode}");
                Same<T>(result, Shape, (dy, dx, context) => Arrays.PadGradient<T>(dy, Shape, around, after, mode, dx, context), $"pad {mode}, gradient");
            }

            int[] tiled = [9, 67 * 150, 82];
            Same<T>(Shape, tiled, (x, y, context) => Arrays.Tile(new(x, Shape), repeats, y.Span, context), "tile");
            Same<T>(tiled, Shape, (dy, dx, context) => Arrays.TileGradient<T>(dy, Shape, repeats, dx, context), "tile, gradient");
            Same<T>(Shape, Shape, (x, y, context) => Arrays.Reverse(new(x, Shape), axes, y, context), "reverse");
        }
    }

    /// <summary>Few places for many indices: more than 128 terms meet in one.</summary>
    [Theory]
    [InlineData(1, 40)]
    [InlineData(5, 40)]
    [InlineData(1, 1)]
    public void Gathers_and_sums_by_indices(int groups, int inner)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            const int Batch = 5, Outer = 17, Length = 9, Count = 1200;
            int[] shape = [groups, Outer, Length, inner], result = [Batch, Outer, Count, inner];
            var random = new TestRandom(7);
            var indices = new int[Batch * Count];
            foreach (ref var index in indices.AsSpan())
                index = Math.Max(0, random.Integer(-Length, Length - 1));
            Same<T>(shape, result, (x, y, context) => Indexing.Gather(new(x, shape), indices, Count, y, context), "gather");
            Same<T>(result, shape, (dy, x, context) => Indexing.ScatterAdd(new(dy, result), indices, shape, x, new int[2 * indices.Length], context),
                "sums by indices");

            const int Few = 150;
            int[] elements = [Batch, Outer, Few, inner];
            var each = new int[Batch * Outer * Few * inner];
            foreach (ref var index in each.AsSpan())
                index = Math.Max(0, random.Integer(-20 * Length, Length - 1));
            Same<T>(shape, elements, (x, y, context) => Indexing.GatherElements(new(x, shape), each, Few, y, context), "gather of elements");
            Same<T>(elements, shape, (dy, x, context) => Indexing.ScatterAddElements(dy, each, Few, shape, x, new int[3 * each.Length], context),
                "sums of elements by indices");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Prefix_sums_and_sorting(int axis)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var (exclusive, reverse) in ((bool, bool)[])[(false, false), (true, true)])
                Same<T>(Shape, Shape, (x, y, context) => AxisScans.CumulativeSum(new(x, Shape), axis, exclusive, reverse, y, context), "prefix sums");
            foreach (var count in (int[])[2, Shape[axis]])
            {
                int[] taken = [.. Shape];
                taken[axis] = count;
                var places = new T[Size(taken)];
                Same<T>(Shape, taken, (x, y, context) =>
                {
                    var values = new T[y.Span.Length];
                    AxisScans.TopK(new(x, Shape), axis, count, true, values, places, context);
                    for (var i = 0; i < values.Length; i++)
                        y.Span[i] = y.Adds ? y.Span[i] + values[i] + places[i] : values[i];
                }, "largest elements");
                Same<T>(taken, Shape, (dy, dx, context) => AxisScans.TopKGradient(dy, places, Shape, axis, dx, context), "largest elements, gradient");
            }
        }
    }

    private static int Size(int[] shape) => shape.Aggregate(1, (size, n) => size * n);

    /// <summary>Fails unless y has the bits of one thread with any, overwritten and added to.</summary>
    private static void Same<T>(int[] from, int[] to, Kernel<T> kernel, string what) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom(3);
        T[] x = new T[Size(from)], y = new T[Size(to)], first = [], added = [];
        foreach (ref var value in x.AsSpan())
            value = random.Signed<T>();
        foreach (var threads in (int[])[0, 1, 2, 3, 7])
        {
            using var team = threads == 0 ? null : TestThreads.Create(threads);
            Array.Fill(y, T.NaN);
            kernel(x, new(y), team);
            var overwritten = y.ToArray();
            if (team is null)
                Assert.DoesNotContain(overwritten, v => !T.IsFinite(v));
            first = team is null ? overwritten : first;
            Bits.AssertEqual<T>(first, overwritten, $"{what} on {threads} threads");
            Array.Fill(y, T.CreateTruncating(0.1));
            kernel(x, new(y, adds: true), team);
            added = team is null ? y.ToArray() : added;
            Bits.AssertEqual<T>(added, y, $"{what}, added, on {threads} threads");
        }
    }
}
