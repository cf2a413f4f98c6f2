using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Tests.Training;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>Adafactor and Muon.</summary>
public sealed class MatrixOptimizerTests
{
    public static TheoryData<string> Cases =>
        ["adafactor", "adafactor smoothed", "adafactor absolute", "muon", "muon plain", "muon decay"];

    private static Optimizer<T> Create<T>(string name, ITrainable<T> network) where T : unmanaged, IFloatingPointIeee754<T> => name switch
    {
        "adafactor" => new Adafactor<T>(network),
        "adafactor smoothed" => new Adafactor<T>(network, 3, 0.6, beta1: 0.8, clipThreshold: 0.5, weightDecay: 0.1),
        "adafactor absolute" => new Adafactor<T>(network, 0.05, relativeStep: false, scaleParameter: false),
        "muon" => new Muon<T>(network),
        "muon plain" => new Muon<T>(network, 0.1, 0.8, nesterov: false, which: p => p.Name != "affine2.weight"),
        "muon decay" => new Muon<T>(network, 0.1, weightDecay: 0.2, adamFactor: 0.5),
        _ => throw new ArgumentException(name, nameof(name)),
    };

    /// <summary>A step of one parameter in double.</summary>
    private static Action<double[], double[], int> ReferenceOf(string name, ParameterInfo parameter)
    {
        var columns = parameter.Shape[parameter.Shape.Rank - 1];
        var rows = parameter.Shape.Size / columns;
        if (name.StartsWith("adafactor", StringComparison.Ordinal))
        {
            var adafactor = name switch
            {
                "adafactor" => new MatrixOptimizerReference.Adafactor(rows, columns),
                "adafactor smoothed" => new(rows, columns) { Rate = 3, DecayRate = 0.6, Beta1 = 0.8, Clip = 0.5, Decay = 0.1 },
                _ => new(rows, columns) { Rate = 0.05, IsRelative = false, Scales = false },
            };
            return (w, g, t) => adafactor.Step(w, g, t);
        }

        if (rows > 1 && columns > 1 && (name != "muon plain" || parameter.Name != "affine2.weight"))
        {
            var muon = name switch
            {
                "muon" => new MatrixOptimizerReference.Muon(rows, columns),
                "muon plain" => new(rows, columns) { Rate = 0.1, Momentum = 0.8, Nesterov = false },
                _ => new(rows, columns) { Rate = 0.1, Decay = 0.2 },
            };
            return (w, g, _) => muon.Step(w, g);
        }

        var rate = name switch { "muon" => 0.02 * 0.015, "muon plain" => 0.1 * 0.015, _ => 0.1 * 0.5 };
        double decay = name == "muon decay" ? 0.2 : 0;
        double[] m = new double[rows * columns], v = new double[rows * columns];
        return (w, g, t) =>
        {
            for (var i = 0; i < w.Length; i++)
            {
                (m[i], v[i]) = (0.9 * m[i] + 0.1 * g[i], 0.95 * v[i] + 0.05 * g[i] * g[i]);
                w[i] -= rate * (decay * w[i] + m[i] / (1 - Math.Pow(0.9, t)) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.95, t))) + 1e-10));
            }
        };
    }

    /// <summary>Wide, tall and square matrices, a convolution, vectors, a matrix of one column.</summary>
    private static Network<T> Build<T>() where T : unmanaged, IFloatingPointIeee754<T> => new GraphBuilder().Input("x", 6, 6, 2).Convolution2D(5, 3).Flatten()
        .Affine(7).Tanh().Affine(19).Tanh().Affine(19).Tanh().Affine(1).MeanSquaredError().Build<T>(seed: 3);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Steps_follow_the_formulas(string name)
    {
        Check<double>(2e-9);
        Check<float>(3e-4);

        void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var network = Build<T>();
            var optimizer = Create(name, network);
            var entries = network.Definition.Parameters.Entries;
            var references = entries.Select(e => ReferenceOf(name, e)).ToArray();
            var expected = entries.Select(e => Array.ConvertAll(network.ParameterOf(e.Name).ToArray(), double.CreateTruncating)).ToArray();
            for (var step = 0; step < 6; step++)
            {
                var g = Gradients(network, step);
                var before = g.ToArray();
                optimizer.Step(network.Parameters, g);
                Assert.Equal(before, g);
                for (var i = 0; i < entries.Count; i++)
                {
                    references[i](expected[i], Array.ConvertAll(g[entries[i].Range.Start..entries[i].Range.End], double.CreateTruncating), step + 1);
                    var actual = network.ParameterOf(entries[i].Name);
                    for (var j = 0; j < actual.Length; j++)
                        Assert.Equal(expected[i][j], double.CreateTruncating(actual[j]), tolerance);
                }
            }

            Assert.Equal(6, optimizer.Steps);
        }
    }

    [Theory]
    [InlineData(8, 8)]
    [InlineData(40, 17)]
    [InlineData(5, 60)]
    public void Singular_values_of_the_update_of_Muon_are_near_1(int rows, int columns)
    {
        var network = GraphBuilder.Chain(rows).Affine(columns).MeanSquaredError().Build<double>(seed: 1);
        var w = network.ParameterOf("affine1.weight");
        var start = w.ToArray();
        new Muon<double>(network, 1).Step(network.Parameters, Gradients(network, 0));
        var (update, scale) = (new double[rows, columns], Math.Sqrt(Math.Max(1, (double)columns / rows)));
        for (var i = 0; i < start.Length; i++)
            update[i / columns, i % columns] = (start[i] - w[i]) / scale;
        var gram = rows <= columns
            ? MatrixOptimizerReference.Product(update, MatrixOptimizerReference.Transposed(update))
            : MatrixOptimizerReference.Product(MatrixOptimizerReference.Transposed(update), update);
        Assert.All(MatrixOptimizerReference.Eigenvalues(gram), square => Assert.InRange(Math.Sqrt(square), 0.65, 1.25));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_same_bits_on_1_2_3_and_8_threads(string name) => Threads.AssertSameBits<float>(context =>
    {
        var network = GraphBuilder.Chain(150).Affine(130).Tanh().Affine(90).MeanSquaredError().Build<float>(seed: 3);
        var optimizer = Create(name, network);
        for (var step = 0; step < 3; step++)
            optimizer.Step(network.Parameters, Gradients(network, step), network.TrainableRanges, context);
        return network.Parameters.ToArray();
    });

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_allocates_nothing(string name)
    {
        var network = Build<float>();
        var optimizer = Create(name, network);
        var g = Gradients(network, 1);
        Assert.Equal(0, ThreadAllocations.Least(() =>
        {
            for (var step = 0; step < 20; step++)
                optimizer.Step(network.Parameters, g, network.TrainableRanges, ComputeContext.SingleThreaded);
        }));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Restored_state_gives_the_bits_of_an_undisturbed_run(string name)
    {
        var network = Build<float>();
        var optimizer = Create(name, network);
        for (var step = 0; step < 4; step++)
            optimizer.Step(network.Parameters, Gradients(network, step));
        var blocks = optimizer.StateNames.ToDictionary(n => n, n => optimizer.State(n).ToArray());
        var saved = network.Parameters.ToArray();
        for (var step = 4; step < 8; step++)
            optimizer.Step(network.Parameters, Gradients(network, step));
        var resumed = Create(name, network);
        resumed.Step(new float[saved.Length], Gradients(network, 50));
        resumed.RestoreSteps(4);
        foreach (var block in blocks)
            block.Value.CopyTo(resumed.State(block.Key));
        for (var step = 4; step < 8; step++)
            resumed.Step(saved, Gradients(network, step));
        Bits.AssertEqual<float>(network.Parameters, saved, name);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Groups_and_frozen_parameters_are_heeded(string name)
    {
        var (grouped, first, second) = (Build<float>(), Build<float>(), Build<float>());
        var layout = grouped.Definition.Parameters;
        var optimizer = Create(name, grouped);
        var half = layout.Group("half", p => p.Name.StartsWith("affine1.", StringComparison.Ordinal));
        half.RateFactor = 0.5;
        var frozen = layout.Group("frozen", p => p.Name == "affine3.weight");
        frozen.IsFrozen = true;
        optimizer.SetGroups(half, frozen);
        grouped.Freeze("affine2.weight");
        Optimizer<float> plain = Create(name, first), slow = Create(name, second);
        slow.LearningRate *= 0.5;
        for (var step = 0; step < 3; step++)
        {
            optimizer.Step(grouped.Parameters, Gradients(grouped, step), grouped.TrainableRanges);
            plain.Step(first.Parameters, Gradients(grouped, step));
            slow.Step(second.Parameters, Gradients(grouped, step));
        }

        foreach (var entry in layout.Entries)
        {
            var expected = entry.Name is "affine2.weight" or "affine3.weight" ? Build<float>()
                : entry.Name.StartsWith("affine1.", StringComparison.Ordinal) ? second : first;
            Bits.AssertEqual<float>(expected.ParameterOf(entry.Name), grouped.ParameterOf(entry.Name), entry.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_that_cuts_a_parameter_is_refused(string name)
    {
        var network = Build<float>();
        var optimizer = Create(name, network);
        var (g, before) = (Gradients(network, 0), network.Parameters.ToArray());
        var place = network.Definition.Parameters["affine2.weight"].Range;
        var error = Assert.Throws<InvalidOperationException>(
            () => optimizer.Step(network.Parameters, g, [new BlockRange(0, place.Start), new BlockRange(place.Start, 5)]));
        Assert.Contains("'affine2.weight'", error.Message, StringComparison.Ordinal);
        optimizer.SetGroups(new ParameterGroup("part", [new BlockRange(place.Start + 1, 5)]));
        Assert.Throws<InvalidOperationException>(() => optimizer.Step(network.Parameters, g));
        Assert.Equal(before, network.Parameters.ToArray());
        Assert.Equal(0, optimizer.Steps);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_network_learns_with_one_row_and_with_many(string name)
    {
        foreach (var rows in (int[])[1, 8])
        {
            var network = GraphBuilder.Chain(6).Affine(16).Tanh().Affine(4).SoftmaxCrossEntropy().Build<float>(seed: 5);
            var optimizer = Create(name, network);
            optimizer.LearningRate *= name.StartsWith("muon ", StringComparison.Ordinal) ? 0.1 : 1;
            var workspace = network.CreateWorkspace(rows);
            var random = new TestRandom(4);
            double first = 0, last = 0;
            for (var step = 0; step < 600; step++)
            {
                for (var r = 0; r < rows; r++)
                {
                    var label = random.Integer(0, 3);
                    workspace.IndexInput()[r] = label;
                    for (var i = 0; i < 6; i++)
                        workspace.Input()[6 * r + i] = random.Signed<float>() + (i == label ? 2 : 0);
                }

                var loss = network.Step(workspace, optimizer);
                (first, last) = (first + (step < 100 ? loss : 0), last + (step >= 500 ? loss : 0));
            }

            Assert.True(last < 0.8 * first, $"{name}, {rows} rows: {first} to {last}");
        }
    }

    [Fact]
    public void Shapes_come_from_the_network_and_are_checked()
    {
        var network = Build<float>();
        var matrices = ((ITrainable<float>)network).Matrices;
        Assert.Equal(new ParameterMatrix("convolution2d1.weight", new BlockRange(0, 90), 18, 5), matrices[0]);
        Assert.Equal((1, 5, false), (matrices[1].Rows, matrices[1].Columns, matrices[1].IsMatrix));
        ITrainable<float> flat = new Plain();
        Assert.Equal(new ParameterMatrix("parameters", new BlockRange(0, 12), 1, 12), Assert.Single(flat.Matrices));
        foreach (var bad in (ParameterMatrix[])[new("a", new(0, 13), 1, 13), new("a", new(0, 12), 3, 3), new("a", new(-1, 4), 2, 2)])
            Assert.Equal("network", Assert.Throws<ArgumentException>(() => new Muon<float>(new Flat([bad]))).ParamName);
        var error = Assert.Throws<ArgumentException>(() => new Adafactor<float>(new Flat([new("a", new(0, 4), 2, 2), new("b", new(3, 4), 2, 2)])));
        Assert.Contains("'b'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_resumed_training_ends_with_the_same_bits(string name)
    {
        var folder = Directory.CreateTempSubdirectory("backprop-matrices").FullName;
        try
        {
            var undisturbed = Trainer(null, 5);
            undisturbed.Run();
            Trainer(folder, 3).Run();
            var resumed = Trainer(folder, 5);
            Assert.True(resumed.TryResume());
            resumed.Run();
            Bits.AssertEqual<float>(undisturbed.Network.Parameters, resumed.Network.Parameters, name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Trainer<float> Trainer(string? directory, int epochs)
        {
            var network = TrainingProblem.Network();
            return new Trainer<float>(network, Create(name, network), TrainingProblem.Loader(TrainingProblem.Points(60)), new TrainerOptions<float>
            {
                Epochs = epochs,
                MicroBatches = 2,
                Checkpoints = directory is null ? null : new CheckpointOptions { Directory = directory },
            });
        }
    }

    [Fact]
    public void Adafactor_keeps_rows_and_columns_of_matrices_only()
    {
        var network = GraphBuilder.Chain(100).Affine(50).MeanSquaredError().Build<float>(seed: 1);
        Assert.Equal(100 + 50 + 50, new Adafactor<float>(network).State("second").Length);
        Assert.Equal(["second"], new Adafactor<float>(network).StateNames);
        Assert.Equal(["second", "first"], new Adafactor<float>(network, beta1: 0.9).StateNames);
    }

    [Fact]
    public void Zero_gradients_give_no_step_and_no_NaN()
    {
        foreach (var name in (string[])["adafactor", "muon"])
        {
            var network = Build<float>();
            var before = network.Parameters.ToArray();
            var optimizer = Create<float>(name, network);
            for (var step = 0; step < 3; step++)
                optimizer.Step(network.Parameters, new float[before.Length]);
            Assert.Equal(before, network.Parameters.ToArray());
        }
    }

    [Fact]
    public void Options_are_validated()
    {
        var network = Build<float>();
        Throws("learningRate", () => new Adafactor<float>(network, -1));
        Throws("decayRate", () => new Adafactor<float>(network, decayRate: -1));
        Throws("beta1", () => new Adafactor<float>(network, beta1: 1));
        Throws("epsilon", () => new Adafactor<float>(network, epsilon: 0));
        Throws("leastScale", () => new Adafactor<float>(network, leastScale: 0));
        Throws("clipThreshold", () => new Adafactor<float>(network, clipThreshold: 0));
        Throws("weightDecay", () => new Adafactor<float>(network, weightDecay: -1));
        Throws("momentum", () => new Muon<float>(network, momentum: 1));
        Throws("adamFactor", () => new Muon<float>(network, adamFactor: -1));
        Throws("beta1", () => new Muon<float>(network, beta1: 1));
        Throws("beta2", () => new Muon<float>(network, beta2: -1));
        Throws("epsilon", () => new Muon<float>(network, epsilon: 0));
        Assert.Equal("network", Assert.Throws<ArgumentNullException>(() => new Muon<float>(null!)).ParamName);
        Assert.Equal("network", Assert.Throws<ArgumentNullException>(() => new Adafactor<float>(null!)).ParamName);
        var muon = new Muon<float>(network);
        Assert.Equal((0.02, 0.95, true, 0, 0.015), (muon.LearningRate, muon.Momentum, muon.Nesterov, muon.WeightDecay, muon.AdamFactor));
        Assert.Equal((0.9, 0.95, 1e-10), (muon.Beta1, muon.Beta2, muon.Epsilon));
        var adafactor = new Adafactor<float>(network);
        Assert.Equal((1, 0.8, 0, 1e-30, 1e-3, 1), (adafactor.LearningRate, adafactor.DecayRate, adafactor.Beta1, adafactor.Epsilon, adafactor.LeastScale,
            adafactor.ClipThreshold));
        Assert.True(adafactor.RelativeStep && adafactor.ScaleParameter);

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }

    /// <summary>Gradients with zeros between the parameters.</summary>
    private static T[] Gradients<T>(Network<T> network, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var g = new T[network.Parameters.Length];
        foreach (var entry in network.Definition.Parameters.Entries)
            Samples.Ordinary<T>(entry.Range.Length, 100 * seed + entry.Range.Start).CopyTo(g, entry.Range.Start);
        return g;
    }

    private sealed class Flat(ParameterMatrix[] matrices) : ITrainable<float>
    {
        private readonly float[] _parameters = new float[12];

        public Span<float> Parameters => _parameters;

        IReadOnlyList<ParameterMatrix> ITrainable<float>.Matrices => matrices;
    }

    private sealed class Plain : ITrainable<float>
    {
        private readonly float[] _parameters = new float[12];

        public Span<float> Parameters => _parameters;
    }
}
