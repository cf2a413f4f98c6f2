using System.Text.RegularExpressions;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The code of docs/training.md, compiled and run; <see cref="TrainingDocumentTests"/> holds it equal to the document.</summary>
internal static class TrainingExamples
{
    public static void Train()
    {
        // begin Train
        var (images, test) = Digits.Split();
        var set = images.ToDataset<float>();                               // columns "x" and "labels": the names of the network's inputs
        var network = GraphBuilder.Chain(64).Affine(64).Relu().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var optimizer = new AdamW<float>(network);

        var parts = DataSplit.Stratified(images.Labels.Span, seed: 1, 0.9, 0.1);     // training and validation rows
        using var batches = new BatchLoader<float>(set, 32, new() { Seed = 1, Rows = parts[0], Prefetch = 8 });
        var validation = new Evaluator<float>(network, set, [new AccuracyMetric<float>()], new() { Rows = parts[1] });
        var trainer = new Trainer<float>(network, optimizer, batches, new()
        {
            Epochs = 30,
            Schedule = new OneCycleSchedule(0.01, 30 * batches.BatchesPerEpoch),
            ClipNorm = 1,
            Validation = validation,
            EarlyStopping = new() { Monitor = "accuracy", Patience = 8 },
        });
        trainer.Run();                                                     // ends by itself; the best weights are in place

        network.Save("digits.safetensors");
        var result = new Evaluator<float>(network, test.ToDataset<float>(), [new AccuracyMetric<float>()]).Run();
        Console.WriteLine($"{100 * result["accuracy"]:F1} % of {result.Rows} test digits are right");
        // end Train
    }

    public static Dataset<float> Source() => new(new Sines("x", 100));

    public static float Regression()
    {
        // begin Regression
        var set = CsvData.Read("houses.csv", new() { Targets = ["price"] }).ToDataset<float>();   // all other columns are features
        var parts = DataSplit.Random(set.Count, seed: 1, 0.8, 0.2);
        var inputs = Normalization.Standardize(set, "x", rows: parts[0]);
        var targets = Normalization.Standardize(set, "targets", rows: parts[0]);

        var graph = new GraphBuilder();
        var y = graph.Input("x", 3).Normalize(inputs).Affine(16).Relu().Affine(1);
        graph.Output(y.Denormalize(targets));                              // in the units of the file
        var loss = y.Apply(new MeanSquaredError(), graph.Input("targets", 1).Normalize(targets));
        var network = graph.Loss(loss).Build<float>(seed: 1);              // in normalized units

        using var batches = new BatchLoader<float>(set, 32, new() { Rows = parts[0] });
        var trainer = new Trainer<float>(network, new AdamW<float>(network, 0.01), batches, new()
        {
            Epochs = 100,
            Validation = new(network, set, [new RSquaredMetric<float>()], new() { Rows = parts[1] }),
            EarlyStopping = new() { Monitor = "r2", Patience = 20 },
        });
        trainer.Run();
        network.Save("houses.safetensors");                                // with the statistics: they are settings of layers

        var predictor = Predictor.Load<float>("houses.safetensors");
        var price = new float[1];
        predictor.Predict([120, 4, 15], price);
        // end Regression
        return price[0];
    }

    public static double Loop(Network<float> network, Optimizer<float> optimizer, BatchLoader<float> batches)
    {
        // begin Loop
        var workspace = network.CreateWorkspace(rows: 32);
        for (var epoch = 0; epoch < 5; epoch++)
        {
            for (var i = 0; i < batches.BatchesPerEpoch; i++)
            {
                workspace.Bind(batches.Next());                            // rows and columns of the batch, read where they lie
                network.Step(workspace, optimizer);
            }
        }

        var last = workspace.Loss;                                         // of the last batch, before its update
        // end Loop
        return last;
    }

    public static ReadOnlySpan<float> PassThrough(Network<float> network, ReadOnlySpan<float> pixels, int label)
    {
        // begin PassThrough
        var options = new WorkspaceOptions { InputGradients = true, ParameterGradients = false };
        var workspace = network.CreateWorkspace(rows: 1, options);
        workspace.SetInput("x", pixels);
        workspace.SetIndexInput("labels", [label]);
        network.Forward(workspace);
        network.Backward(workspace);
        var gradient = workspace.GradientOf("x");                          // of the loss by each pixel; nothing is computed for parameters
        // end PassThrough
        return gradient;
    }

    public static void Checkpoint(Network<float> network, Optimizer<float> optimizer, BatchLoader<float> batches)
    {
        // begin Checkpoint
        var options = new TrainerOptions<float>
        {
            Epochs = 100,
            Checkpoints = new CheckpointOptions { Directory = "run1", Every = TimeSpan.FromMinutes(5), EveryEpoch = true, Keep = 3 },
        };
        var trainer = new Trainer<float>(network, optimizer, batches, options);
        trainer.TryResume();   // false in a new directory
        trainer.Run();
        // end Checkpoint
    }

    public static void Serve(Network<float> network, ReadOnlySpan<float> pixels)
    {
        // begin Serve
        network.Load("digits.safetensors");                                // also any checkpoint
        var predictor = new Predictor<float>(network);
        var digit = predictor.PredictClass(pixels);   // from any number of threads, without allocation
        // end Serve
        Assert.InRange(digit, 0, 9);
    }

    public static void Rent(Network<float> network, Span<float> alike)
    {
        // begin Rent
        var predictor = new Predictor<float>(network);
        using (var lease = predictor.Rent(rows: 2))                        // waits while all workspaces are lent
        {
            lease.Workspace.SetInput("first", [1, 2, 3, 4, 5, 6]);         // two rows of three numbers
            lease.Workspace.SetInput("second", [1, 2, 3, 6, 5, 4]);
            lease.Forward();
            lease.Workspace.Output("alike").CopyTo(alike);
        }                                                                  // goes back; what it lent is not to be read any more
        // end Rent
    }

    public static Network<float> Transfer()
    {
        // begin Transfer
        var network = GraphBuilder.Chain(64).Affine(64).Relu().Affine(2).SoftmaxCrossEntropy().Build<float>(seed: 1);
        network.Load("digits.safetensors", new()
        {
            Rename = name => name.StartsWith("affine2.") ? null : name,    // null leaves a tensor of the file out
            AllowMissing = true,                                           // the new head keeps its first values
        });
        network.Freeze(p => p.Name.StartsWith("affine1."), statistics: true);
        // end Transfer
        return network;
    }

    // begin Source
    internal sealed class Sines(string name, int count) : ValueColumn<float>(name, new Shape(16), count)
    {
        protected override void ReadRows(ReadOnlySpan<int> rows, Span<float> destination)    // rows.Length examples of 16 numbers, one behind the other
        {
            for (var i = 0; i < rows.Length; i++)
            {
                for (var t = 0; t < 16; t++)
                    destination[16 * i + t] = MathF.Sin(0.01f * t * rows[i]);
            }
        }
    }
    // end Source
}

[Collection(RunAlone.Name)]
public sealed class TrainingDocumentTests : IDisposable
{
    /// <summary>The examples in the order of the document.</summary>
    private static readonly string[] Names = ["Train", "Source", "Regression", "Loop", "PassThrough", "Checkpoint", "Serve", "Rent", "Transfer"];

    public static TheoryData<string> Examples => [.. Names];

    private readonly string _before = Environment.CurrentDirectory;
    private readonly string _directory = Directory.CreateTempSubdirectory("backprop-document").FullName;

    public TrainingDocumentTests() => Environment.CurrentDirectory = _directory;

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void The_examples_train_save_resume_and_serve()
    {
        var before = Console.Out;
        using var output = new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        Console.SetOut(output);
        try
        {
            TrainingExamples.Train();
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.InRange(double.Parse(Regex.Match(output.ToString(), @"^[\d.]+").Value, System.Globalization.CultureInfo.InvariantCulture), 95, 100);
        var network = GraphBuilder.Chain(64).Affine(64).Relu().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 2);
        var images = Digits.Split().Train;
        var pixels = new float[64];
        images.CopyRows(0, 1, pixels.AsSpan());
        TrainingExamples.Serve(network, pixels);
        Assert.Equal(network.ParameterOf("affine1.weight"), TrainingExamples.Transfer().ParameterOf("affine1.weight"));
        for (var run = 0; run < 2; run++)
        {
            var fresh = GraphBuilder.Chain(64).Affine(8).Relu().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 2);
            using var batches = new BatchLoader<float>(images.ToDataset<float>(), 500);
            TrainingExamples.Checkpoint(fresh, new AdamW<float>(fresh), batches);
            Assert.Equal(3, Directory.GetFiles("run1", "checkpoint-*").Length);
        }
    }

    [Fact]
    public void A_workspace_is_lent()
    {
        var graph = new GraphBuilder();
        graph.Output((graph.Input("first", 3) - graph.Input("second", 3)).Abs().Sum().Named("alike"));
        var alike = new float[2];
        TrainingExamples.Rent(graph.Build().CreateNetwork<float>(), alike);
        Assert.Equal([0, 4], alike);
    }

    [Fact]
    public void A_loop_trains_and_a_gradient_passes_through()
    {
        var images = Digits.Split().Train;
        var network = GraphBuilder.Chain(64).Affine(16).Relu().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 2);
        using var batches = new BatchLoader<float>(images.ToDataset<float>(), 32);
        Assert.InRange(TrainingExamples.Loop(network, new AdamW<float>(network, 0.01), batches), 0, 0.5);
        var pixels = new float[64];
        images.CopyRows(0, 1, pixels.AsSpan());
        Assert.Contains(TrainingExamples.PassThrough(network, pixels, images.Label(0)).ToArray(), g => g != 0);
    }

    [Fact]
    public void The_source_gives_the_rows_asked_for()
    {
        var set = TrainingExamples.Source();
        var batch = set.CreateBatch(2);
        set.Read([7, 3], batch);
        Assert.Equal([MathF.Sin(0.01f * 2 * 7), MathF.Sin(0.01f * 2 * 3)], [batch.Values(0)[2], batch.Values(0)[16 + 2]]);
    }

    [Fact]
    public void The_regression_learns_a_sum()
    {
        var random = new TestRandom(1);
        var lines = Enumerable.Range(0, 500).Select(_ =>
        {
            var (area, rooms, age) = (50 + 50 * (random.Signed<double>() + 1), random.Integer(1, 5), random.Integer(0, 79));
            return FormattableString.Invariant($"{area:F1},{rooms},{age},{3000 * area + 10_000 * rooms - 500 * age:F0}");
        });
        File.WriteAllLines("houses.csv", lines.Prepend("area,rooms,age,price"));
        Assert.InRange(TrainingExamples.Regression(), 380_000, 405_000); // 392,500
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_document_shows_what_is_run(string name) =>
        DocumentExamples.AssertShown("docs/training.md", "Backprop.Simd.Tests/Documentation/TrainingDocumentTests.cs", Names, name);
}
