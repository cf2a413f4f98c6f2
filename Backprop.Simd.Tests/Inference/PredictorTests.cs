using System.Numerics;
using Backprop.Simd.Inference;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Inference;

public sealed class PredictorTests
{
    private const int Size = 13, Classes = 5;

    private static Network<T> Classifier<T>(ulong seed = 1) where T : unmanaged, IFloatingPointIeee754<T> =>
        GraphBuilder.Chain(Size).Affine(33).Tanh().BatchNormalization().Dropout(0.5).Affine(Classes).SoftmaxCrossEntropy().Build<T>(seed);

    private static T[] Data<T>(int rows, int size = Size) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom(7);
        var data = new T[rows * size];
        foreach (ref var x in data.AsSpan())
            x = random.Signed<T>();
        return data;
    }

    /// <summary>The outputs of a batch, in pieces, by one thread in a workspace of its own.</summary>
    private static T[] Serial<T>(Network<T> network, ReadOnlySpan<T> inputs, int piece) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var size = network.Definition.TypeOf("x").Shape.Size;
        var rows = inputs.Length / size;
        var results = new List<T>();
        for (var first = 0; first < rows; first += piece)
        {
            var count = Math.Min(piece, rows - first);
            var workspace = network.CreateWorkspace(count, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
            workspace.SetInput("x", inputs.Slice(first * size, count * size));
            network.Forward(workspace);
            results.AddRange(workspace.Output());
        }

        return [.. results];
    }

    [Fact]
    public void Many_threads_get_the_bits_of_one_in_float() => ManyThreads<float>();

    [Fact]
    public void Many_threads_get_the_bits_of_one_in_double() => ManyThreads<double>();

    private static void ManyThreads<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Threads = 10, Calls = 60, MaximumRows = 16;
        var network = Classifier<T>();
        var data = Data<T>(60);
        var expected = new T[61][];
        for (var rows = 1; rows < expected.Length; rows++)
            expected[rows] = Serial(network, data.AsSpan(0, rows * Size), MaximumRows);
        var probabilities = new T[60 * Classes];
        SoftmaxKernels.Softmax(new ReadOnlyMatrix<T>(expected[60], 60, Classes), new Matrix<T>(probabilities, 60, Classes));
        var predictor = new Predictor<T>(network, new PredictorOptions { MaximumRows = MaximumRows, MaximumConcurrency = 3 });

        Together(Threads, thread =>
        {
            var random = new TestRandom((ulong)thread);
            for (var call = 0; call < Calls; call++)
            {
                var rows = call % 3 == 0 ? 1 : random.Integer(1, 60);
                var inputs = data.AsSpan(0, rows * Size);
                var outputs = new T[rows * Classes];
                predictor.Predict(inputs, outputs);
                Bits.AssertEqual<T>(expected[rows], outputs, $"{rows} rows");

                predictor.PredictProbabilities(data, outputs = new T[60 * Classes]);
                Bits.AssertEqual<T>(probabilities, outputs, "probabilities");
            }
        });
        Assert.True(predictor.Bytes > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    public void Pieces_agree_with_the_whole_within_rounding(int maximumRows)
    {
        var network = Classifier<double>();
        var predictor = new Predictor<double>(network, new PredictorOptions { MaximumRows = maximumRows });
        foreach (var rows in (int[])[1, 2, 3, 7, 8, 63, 64, 65])
        {
            var data = Data<double>(rows);
            var outputs = new double[rows * Classes + 2];
            outputs.AsSpan().Fill(-7);
            predictor.Predict(data, outputs);

            Bits.AssertEqual<double>(Serial(network, data, maximumRows), outputs.AsSpan(0, rows * Classes), $"{rows} rows in pieces of {maximumRows}");
            Assert.Equal([-7.0, -7], outputs[(rows * Classes)..]);
            var whole = Serial(network, data, rows);
            for (var i = 0; i < whole.Length; i++)
                Assert.Equal(whole[i], outputs[i], 1e-12);
        }
    }

    [Fact]
    public void Threads_of_a_caller_do_not_change_the_bits()
    {
        using var team = TestThreads.Create(3);
        var network = Classifier<float>();
        var predictor = new Predictor<float>(network, new PredictorOptions { Compute = team });
        var data = Data<float>(50);
        var expected = Serial(network, data, 64);
        Together(8, _ =>
        {
            var outputs = new float[50 * Classes];
            predictor.Predict(data, outputs);
            Bits.AssertEqual<float>(expected, outputs, "with a team");
        });
    }

    [Fact]
    public void Classes_are_the_places_of_the_largest()
    {
        var network = GraphBuilder.Chain(new Shape(4)).Apply(new Observed()).Build<float>();
        var predictor = new Predictor<float>(network, new PredictorOptions { MaximumRows = 2 });
        var classes = new[] { -1, -1, -1, -1 };
        predictor.PredictClasses([1, 3, 2, 0, 5, 5, 5, 5, 0, 1, float.NaN, float.NaN], classes);
        Assert.Equal([1, 0, 2, -1], classes);
        Assert.Equal(3, predictor.PredictClass([float.NegativeInfinity, 0, -1, 0.5f]));

        var positions = new Predictor<float>(GraphBuilder.Chain(new Shape(2, 2)).Apply(new Observed()).Build<float>());
        positions.PredictClasses([1, 2, 2, 1, 3, 4, 5, 6], classes);
        Assert.Equal([1, 0, 1, 1], classes);
        var error = Assert.Throws<InvalidOperationException>(() => positions.PredictClass([1, 2, 2, 1]));
        Assert.Contains("2 classes per row", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_output_has_no_largest()
    {
        var predictor = new Predictor<float>(GraphBuilder.Chain(2).Affine(1).BinaryCrossEntropy().Build<float>());
        Action[] calls =
        [
            () => predictor.PredictClass([1, 2]),
            () => predictor.PredictClasses([1, 2], new int[1]),
            () => predictor.PredictProbabilities([1, 2], new float[1]),
        ];
        foreach (var call in calls)
        {
            var error = Assert.Throws<InvalidOperationException>(call);
            Assert.Contains("'affine1' [1] has one number", error.Message, StringComparison.Ordinal);
            Assert.Contains("Use Predict", error.Message, StringComparison.Ordinal);
        }

        predictor.Predict([1, 2], new float[1]);
    }

    [Fact]
    public void Probabilities_are_a_softmax_and_not_one_of_a_softmax()
    {
        var logits = new Predictor<double>(GraphBuilder.Chain(new Shape(2, 3)).Apply(new Observed()).Build<double>());
        var softmax = new Predictor<double>(GraphBuilder.Chain(new Shape(2, 3)).Softmax().Build<double>());
        double[] row = [1, 2, 3, 1000, 1001, 1002];
        var (first, second) = (new double[6], new double[6]);
        logits.PredictProbabilities(row, first);
        softmax.PredictProbabilities(row, second);
        Assert.Equal(1, first[0] + first[1] + first[2], 1e-15);
        Assert.Equal(first[..3], first[3..]);
        Assert.Equal(1 / (1 + Math.E + Math.E * Math.E), first[0], 1e-15);
        Assert.Equal(first, second);
    }

    [Fact]
    public void No_rows_are_no_work()
    {
        var predictor = new Predictor<float>(GraphBuilder.Chain(2).Apply(new Observed(() => Assert.Fail("it ran"))).Build<float>());
        predictor.Predict([], []);
        predictor.PredictProbabilities([], []);
        predictor.PredictClasses([], []);
        Assert.Equal(0, predictor.Bytes);
    }

    [Fact]
    public void Wrong_lengths_are_named()
    {
        var predictor = new Predictor<float>(Classifier<float>());
        Refused(() => predictor.Predict(new float[14], new float[99]), "inputs", "'x' [13]", "13 numbers", "got 14");
        Refused(() => predictor.Predict(new float[26], new float[9]), "outputs", "10 places", "has 9");
        Refused(() => predictor.PredictProbabilities(new float[26], new float[9]), "probabilities", "10 places", "has 9");
        Refused(() => predictor.PredictClasses(new float[26], new int[1]), "classes", "2 places", "has 1");
        Refused(() => predictor.PredictClass(new float[26]), "row", "13 numbers", "got 26");
        var both = new float[100];
        Refused(() => predictor.Predict(both.AsSpan(0, 26), both.AsSpan(20)), "outputs", "must not overlap");
        predictor.Predict(both.AsSpan(0, 26), both.AsSpan(26));
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => predictor.Rent(0).Dispose());
        Assert.Throws<ArgumentOutOfRangeException>("rows", () => predictor.Rent(65).Dispose());
    }

    [Fact]
    public void Wrong_options_are_named()
    {
        var network = Classifier<float>();
        Assert.Throws<ArgumentOutOfRangeException>(() => new PredictorOptions { MaximumRows = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PredictorOptions { MaximumConcurrency = 0 });
        Assert.Throws<ArgumentNullException>("network", () => new Predictor<float>((Network<float>)null!));
        Refused(() => _ = new Predictor<float>(network, new PredictorOptions { Input = "y" }), "input", "'y'", "x, labels");
        Refused(() => _ = new Predictor<float>(network, new PredictorOptions { Output = "y" }), "output", "'y'", "affine2");
        var labels = new Predictor<float>(network, new PredictorOptions { Input = "labels" });
        Assert.Contains("indices", Assert.Throws<InvalidOperationException>(() => labels.Predict(new float[1], new float[5])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Names_choose_input_and_output()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        graph.Output((x * 2).Named("double"));
        graph.Output((x * x).Named("square"));
        var network = graph.Build().CreateNetwork<double>();
        var outputs = new double[2];
        new Predictor<double>(network).Predict([3, 4], outputs);
        Assert.Equal([6.0, 8], outputs);
        var squares = new Predictor<double>(network, new PredictorOptions { Input = "x", Output = "square" });
        squares.Predict([3, 4], outputs);
        Assert.Equal([9.0, 16], outputs);
        Assert.Equal(new Shape(2), squares.InputShape);
        Assert.Equal(new Shape(2), squares.OutputShape);
    }

    [Fact]
    public void A_training_beside_a_snapshot_changes_nothing_until_it_is_brought_in()
    {
        var network = Classifier<float>();
        var predictor = new Predictor<float>(network, new PredictorOptions { Snapshot = true });
        var live = new Predictor<float>(network);
        var data = Data<float>(20);
        var before = Serial(network, data, 64);
        var workspace = network.CreateWorkspace(20);
        data.CopyTo(workspace.Input());
        network.Step(workspace, new Sgd<float>(network.Parameters.Length, 0.1));
        var after = Serial(network, data, 64);
        Assert.NotEqual(before, after);

        var outputs = new float[20 * Classes];
        predictor.Predict(data, outputs);
        Assert.Equal(before, outputs);
        live.Predict(data, outputs);
        Assert.Equal(after, outputs);
        predictor.Update(network);
        predictor.Predict(data, outputs);
        Assert.Equal(after, outputs);
        Assert.NotSame(network, predictor.Network);

        var other = GraphBuilder.Chain(Size + 1).Affine(Classes).SoftmaxCrossEntropy().Build<float>();
        Refused(() => predictor.Update(other), "network", "values [13]", "values [14]");
    }

    [Fact]
    public void Each_call_is_answered_by_one_network_while_another_comes_in()
    {
        Network<float>[] networks = [Classifier<float>(1), Classifier<float>(2)];
        var data = Data<float>(40);
        var expected = networks.Select(n => Serial(n, data, 8)).ToArray();
        var predictor = new Predictor<float>(networks[0], new PredictorOptions { MaximumRows = 8, MaximumConcurrency = 2 });
        Together(6, thread =>
        {
            var outputs = new float[40 * Classes];
            for (var i = 0; i < 40; i++)
            {
                if (thread == 0)
                    predictor.Update(networks[i % 2]);
                predictor.Predict(data, outputs);
                Assert.True(Bits.Equal<float>(expected[0], outputs) || Bits.Equal<float>(expected[1], outputs), "a mixture of two networks");
            }
        });
    }

    private static void Refused(Action call, string parameter, params string[] parts)
    {
        var error = Assert.Throws<ArgumentException>(parameter, call);
        foreach (var part in parts)
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Runs a body on threads of its own that start together; the first failure is thrown here.</summary>
    internal static void Together(int count, Action<int> body)
    {
        var failures = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        using var start = new Barrier(count);
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                body(i);
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
            }
        })
        { IsBackground = true }).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            Assert.True(thread.Join(TimeSpan.FromMinutes(2)), "A thread still waits after two minutes.");
        if (failures.TryDequeue(out var failure))
            throw new InvalidOperationException($"{failures.Count + 1} of {count} threads failed.", failure);
    }
}
