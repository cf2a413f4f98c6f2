using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Samples;

/// <summary>The time from the start of the process to an accuracy on the test images, which are used once, at the end.</summary>
internal static class TimeTo
{
    private const int Side = 28, Classes = 10;

    public static int Run(double accuracy, Recipe recipe, Func<TrainTestSplit> load, ulong seed, ComputeContext compute)
    {
        var start = Process.GetCurrentProcess().StartTime;
        double Seconds() => (DateTime.Now - start).TotalSeconds;
        void Tell(string text) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Seconds(),6:F2} s  {text}"));

        Tell("main begins");
        var loading = Task.Run(load);

        // While the images are read, the code of a step is compiled: it runs on two blank batches, and those weights are thrown away.
        var blank = new byte[2 * recipe.Batch * Side * Side];
        var nothing = new LabeledImages(blank, new byte[2 * recipe.Batch], Side, Side, Classes, byte.MaxValue);
        TrainAndTest(recipe with { Epochs = 1 }, new TrainTestSplit(nothing, nothing), seed, compute, []);
        Tell("the step is compiled");
        var images = loading.GetAwaiter().GetResult();
        Tell($"{images.Train.Count:N0} training images are in memory");
        var result = TrainAndTest(recipe, images, seed, compute, [new Lines(Tell)]);
        var seconds = Seconds();
        var reached = result["accuracy"];
        Tell(string.Create(CultureInfo.InvariantCulture,
            $"{recipe.Name}, seed {seed}: {100 * reached:F2} % of {result.Rows:N0} test images are right after {seconds:F2} s"));
        if (reached >= accuracy)
            return 0;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"error: {100 * reached:F2} % is short of {100 * accuracy:F2} %."));
        return 1;
    }

    private static Evaluation TrainAndTest(
        Recipe recipe, TrainTestSplit images, ulong seed, ComputeContext compute, IReadOnlyList<ITrainingCallback<float>> callbacks)
    {
        var (train, test) = images;
        var network = recipe.Build(train, seed);
        using var batches = new BatchLoader<float>(
            train.ToDataset<float>(shape: recipe.ShapeOf(train)), recipe.Batch, new() { Seed = seed, Transforms = recipe.Transforms(train), Prefetch = 16 });
        var optimizer = new AdamW<float>(network, weightDecay: recipe.WeightDecay);
        optimizer.SetGroups(network.Definition.Parameters.WithoutDecay());
        new Trainer<float>(network, optimizer, batches, new()
        {
            Epochs = recipe.Epochs,
            Schedule = recipe.Schedule((long)recipe.Epochs * batches.BatchesPerEpoch),
            Callbacks = callbacks,
            Compute = compute,
        }).Run();
        return new Evaluator<float>(network, test.ToDataset<float>(shape: recipe.ShapeOf(test)), [new AccuracyMetric<float>()], new() { Compute = compute })
            .Run();
    }

    private sealed class Lines(Action<string> tell) : ITrainingCallback<float>
    {
        public void EpochDone(Trainer<float> trainer, EpochRecord epoch) =>
            tell(string.Create(CultureInfo.InvariantCulture,
                $"epoch {epoch.Epoch + 1} of {trainer.Options.Epochs}: loss {epoch.Loss:F4}, {epoch.RowsPerSecond:N0} images/s"));
    }
}
