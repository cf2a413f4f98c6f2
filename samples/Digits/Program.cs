using System.Diagnostics;
using Backprop.Simd.Datasets;
using Backprop.Simd.Gradients;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>Trains a two-layer network on handwritten digits, after proving its gradients.</summary>
internal static class Program
{
    private const int GradientCheckImages = 3;

    /// <summary>With more parameters than this, random directions are checked instead of each parameter.</summary>
    private const int MostFullyChecked = 20_000;

    /// <summary>The notebook's measure, the mean absolute difference, must stay below this.</summary>
    private const double GradientTolerance = 1e-9;

    /// <summary>The names of the parameters in the notebook, and here.</summary>
    private static readonly (string Label, string Name)[] Labels =
        [("W1", "affine1.weight"), ("b1", "affine1.bias"), ("W2", "affine2.weight"), ("b2", "affine2.bias")];

    private static int Main(string[] args) => DigitsOptions.Run(args, Run);

    private static int Run(DigitsOptions options)
    {
        var clock = Stopwatch.StartNew();
        var screen = new Screen();
        using var compute = new ComputeContext(options.Threads);
        var (train, test) = Digits.Split();

        // The notebook's network: 64 pixels, a sigmoid hidden layer, 10 classes.
        var network = GraphBuilder.Chain(train.PixelsPerImage)
            .Affine(options.Hidden).Sigmoid()
            .Affine(train.Classes).SoftmaxCrossEntropy()
            .Build<float>(options.Seed);
        screen.Network(options, train, test, network.Definition.Parameters.Count);

        // Is backward right? The same network in double, against numerical differentiation.
        var check = CheckGradients(network, train);
        screen.GradientCheck(Labels, check, GradientCheckImages, GradientTolerance);
        if (!Labels.All(l => check[l.Name].MeanAbsoluteDifference < GradientTolerance))
            return Fail("the gradient check failed: backward does not compute the gradient of forward.");

        var trainer = new Trainer(network, train, options, compute);
        var evaluation = new Evaluation(network, test, compute);
        var epochSeconds = new double[options.Epochs];
        screen.BeginEpochs();
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            var start = Stopwatch.GetTimestamp();
            var loss = trainer.Epoch();
            epochSeconds[epoch] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (!double.IsFinite(loss))
                return Fail($"the loss is {loss} in epoch {epoch + 1}: training diverged; try a --learning-rate below {options.LearningRate}.");
            screen.Epoch(epoch + 1, options.Epochs, loss, evaluation.Accuracy(), epochSeconds[epoch]);
        }

        Array.Sort(epochSeconds);
        var result = new DigitsResult
        {
            TestAccuracy = evaluation.Accuracy(),
            ImagesPerSecond = train.Count / epochSeconds[epochSeconds.Length / 2],
            BytesPerStep = Trainer.BytesPerStep(network, train, options, compute, out var measuredSteps),
            GradientCheck = [.. Labels.Select(l => (l.Label, check[l.Name].MeanAbsoluteDifference))],
            Seconds = clock.Elapsed.TotalSeconds,
        };
        screen.Examples(test, evaluation);
        screen.Result(result, test.Count, measuredSteps, options.Threads);
        return options.Json is null || result.TryWrite(options.Json, out var problem) ? 0 : Fail(problem);
    }

    private static GradientCheckReport CheckGradients(Network<float> network, LabeledImages images)
    {
        var precise = network.ConvertTo<double>();
        var workspace = precise.CreateWorkspace(GradientCheckImages, compute: ComputeContext.SingleThreaded);
        images.CopyRows(0, GradientCheckImages, workspace.Input());
        images.CopyLabels(0, GradientCheckImages, workspace.IndexInput());
        var isSmall = network.Definition.Parameters.Count <= MostFullyChecked;
        return GradientCheck.Run(precise, workspace, new GradientCheckOptions
        {
            Mode = isSmall ? GradientCheckMode.Full : GradientCheckMode.RandomDirections,
        });
    }

    private static int Fail(string problem)
    {
        Console.Error.WriteLine($"error: {problem}");
        return 1;
    }
}
