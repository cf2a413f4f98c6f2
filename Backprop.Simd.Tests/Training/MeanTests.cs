using Backprop.Simd.Data;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>A loss over a set is the same whatever the size of the batches.</summary>
public sealed class MeanTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("means").FullName;

    public static TheoryData<int> BatchSizes => [1, 2, 3];

    /// <summary>Three rows of two positions and two classes, with three labels ignored: 7.1183 / 3.</summary>
    private static (Network<double> Network, Dataset<double> Set, double Loss) Ignored() => (
        Freeze(GraphBuilder.Chain(new Shape(2, 2)).Affine(2, Identity, bias: false).SoftmaxCrossEntropy()),
        new(Columns.Values<double>("x", new Shape(2, 2), new double[] { 1.5, 0, 1.75, 0, 3, -1, 2, 2, 5, 0, -7, 0 }),
            Columns.Indices("labels", new Shape(2), new[] { 0, 1, -100, -100, 1, -100 })),
        (Softplus(-1.5) + Softplus(1.75) + Softplus(5)) / 3);

    private static (Network<double> Network, Dataset<double> Set, double Loss) ClassWeights() => (
        Freeze(GraphBuilder.Chain(2).Affine(2, Identity, bias: false).SoftmaxCrossEntropy(loss: new([0.2, 5]))),
        new(Columns.Values<double>("x", new Shape(2), new double[] { 1.5, 0, 0, 2.25, 5, 0 }), Columns.Labels("labels", new[] { 0, 1, 1 })),
        ((0.2 * Softplus(-1.5)) + (5 * Softplus(-2.25)) + (5 * Softplus(5))) / 10.2);

    private static (Network<double> Network, Dataset<double> Set, double Loss) SampleWeights() => (
        Freeze(GraphBuilder.Chain(1).Affine(1, Initialize.Constant(1), bias: false).MeanSquaredError(sampleWeights: "w")),
        new(Columns.Values<double>("x", new Shape(1), new double[] { 1, 2, 9 }), Columns.Values<double>("targets", new Shape(1), new double[3]),
            Columns.Values<double>("w", Shape.Scalar, new double[] { 1, 1, 0 })),
        2.5);

    private static (Network<double> Network, Dataset<double> Set, double Loss) Sum() => (
        Freeze(GraphBuilder.Chain(1).Affine(1, Initialize.Constant(1), bias: false).MeanSquaredError(loss: new(LossReduction.Sum))),
        new(Columns.Values<double>("x", new Shape(1), new[] { 3, 3, 1, 0, 1.5, 1 }), Columns.Values<double>("targets", new Shape(1), new double[6])),
        22.25);

    /// <summary>0.5 times the mean over kept labels, and twice the sum over all elements.</summary>
    private static (Network<double> Network, Dataset<double> Set, double Loss) Several()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", new Shape(2, 2)).Affine(2, Identity, bias: false);
        graph.Loss(x.Apply(new SoftmaxCrossEntropy(), graph.IndexInput("labels", 2)), 0.5);
        graph.Loss(x.Apply(new MeanSquaredError(LossReduction.Sum), graph.Input("targets", new Shape(2, 2))), 2);
        var (_, set, loss) = Ignored();
        var values = new double[12];
        ((ValueColumn<double>)set["x"]).Read([0, 1, 2], values);
        set = new([set["x"], set["labels"], Columns.Values<double>("targets", new Shape(2, 2), new double[12])]);
        return (Freeze(graph), set, (0.5 * loss) + (2 * values.Sum(v => v * v)));
    }

    private static (Network<double> Network, Dataset<double> Set, double Loss)[] All() => [Ignored(), ClassWeights(), SampleWeights(), Sum(), Several()];

    [Fact]
    public void The_figures()
    {
        Assert.Equal(2.3728, Ignored().Loss, 5e-5);
        Assert.Equal(2.507, ClassWeights().Loss, 5e-4);
    }

    [Theory, MemberData(nameof(BatchSizes))]
    public void An_evaluation_is_that_of_one_batch(int batchSize)
    {
        foreach (var (network, set, loss) in All())
        {
            var evaluator = new Evaluator<double>(network, set, [], new() { BatchSize = batchSize });
            Assert.Equal(loss, evaluator.Run().Loss, 1e-12);
            Assert.Equal(loss, evaluator.Run().Loss, 1e-12);
        }
    }

    [Theory]
    [InlineData(1, 1), InlineData(2, 1), InlineData(3, 1), InlineData(1, 2), InlineData(1, 3), InlineData(2, 3)]
    public void The_loss_of_an_epoch_is_that_of_one_batch(int batchSize, int microBatches)
    {
        foreach (var (network, set, loss) in All())
        {
            var recorder = new StepLosses();
            using var batches = new BatchLoader<double>(set, batchSize, new() { Shuffle = false });
            var options = new TrainerOptions<double> { Epochs = 2, MicroBatches = microBatches, Callbacks = [recorder] };
            var trainer = new Trainer<double>(network, new Sgd<double>(network.Parameters.Length, 0.1), batches, options);
            trainer.Run();
            Assert.All(trainer.History, e => Assert.Equal(loss, e.Loss, 1e-12));
            if (batchSize * microBatches >= set.Count)
                Assert.All(recorder.Losses, l => Assert.Equal(loss, l, 1e-12));
        }
    }

    [Theory]
    [InlineData(1), InlineData(2)]
    public void An_epoch_that_was_saved_in_the_middle_has_the_same_loss(int microBatches)
    {
        foreach (var (network, set, loss) in All())
        {
            var path = Path.Combine(_directory, "middle");
            Trainer<double> Make(long? steps)
            {
                var batches = new BatchLoader<double>(set, 1, new() { Shuffle = false });
                return new(network, new Sgd<double>(network.Parameters.Length, 0.1), batches, new() { Epochs = 2, Steps = steps, MicroBatches = microBatches });
            }

            var undisturbed = Make(null);
            undisturbed.Run();
            var saved = Make(1);
            saved.Run();
            saved.Save(path);
            var resumed = Make(null);
            resumed.Resume(path);
            resumed.Run();
            Assert.Equal(undisturbed.History.Select(e => e.Loss), resumed.History.Select(e => e.Loss));
            Assert.Equal(loss, resumed.History[0].Loss, 1e-12);
        }
    }

    [Fact]
    public void A_set_of_no_rows_is_refused()
    {
        var (network, set, _) = SampleWeights();
        var parts = DataSplit.Random(4, 1, 0.9, 0.1);
        Assert.Empty(parts[1]);
        var error = Assert.Throws<ArgumentException>("options", () => new Evaluator<double>(network, set, [], new() { Rows = parts[1] }));
        Assert.Contains("no rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_evaluation_in_which_nothing_takes_part_has_no_loss()
    {
        var network = GraphBuilder.Chain(2).Affine(2).SoftmaxCrossEntropy().Build<double>(1);
        var set = new Dataset<double>(Columns.Values<double>("x", new Shape(2), new double[6]), Columns.Labels("labels", new[] { -100, -100, -100 }));
        Assert.Equal(double.NaN, new Evaluator<double>(network, set).Run().Loss);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static Initializer Identity => Initialize.FromValues([1.0, 0, 0, 1]);

    private static double Softplus(double x) => Math.Log(1 + Math.Exp(x));

    private static Network<double> Freeze(Node end) => Freeze(end.Graph);

    /// <summary>A network that no step changes.</summary>
    private static Network<double> Freeze(GraphBuilder graph)
    {
        var network = graph.Build().CreateNetwork<double>();
        foreach (var entry in network.Definition.Parameters.Entries)
            network.Freeze(entry.Name);
        return network;
    }

    private sealed class StepLosses : ITrainingCallback<double>
    {
        public List<double> Losses { get; } = [];

        public void StepDone(Trainer<double> trainer, in StepRecord step) => Losses.Add(step.Loss);
    }
}
