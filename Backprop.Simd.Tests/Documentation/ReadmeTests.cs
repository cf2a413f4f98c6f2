using System.Text.RegularExpressions;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The README's examples, compiled and run; <see cref="ReadmeTests"/> holds them equal to the README, line for line.</summary>
internal static class ReadmeExamples
{
    public static void TrainANetwork()
    {
        // begin TrainANetwork
        var digits = Digits.Split();                       // 8 x 8 images, 1,437 to train on and 360 to test with
        var network = GraphBuilder.Chain(64).Affine(50).Sigmoid().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var workspace = network.CreateWorkspace(rows: 32); // every buffer of a step; nothing is allocated after this
        var sgd = new Sgd<float>(network, learningRate: 0.1, momentum: 0.9);

        for (var epoch = 0; epoch < 30; epoch++)
        {
            for (var start = 0; start < digits.Train.Count; start += workspace.Rows)
            {
                workspace.Rows = Math.Min(workspace.Capacity, digits.Train.Count - start);
                digits.Train.CopyRows(start, workspace.Rows, workspace.Input());
                digits.Train.CopyLabels(start, workspace.Rows, workspace.IndexInput());
                network.Step(workspace, sgd);              // forward, loss, backward, update
            }
        }

        var test = network.CreateWorkspace(digits.Test.Count, WorkspaceOptions.Inference);
        digits.Test.CopyRows(0, digits.Test.Count, test.Input());
        network.Forward(test);
        var right = 0;
        for (var row = 0; row < digits.Test.Count; row++)
        {
            var logits = test.Output().Slice(row * 10, 10);
            right += System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits) == digits.Test.Label(row) ? 1 : 0;
        }

        Console.WriteLine($"{100.0 * right / digits.Test.Count:F1} % of the test digits are right");
        // end TrainANetwork
    }

    public static void AConvolutionalNetwork()
    {
        // begin AConvolutionalNetwork
        var digits = Digits.Split();
        var network = GraphBuilder.Chain(new Shape(8, 8, 1))    // images: height, width, channels
            .Convolution2D(16, 3, padding: 1).Relu().MaxPooling2D(2)
            .Convolution2D(32, 3, padding: 1).Relu().MaxPooling2D(2)
            .Flatten().Dropout(0.2).Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        Console.WriteLine(network.Summary());                   // layers, shapes, parameters, FLOPs and bytes per row

        var workspace = network.CreateWorkspace(rows: 32);
        var adam = new AdamW<float>(network);
        var rates = new CosineSchedule(rate: 4e-3, steps: 20 * (digits.Train.Count / 32)).WithWarmUp(40);
        for (var epoch = 0; epoch < 20; epoch++)
        {
            for (var start = 0; start + 32 <= digits.Train.Count; start += 32)
            {
                digits.Train.CopyRows(start, 32, workspace.Input());
                digits.Train.CopyLabels(start, 32, workspace.IndexInput());
                adam.LearningRate = rates.At(adam.Steps);
                network.Step(workspace, adam);
            }
        }

        var test = network.CreateWorkspace(digits.Test.Count, WorkspaceOptions.Inference);
        digits.Test.CopyRows(0, digits.Test.Count, test.Input());
        network.Forward(test);
        var right = Enumerable.Range(0, digits.Test.Count).Count(row =>
            System.Numerics.Tensors.TensorPrimitives.IndexOfMax(test.Output().Slice(row * 10, 10)) == digits.Test.Label(row));
        Console.WriteLine($"{100.0 * right / digits.Test.Count:F1} % of the test digits are right");
        // end AConvolutionalNetwork
    }

    public static void FitACurve()
    {
        // begin FitACurve
        var network = GraphBuilder.Chain(1).Affine(32).Tanh().Affine(1).MeanSquaredError().Build<float>(seed: 1);
        var workspace = network.CreateWorkspace(rows: 64);
        var sgd = new Sgd<float>(network, learningRate: 0.02, momentum: 0.9, nesterov: true);

        for (var i = 0; i < workspace.Rows; i++)
        {
            var x = -3 + 6f * i / (workspace.Rows - 1);
            workspace.Input("x")[i] = x;
            workspace.Input("targets")[i] = MathF.Sin(x);
        }

        for (var step = 0; step < 10_000; step++)
            network.Step(workspace, sgd);
        Console.WriteLine($"mean squared error {network.Forward(workspace):E1}");
        // end FitACurve
    }

    public static void SaveLoadPredict()
    {
        // begin SaveLoadPredict
        var network = GraphBuilder.Chain(64).Affine(50).Sigmoid().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);   // train it as above
        var model = new Model<float>(network);
        model.ClassNames["affine2"] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
        model.Save("digits.model");                                        // graph, settings, numbers and names in one file

        var predictor = Predictor.Load<float>("digits.model");             // needs none of the code above
        var pixels = new float[64];
        Digits.Split().Test.CopyRows<float>(0, 1, pixels);
        Console.WriteLine(predictor.PredictName(pixels));
        // end SaveLoadPredict
    }

    public static void AGraphOfGates()
    {
        // begin AGraphOfGates
        var graph = new GraphBuilder();
        Node x = graph.Input("x"), y = graph.Input("y"), z = graph.Input("z");
        var network = ((x + y) * z).Named("f").Build<double>();
        var workspace = network.CreateWorkspace(rows: 1, new WorkspaceOptions { InputGradients = true, Retain = Retain.All });

        workspace.SetInput("x", [-2]);
        workspace.SetInput("y", [5]);
        workspace.SetInput("z", [-4]);
        network.Forward(workspace);
        network.Backward(workspace);
        Console.WriteLine($"f = {workspace.ValueOf("f")[0]}, df/dx = {workspace.GradientOf("x")[0]}, df/dz = {workspace.GradientOf("z")[0]}"); // -12, -4, 3
        Console.WriteLine(GraphPicture.Mermaid(workspace));
        // end AGraphOfGates
    }
}

[Collection(RunAlone.Name)]
public sealed class ReadmeTests
{
    /// <summary>The examples in the order of the document.</summary>
    private static readonly string[] Names = ["TrainANetwork", "AConvolutionalNetwork", "FitACurve", "SaveLoadPredict", "AGraphOfGates"];

    public static TheoryData<string> Examples => [.. Names];

    [Fact]
    public void The_first_example_trains_a_network()
    {
        var output = Run(ReadmeExamples.TrainANetwork);
        var accuracy = double.Parse(Regex.Match(output, @"^[\d.]+").Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(accuracy, 95, 100);
    }

    [Fact]
    public void The_convolutional_example_trains_a_network()
    {
        var output = Run(ReadmeExamples.AConvolutionalNetwork);
        Assert.Contains("convolution2d2", output, StringComparison.Ordinal);
        var accuracy = double.Parse(Regex.Match(output, @"([\d.]+) % of the test").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(accuracy, 97, 100);
    }

    [Fact]
    public void A_saved_network_answers_in_words()
    {
        var (before, directory) = (Environment.CurrentDirectory, Directory.CreateTempSubdirectory("backprop-readme").FullName);
        Environment.CurrentDirectory = directory;
        var output = "";
        try
        {
            output = Run(ReadmeExamples.SaveLoadPredict);
        }
        finally
        {
            Environment.CurrentDirectory = before;
            Directory.Delete(directory, recursive: true);
        }

        Assert.Contains(output.Trim(), (string[])["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]);
    }

    [Fact]
    public void The_second_example_fits_a_curve()
    {
        var output = Run(ReadmeExamples.FitACurve);
        var error = double.Parse(output.Trim().Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(error, 0, 1e-3);
    }

    [Fact]
    public void The_third_example_prints_the_notebook_values()
    {
        var output = Run(ReadmeExamples.AGraphOfGates);
        Assert.StartsWith("f = -12, df/dx = -4, df/dz = 3", output, StringComparison.Ordinal);
        Assert.Contains("flowchart LR", output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_readme_shows_what_is_run(string name) =>
        DocumentExamples.AssertShown("README.md", "Backprop.Simd.Tests/Documentation/ReadmeTests.cs", Names, name);

    private static string Run(Action example)
    {
        var before = Console.Out;
        using var output = new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        Console.SetOut(output);
        try
        {
            example();
        }
        finally
        {
            Console.SetOut(before);
        }

        return output.ToString();
    }
}
