using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Training;
using CsCheck;

namespace Backprop.Simd.Tests.Training.Metrics;

/// <summary>What holds for all metrics: batches leave no trace in the value, and no garbage.</summary>
public class MetricBatchTests
{
    private const int Classes = 3;

    private static Metric<float>[] OfLabels() =>
    [
        new AccuracyMetric<float>(), new TopKAccuracyMetric<float>(2), new ConfusionMatrix<float>(Classes),
        new PrecisionMetric<float>(Classes), new RecallMetric<float>(Classes),
        new F1ScoreMetric<float>(Classes, ofClass: 1),
    ];

    private static Metric<float>[] OfBinaryLabels() => [new RocAucMetric<float>(), new AccuracyMetric<float>(threshold: 0.5)];

    private static Metric<float>[] OfTargets() =>
        [new MeanAbsoluteErrorMetric<float>(), new MeanSquaredErrorMetric<float>(), new RootMeanSquaredErrorMetric<float>(), new RSquaredMetric<float>()];

    [Fact]
    public void Any_splitting_into_batches_gives_the_same_bits() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int, Gen.Int[1, 12].Array[0, 60]).Sample((rows, seed, sizes) =>
        {
            var random = new Random(seed);
            var outputs = Numbers(random, rows * Classes);
            var targets = Numbers(random, rows * Classes);
            int[] labels = [.. Enumerable.Range(0, rows).Select(_ => random.Next(Classes))];
            int[] binary = [.. labels.Select(l => l & 1)];
            Compare(OfLabels(), OfLabels(), sizes, rows, (first, n) => new(n, outputs.AsSpan(first * Classes, n * Classes), labels.AsSpan(first, n)));
            Compare(OfBinaryLabels(), OfBinaryLabels(), sizes, rows, (first, n) => new(n, outputs.AsSpan(first, n), binary.AsSpan(first, n)));
            Compare(OfTargets(), OfTargets(), sizes, rows, (first, n) =>
                new(n, outputs.AsSpan(first * Classes, n * Classes), targets.AsSpan(first * Classes, n * Classes)));
        });

    [Fact]
    public void Batches_after_the_first_allocate_nothing()
    {
        var random = new Random(3);
        var outputs = Numbers(random, 200 * Classes);
        var targets = Numbers(random, 200 * Classes);
        int[] labels = [.. Enumerable.Range(0, 200).Select(_ => random.Next(Classes))];
        int[] binary = [.. labels.Select(l => l & 1)];
        foreach (var metric in OfLabels())
            Assert.Equal(0, Allocated(metric, new(200, outputs, labels)));
        foreach (var metric in OfBinaryLabels())
            Assert.Equal(0, Allocated(metric, new(200, outputs.AsSpan(0, 200), binary)));
        foreach (var metric in OfTargets())
            Assert.Equal(0, Allocated(metric, new(200, outputs, targets)));
    }

    private delegate MetricBatch<float> Part(int first, int rows);

    private static void Compare(Metric<float>[] whole, Metric<float>[] split, int[] sizes, int rows, Part part)
    {
        for (var i = 0; i < whole.Length; i++)
        {
            whole[i].Add(part(0, rows));
            var first = 0;
            foreach (var size in sizes.Append(rows))
            {
                var n = Math.Min(size, rows - first);
                if (n > 0)
                    split[i].Add(part(first, n));
                first += n;
            }

            Assert.Equal(BitConverter.DoubleToInt64Bits(whole[i].Value), BitConverter.DoubleToInt64Bits(split[i].Value));
        }
    }

    private static long Allocated(Metric<float> metric, MetricBatch<float> batch)
    {
        // As ThreadAllocations.Least, which cannot hold a batch.
        metric.Add(in batch);
        var least = long.MaxValue;
        for (var round = 0; round < 6 && least > 0; round++)
        {
            metric.Reset();
            var before = GC.GetAllocatedBytesForCurrentThread();
            metric.Add(in batch);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private static float[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(3 * random.NextDouble() - 1))];
}
