using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Fitted statistics as nodes of a graph: what a network computes in, and what its users see.</summary>
public sealed class StatisticsLayerTests
{
    private static readonly Shape Image = new(3, 5, 4);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 1)]
    [InlineData(60, 1)]
    [InlineData(1, 1e4)]
    [InlineData(4, 1e4)]
    [InlineData(60, 1e4)]
    public void Values_and_gradients_are_those_of_the_definition(int count, double scale)
    {
        Check<float>(count, scale, 2e-7);
        Check<double>(count, scale, 4e-16);
    }

    private static void Check<T>(int count, double scale, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom(3);
        double[] offsets = [.. Enumerable.Range(0, count).Select(_ => scale * (1 + 0.1 * random.Signed<double>()))];
        double[] factors = [.. Enumerable.Range(0, count).Select(i => (i % 2 == 0 ? 1 : -1) * (1 + 0.5 * random.Signed<double>()))];
        T[] x = [.. Enumerable.Range(0, 7 * 60).Select(i => T.CreateTruncating(offsets[i % count] + random.Signed<double>()))];
        T[] z = [.. Enumerable.Range(0, 7 * 60).Select(_ => random.Signed<T>())], dy = [.. z.Reverse()];
        using var team = new ComputeContext(3) { InlineNanoseconds = 0 };
        foreach (var (layer, input, reference) in new (Layer, T[], Func<double[], double[], double[], double[], (double[], double[])>)[]
        {
            (new Normalize(offsets, factors), x, StatisticsReference.Normalize), (new Denormalize(offsets, factors), z, StatisticsReference.Denormalize),
        })
        {
            LayerRun<T> run = new(layer, Image, input, dy), threads = new(layer, Image, input, dy, compute: team);
            var (y, dx) = reference(Doubles(input), Doubles(dy), offsets, factors);
            for (var i = 0; i < y.Length; i++)
            {
                // Nothing cancels behind the subtraction of the offset: the error is relative to the result, about 1.
                var size = layer is Normalize ? 4 : 2 * scale + 4;
                Assert.Equal(y[i], double.CreateChecked(run.Y[i]), tolerance * size);
                Assert.Equal(dx[i], double.CreateChecked(run.Dx[i]), tolerance * 4);
            }

            Bits.AssertEqual<T>(run.Y, threads.Y, "three threads");
            Bits.AssertEqual<T>(run.Dx, threads.Dx, "three threads, backward");
        }
    }

    [Fact]
    public void A_node_has_the_bits_of_the_normalization_of_the_data()
    {
        foreach (var count in (int[])[1, 4, 60])
        {
            double[] offsets = [.. Enumerable.Range(0, count).Select(i => 1e4 + 0.1 * i)], factors = [.. Enumerable.Range(0, count).Select(i => 1 / (i + 3.0))];
            var statistics = new Normalization("x", Image, offsets, factors);
            float[] x = [.. Enumerable.Range(0, 120).Select(i => 1e4f + i / 7f)], expected = [.. x], output = new float[120];
            statistics.Apply<float>(expected, 2);
            var graph = new GraphBuilder();
            graph.Output(graph.Input("x", Image).Normalize(statistics));
            new Predictor<float>(graph.Build().CreateNetwork<float>()).Predict(x, output);
            Bits.AssertEqual<float>(expected, output, $"{count}");
        }
    }

    [Fact]
    public void What_is_zero_in_normalized_units_is_the_offset()
    {
        double[] offsets = [1.0 / 3, 1e4 + 0.1, -7e-3], factors = [1e-3, 1 / 9.0, 1e5];
        var run = new LayerRun<float>(new Denormalize(offsets, factors), new Shape(3), new float[3], new float[3]);
        Assert.Equal([.. offsets.Select(offset => (float)offset)], run.Y);
    }

    [Fact]
    public void Special_numbers_pass_and_a_factor_of_zero_gives_zero()
    {
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 3], dy = [1, 2, 3, float.NaN];
        var run = new LayerRun<float>(new Normalize([1], [2]), new Shape(4), x, dy);
        Assert.Equal([float.NaN, float.PositiveInfinity, float.NegativeInfinity, 4], run.Y);
        Assert.Equal([2, 4, 6, float.NaN], run.Dx);
        Assert.Equal([0], new LayerRun<float>(new Normalize([1], [0]), new Shape(1), [5], [7]).Y);
        Assert.Equal([float.NaN, float.PositiveInfinity, float.NegativeInfinity, 2.5f], new LayerRun<float>(new Denormalize([1], [2]), new Shape(4), x, dy).Y);
    }

    [Fact]
    public void A_chain_writes_over_its_input()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 1000).Affine(1000).Apply(new Normalize([1], [2])).Apply(new Denormalize([1], [2])).Affine(1));
        var plain = new GraphBuilder();
        plain.Output(plain.Input("x", 1000).Affine(1000).Affine(1));
        var compute = ComputeContext.SingleThreaded;
        Assert.Equal(plain.Build().CreateNetwork<float>().CreateWorkspace(64, compute: compute).Bytes,
            graph.Build().CreateNetwork<float>().CreateWorkspace(64, compute: compute).Bytes);
    }

    [Fact]
    public void Sizes_may_be_free_where_statistics_are_per_channel()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Dimension.Free("time", 9), 3);
        graph.Output(x.Normalize(new Normalization("x", new Shape(9, 3), [1, 2, 3], [1, 10, 100])));
        var network = graph.Build().CreateNetwork<float>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        workspace.SetSizes(("time", 2));
        workspace.SetInput("x", [1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6]);
        network.Forward(workspace);
        Assert.Equal([0, 0, 0, 1, 10, 100, 2, 20, 200, 3, 30, 300], workspace.Output());

        var fixedSizes = new GraphBuilder();
        var perElement = new Normalization("x", new Shape(9, 3), new double[27], new double[27]);
        fixedSizes.Output(fixedSizes.Input("x", Dimension.Free("time", 9), 3).Normalize(perElement));
        Assert.Contains("27 offsets", Assert.Throws<InvalidOperationException>(fixedSizes.Build).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statistics_that_do_not_fit_are_refused()
    {
        var x = new GraphBuilder().Input("x", 4, 3);
        Normalization perChannel = new("x", new Shape(5, 2), [1, 2], [1, 2]), perElement = new("x", new Shape(3, 4), new double[12], new double[12]);
        Assert.Contains("each channel of [5, 2]; the node is values [4, 3]", Refusal(perChannel), StringComparison.Ordinal);
        Assert.Contains("each element of [3, 4]", Refusal(perElement), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("inputs", () => x.Apply(new Normalize([1, 2], [1, 2])));
        Assert.Throws<ArgumentException>("inputs", () => new GraphBuilder().IndexInput("x", 3).Apply(new Normalize([1], [2])));
        Assert.Throws<ArgumentNullException>("statistics", () => x.Normalize(null!));
        foreach (var make in (Action<double[], double[]>[])[(o, f) => _ = new Normalize(o, f), (o, f) => _ = new Denormalize(o, f)])
        {
            Assert.Throws<ArgumentException>("offsets", () => make([], []));
            Assert.Throws<ArgumentException>("factors", () => make([1, 2], [1]));
            var error = Assert.Throws<ArgumentException>("offsets", () => make([1, double.NaN], [1, 1]));
            Assert.Contains("Offset 1 is NaN", error.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>("offsets", () => make([1e31], [1]));
            Assert.Throws<ArgumentException>("factors", () => make([1], [1e-31]));
            Assert.Throws<ArgumentException>("factors", () => make([1], [double.NegativeInfinity]));
        }

        Assert.Throws<ArgumentException>("factors", () => new Normalize([0.7e30], [1e30]));
        Assert.Contains("Factor 1 is 0", Assert.Throws<ArgumentException>("factors", () => new Denormalize([0, 0], [1, 0])).Message, StringComparison.Ordinal);
        Assert.Contains("2 offsets", new Normalize([0, 0], [1, 0]).ToString(), StringComparison.Ordinal);

        string Refusal(Normalization statistics) => Assert.Throws<ArgumentException>(nameof(statistics), () => x.Normalize(statistics)).Message;
    }

    [Fact]
    public void Raw_rows_train_a_network_that_answers_in_their_units()
    {
        var (set, statistics, prices) = Houses();
        var network = Regression(statistics, prices).CreateNetwork<float>(seed: 1);
        using var batches = new BatchLoader<float>(set, 16, new() { Seed = 1 });
        var evaluator = new Evaluator<float>(network, set, [new RSquaredMetric<float>(), new MeanAbsoluteErrorMetric<float>()]);
        new Trainer<float>(network, new AdamW<float>(network, 0.01), batches, new() { Epochs = 40 }).Run();
        var result = evaluator.Run();
        Assert.InRange(result["r2"], 0.99, 1);
        Assert.InRange(result.Loss, 0, 0.01); // in normalized units
        Assert.InRange(result[evaluator.Metrics[1].Name], 1, 10_000); // in the units of the prices

        // The loss is that of a network without nodes on data that were normalized before.
        var plain = GraphBuilder.Chain(3).Affine(16).Relu().Affine(1).MeanSquaredError().Build<float>(seed: 1);
        network.Parameters.CopyTo(plain.Parameters);
        float[] x = new float[300], y = new float[100];
        ((ValueColumn<float>)set["x"]).Read([.. Enumerable.Range(0, 100)], x);
        ((ValueColumn<float>)set["targets"]).Read([.. Enumerable.Range(0, 100)], y);
        statistics.Apply<float>(x, 100);
        prices.Apply<float>(y, 100);
        var normalized = new Dataset<float>(Columns.Values<float>("x", new Shape(3), x), Columns.Values<float>("targets", new Shape(1), y));
        Assert.Equal(new Evaluator<float>(plain, normalized).Run().Loss, result.Loss);

        // Nothing but the file is needed to answer.
        using var stream = new MemoryStream();
        network.Save(stream);
        stream.Position = 0;
        var predictor = new Predictor<float>(Model.Load<float>(stream).Network);
        var price = new float[1];
        predictor.Predict([80, 3, 10], price);
        Assert.InRange(price[0], 255_000, 275_000); // 265,000
    }

    [Fact]
    public void The_gradient_of_an_input_is_in_its_units()
    {
        var (_, statistics, prices) = Houses();
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 3).Normalize(statistics).Affine(1).Denormalize(prices));
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true });
        workspace.SetInput("x", [80, 3, 10]);
        network.Forward(workspace);
        workspace.OutputGradient(network.Definition.OutputNames.Single())[0] = 1;
        network.Backward(workspace);
        for (var i = 0; i < 3; i++)
            Assert.Equal(network.ParameterOf("affine1.weight")[i] * statistics.Factors[i] / prices.Factors[0], workspace.GradientOf("x")[i], 1e-9);
    }

    [Fact]
    public void A_network_that_is_served_loads_what_was_trained_and_the_other_way_round()
    {
        var (_, statistics, prices) = Houses();
        var trained = Regression(statistics, prices).CreateNetwork<float>(seed: 1);
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 3).Normalize(statistics).Affine(16).Relu().Affine(1).Denormalize(prices));
        var served = graph.Build().CreateNetwork<float>(seed: 2);
        using MemoryStream first = new(), second = new();
        trained.Save(first);
        served.Save(second);
        (first.Position, second.Position) = (0, 0);
        served.Load(first);
        Bits.AssertEqual<float>(trained.Parameters, served.Parameters, "parameters");
        trained.Load(second);

        var others = new Normalization("x", new Shape(3), [1, 2, 3], [1, 1, 1]);
        second.Position = 0;
        var message = Assert.Throws<ModelFileException>(() => Regression(others, prices).CreateNetwork<float>(seed: 1).Load(second)).Message;
        Assert.Contains("'normalize1' has", message, StringComparison.Ordinal);
    }

    private static NetworkDefinition Regression(Normalization statistics, Normalization prices)
    {
        var graph = new GraphBuilder();
        var y = graph.Input("x", 3).Normalize(statistics).Affine(16).Relu().Affine(1);
        graph.Output(y.Denormalize(prices));
        graph.Loss(y.Apply(new MeanSquaredError(), graph.Input("targets", 1).Normalize(prices)));
        return graph.Build();
    }

    private static (Dataset<float> Set, Normalization Statistics, Normalization Prices) Houses()
    {
        var random = new TestRandom(1);
        float[] x = new float[300], y = new float[100];
        for (var i = 0; i < 100; i++)
        {
            (x[3 * i], x[3 * i + 1], x[3 * i + 2]) = (50 + 50 * (random.Signed<float>() + 1), random.Integer(1, 5), random.Integer(0, 79));
            y[i] = 3000 * x[3 * i] + 10_000 * x[3 * i + 1] - 500 * x[3 * i + 2];
        }

        var set = new Dataset<float>(Columns.Values<float>("x", new Shape(3), x), Columns.Values<float>("targets", new Shape(1), y));
        return (set, Normalization.Standardize(set, "x"), Normalization.Standardize(set, "targets"));
    }

    private static double[] Doubles<T>(T[] values) where T : unmanaged, IFloatingPointIeee754<T> => [.. values.Select(v => double.CreateChecked(v))];
}
