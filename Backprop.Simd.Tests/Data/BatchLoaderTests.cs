using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;
using CsCheck;

namespace Backprop.Simd.Tests.Data;

public sealed class BatchLoaderTests
{
    private static readonly Gen<(int Count, int Size, bool Drop, bool Shuffle, int Prefetch, int Workers, ulong Seed)> Loaders =
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 20], Gen.Bool, Gen.Bool, Gen.Int[0, 7], Gen.Int[1, 4], Gen.ULong)
            .Where((count, size, drop, _, _, _, _) => !drop || size <= count);

    [Fact]
    public void Augmentations_with_the_same_random_numbers_are_refused()
    {
        var shape = new Shape(4, 4, 1);
        var set = new Dataset<float>(Columns.Values<float>("x", shape, new float[32]), Columns.Values<float>("mask", shape, new float[32]));
        var error = Assert.Throws<ArgumentException>(() =>
            new BatchLoader<float>(set, 2, new() { Transforms = [new RandomShift<float>(1), new GaussianNoise<float>(1), new RandomShift<float>(2)] }));
        Assert.Contains("RandomShift of column 'x' have the same stream, 0", error.Message, StringComparison.Ordinal);
        using var streams = new BatchLoader<float>(set, 2, new() { Transforms = [new RandomShift<float>(1), new RandomShift<float>(1, stream: 1)] });
        using var columns = new BatchLoader<float>(set, 2, new() { Transforms = [new RandomShift<float>(1), new RandomShift<float>(1, column: "mask")] });
    }

    [Fact]
    public void Every_row_comes_exactly_once_in_an_epoch() => Loaders.Sample(loaders =>
    {
        var (count, size, drop, shuffle, prefetch, workers, seed) = loaders;
        using var loader = new BatchLoader<float>(TestSets.Counting<float>(count), size,
            new() { DropLast = drop, Shuffle = shuffle, Prefetch = prefetch, Workers = workers, Seed = seed });
        Assert.Equal(drop ? count / size : (count + size - 1) / size, loader.BatchesPerEpoch);
        Assert.Equal(drop ? count / size * size : count, loader.RowsPerEpoch);
        for (var epoch = 0; epoch < 3; epoch++)
        {
            var seen = new List<int>();
            for (var i = 0; i < loader.BatchesPerEpoch; i++)
            {
                Assert.Equal(new DataCursor(epoch, i), loader.Cursor);
                var batch = loader.Next();
                Assert.Equal(new DataCursor(epoch, i), batch.Cursor);
                Assert.Equal(!drop && i == loader.BatchesPerEpoch - 1 ? count - i * size : size, batch.Rows);
                TestSets.AssertHoldsItsRows(batch);
                seen.AddRange(batch.SourceRows);
            }

            Assert.Equal(loader.RowsPerEpoch, seen.Distinct().Count());
            var order = Enumerable.Range(0, count).ToArray();
            if (shuffle)
                RowOrder.Fill(seed, epoch, order);
            Assert.Equal(order[..loader.RowsPerEpoch], seen);
        }
    }, iter: 60);

    [Fact]
    public void A_cursor_brings_back_the_same_batches_whatever_reads_ahead() =>
        Gen.Select(Loaders, Gen.Int[0, 5], Gen.Int[0, 1000]).Sample((loaders, epoch, at) =>
        {
            var (count, size, drop, shuffle, prefetch, workers, seed) = loaders;
            var options = new LoaderOptions<float> { DropLast = drop, Shuffle = shuffle, Seed = seed, Transforms = [new TestSets.Shifting()] };
            using var straight = new BatchLoader<float>(TestSets.Counting<float>(count), size, options);
            using var jumping = new BatchLoader<float>(TestSets.Counting<float>(count), size, options with { Prefetch = prefetch, Workers = workers });
            for (var i = at % 3; i > 0; i--)
                jumping.Next();
            var start = new DataCursor(epoch, at % straight.BatchesPerEpoch);
            while (straight.Cursor != start)
                straight.Next();
            jumping.Cursor = start;
            for (var i = 0; i < 12; i++)
            {
                Assert.Equal(straight.Cursor, jumping.Cursor);
                Batch<float> expected = straight.Next(), actual = jumping.Next();
                Assert.Equal(expected.Cursor, actual.Cursor);
                Assert.True(expected.SourceRows.SequenceEqual(actual.SourceRows));
                Assert.True(expected.Values(0).SequenceEqual(actual.Values(0)));
                Assert.True(expected.Indices(1).SequenceEqual(actual.Indices(1)));
                TestSets.AssertHoldsItsRows(actual, row => TestSets.Shifting.Of(seed, actual.Cursor.Epoch, row));
            }
        }, iter: 60);

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Chosen_rows_alone_take_part(int prefetch)
    {
        int[] rows = [9, 4, 4, 30, 17];
        using var ordered = new BatchLoader<float>(TestSets.Counting<float>(31), 2, new() { Rows = rows, Shuffle = false, Prefetch = prefetch });
        Assert.Equal([[9, 4], [4, 30], [17], [9, 4]], TestSets.RowsOf(ordered, 4));
        using var shuffled = new BatchLoader<float>(TestSets.Counting<float>(31), 5, new() { Rows = rows, Prefetch = prefetch });
        var epochs = TestSets.RowsOf(shuffled, 20);
        Assert.All(epochs, epoch => Assert.Equal(rows.Order(), epoch.Order()));
        Assert.True(epochs.Select(epoch => string.Join(' ', epoch)).Distinct().Count() > 10);
    }

    [Fact]
    public void A_batch_stays_until_the_next_also_where_the_cursor_moves()
    {
        using var loader = new BatchLoader<float>(TestSets.Counting<float>(50), 4, new() { Prefetch = 5, Workers = 2 });
        for (var i = 0; i < 100; i++)
        {
            var batch = loader.Next();
            var rows = batch.SourceRows.ToArray();
            if (i % 10 == 9)
                loader.Cursor = new(i, i % loader.BatchesPerEpoch);
            Thread.Yield();
            Assert.Equal(rows, batch.SourceRows.ToArray());
            TestSets.AssertHoldsItsRows(batch);
        }
    }

    [Fact]
    public void Threads_that_share_a_batch_change_no_bit()
    {
        var set = TestSets.Counting<float>(997);
        using var context = new ComputeContext(3) { InlineNanoseconds = 0 };
        using var one = new BatchLoader<float>(set, 100, new() { Compute = ComputeContext.SingleThreaded });
        using var three = new BatchLoader<float>(set, 100, new() { Compute = context });
        for (var i = 0; i < 15; i++)
        {
            Batch<float> expected = one.Next(), actual = three.Next();
            Assert.True(expected.Values(0).SequenceEqual(actual.Values(0)));
            Assert.True(expected.Indices(1).SequenceEqual(actual.Indices(1)));
        }

        Assert.All(context.PartsRun.ToArray(), parts => Assert.True(parts > 0));
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        var set = TestSets.Counting<float>(5);
        Assert.Throws<ArgumentNullException>(() => new BatchLoader<float>(null!, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader<float>(set, 0));
        Assert.Contains("5 rows", Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader<float>(set, 6, new() { DropLast = true })).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader<float>(set, 2, new() { Prefetch = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader<float>(set, 2, new() { Workers = 0 }));
        Assert.Contains("row 5", Assert.Throws<ArgumentException>(() => new BatchLoader<float>(set, 2, new() { Rows = [0, 5] })).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new BatchLoader<float>(set, 2, new() { Rows = [] }));
        Assert.Throws<ArgumentException>(() => new BatchLoader<float>(TestSets.Counting<float>(0), 2));
        using var loader = new BatchLoader<float>(set, 2);
        foreach (var cursor in (DataCursor[])[new(0, 3), new(0, -1), new(-1, 0)])
            Assert.Throws<ArgumentOutOfRangeException>(() => loader.Cursor = cursor);
        loader.Cursor = new(7, 2);
        Assert.Equal(1, loader.Next().Rows);
        Assert.Equal(new DataCursor(8, 0), loader.Cursor);
        loader.Dispose();
        Assert.Throws<ObjectDisposedException>(loader.Next);
    }

    [Fact]
    public void A_batch_larger_than_the_set_is_the_set()
    {
        using var loader = new BatchLoader<float>(TestSets.Counting<float>(5), 1_000_000_000);
        Assert.Equal(5, loader.Next().Rows);
        Assert.Equal(5, loader.Next().Capacity);
        Assert.Equal((1, 5, 1_000_000_000), (loader.BatchesPerEpoch, loader.RowsPerEpoch, loader.BatchSize));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_transform_that_asks_for_negative_scratch_is_refused_at_once(int prefetch)
    {
        var error = Assert.Throws<ArgumentException>(() =>
            new BatchLoader<float>(TestSets.Counting<float>(5), 2, new() { Prefetch = prefetch, Transforms = [new Negative()] }));
        Assert.Contains("-1", error.Message, StringComparison.Ordinal);
        var network = GraphBuilder.Chain(3).Affine(7).SoftmaxCrossEntropy().Build<float>();
        Assert.Throws<ArgumentException>(() => new Evaluator<float>(network, TestSets.Counting<float>(5), [], new() { Transforms = [new Negative()] }));
    }

    private sealed class Negative : BatchTransform<float>
    {
        public override int Prepare(ReadOnlySpan<DataColumn> columns) => -1;

        public override void Apply(Batch<float> batch, Span<float> scratch, ulong seed)
        {
        }
    }
}
