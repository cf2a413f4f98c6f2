using System.Globalization;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Samples;

/// <summary>A complete training: display, validation, checkpoints, pictures, and a test at the end.</summary>
internal sealed class Session(MnistOptions options, ComputeContext compute)
{
    private static readonly string[] Digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    /// <summary>The files in the directory of the pictures: curves, confusion matrix, weights, mistakes.</summary>
    public static readonly string[] PictureNames = ["curves.png", "confusion.png", "weights.png", "mistakes.png"];

    /// <summary>The files in the directory of the log: epochs, steps.</summary>
    public static readonly string[] LogNames = ["history.csv", "training.jsonl"];

    public int Run()
    {
        var recipe = options.Recipe ?? Recipe.Mlp;
        recipe = recipe with { Epochs = options.Epochs ?? recipe.Epochs };
        var (images, test) = Program.Load(options);
        var network = recipe.Build(images, options.Seed);
        Console.WriteLine(network.Summary());

        // A twelfth of the training images, stratified by class, validates; the test images are for the end.
        var parts = DataSplit.Stratified(images.Labels.Span, options.Seed, 11.0 / 12, 1.0 / 12);
        var set = images.ToDataset<float>(shape: recipe.ShapeOf(images));
        var validation = new Evaluator<float>(network, set, [new AccuracyMetric<float>()], new() { Rows = parts[1], Compute = compute });
        using var batches = new BatchLoader<float>(
            set, recipe.Batch, new() { Seed = options.Seed, Rows = parts[0], Transforms = recipe.Transforms(images), Prefetch = 16 });
        var optimizer = new AdamW<float>(network, weightDecay: recipe.WeightDecay);
        optimizer.SetGroups(network.Definition.Parameters.WithoutDecay());

        using var display = new LiveDisplay(recipe.Epochs, $"{(options.Fashion ? "Fashion-MNIST" : "MNIST")}, {recipe.Name}, {parts[0].Length:N0} images");
        var trainer = new Trainer<float>(network, optimizer, batches, new()
        {
            Epochs = recipe.Epochs,
            Schedule = recipe.Schedule((long)recipe.Epochs * batches.BatchesPerEpoch),
            Validation = validation,
            Checkpoints = options.Checkpoints is { } directory
                ? new CheckpointOptions { Directory = directory, EveryEpoch = true, Every = TimeSpan.FromSeconds(30) } : null,
            Callbacks = [display, .. Logs()],
            Progress = display,
            Compute = compute,
        });
        if (options.Checkpoints is not null && trainer.TryResume())
        {
            foreach (var rejected in trainer.Rejected)
                Console.WriteLine($"passed over: {rejected.Reason}");
            Console.WriteLine($"goes on from step {trainer.Step:N0}");
        }

        var told = trainer.Rejected.Count;
        using var interrupt = new CancellationTokenSource();
        ConsoleCancelEventHandler onInterrupt = (_, e) =>
        {
            // The step in progress is finished, and saved if there are checkpoints. A second Ctrl+C ends the program.
            e.Cancel = !interrupt.IsCancellationRequested;
            interrupt.Cancel();
        };
        Console.CancelKeyPress += onInterrupt;
        var reason = trainer.Run(interrupt.Token);
        Console.CancelKeyPress -= onInterrupt;
        foreach (var rejected in trainer.Rejected.Skip(told))
            Console.WriteLine($"set aside: {rejected.Reason}");
        if (reason == StopReason.Cancelled)
            Console.WriteLine(options.Checkpoints is null ? "interrupted" : $"interrupted; the same command goes on from step {trainer.Step:N0}");
        if (options.Save is { } path)
        {
            network.Save(path);
            Console.WriteLine($"the network is in {path}");
        }

        if (reason != StopReason.Cancelled)
            Test(network, recipe, test, trainer.History);
        return reason == StopReason.Cancelled ? 130 : 0;
    }

    private IEnumerable<ITrainingCallback<float>> Logs()
    {
        if (options.Log is not { } directory)
            yield break;
        yield return new CsvLog<float>(Path.Combine(directory, LogNames[0]));
        yield return new JsonLinesLog<float>(Path.Combine(directory, LogNames[1]), stepPeriod: 10);
    }

    private void Test(Network<float> network, Recipe recipe, LabeledImages test, IReadOnlyList<EpochRecord> history)
    {
        var classes = options.Fashion ? FashionMnist.Classes : Digits;
        var matrix = new ConfusionMatrix<float>(classes.Count);
        var result = new Evaluator<float>(network, test.ToDataset<float>(shape: recipe.ShapeOf(test)), [matrix], new() { Compute = compute }).Run();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{100 * matrix.Value:F2} % of {result.Rows:N0} test images are right, loss {result.Loss:F4}"));
        if (options.Pictures is not { } directory)
            return;
        var (predicted, probabilities) = Predictions(network, test);
        string[] paths = [.. PictureNames.Select(name => Path.Combine(directory, name))];
        Pictures.Curves(history, paths[0]);
        Pictures.Confusion(matrix, classes, paths[1]);
        Pictures.FirstLayerWeights(network, test.Height, test.Width, paths[2]);
        Pictures.Misclassified(test, predicted, probabilities, classes, paths[3]);
        Console.WriteLine($"{string.Join(", ", PictureNames)} are in {directory}");
    }

    private static (int[] Predicted, float[] Probabilities) Predictions(Network<float> network, LabeledImages test)
    {
        var predictor = new Inference.Predictor<float>(network);
        var pixels = new float[test.Count * test.PixelsPerImage];
        test.CopyRows(0, test.Count, pixels.AsSpan());
        var (all, predicted, probabilities) = (new float[test.Count * test.Classes], new int[test.Count], new float[test.Count]);
        predictor.PredictProbabilities(pixels, all);
        for (var i = 0; i < test.Count; i++)
        {
            var row = all.AsSpan(i * test.Classes, test.Classes);
            predicted[i] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(row);
            probabilities[i] = row[predicted[i]];
        }

        return (predicted, probabilities);
    }
}
