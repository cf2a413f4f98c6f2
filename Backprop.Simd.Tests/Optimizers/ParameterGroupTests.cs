using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Optimizers;

public class ParameterGroupTests
{
    private static readonly BlockRange[] First = [new(0, 13), new(40, 20)], Second = [new(13, 7), new(70, 30)], Rest = [new(20, 20), new(60, 10)];

    public static TheoryData<string> Cases => ["sgd", "decayed", "nesterov", "adam", "adamw", .. OptimizerCases.Names];

    private static Optimizer<float> Create(string name, int n, double rate = 0.05, double decay = 0.1) => name switch
    {
        "sgd" => new Sgd<float>(n, rate),
        "decayed" => new Sgd<float>(n, rate, weightDecay: decay),
        "nesterov" => new Sgd<float>(n, rate, 0.9, nesterov: true, weightDecay: decay),
        "adam" => new Adam<float>(n, rate, weightDecay: decay),
        "adamw" => new AdamW<float>(n, rate, weightDecay: decay),
        _ => OptimizerCases.Create<float>(name, n),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Groups_equal_separate_optimizers(string name)
    {
        const int n = 100;
        var grouped = Create(name, n);
        grouped.SetGroups(new ParameterGroup("first", First) { LearningRate = 0.2, RateFactor = 7 }, new ParameterGroup("second", Second) { RateFactor = 0.5 });
        Optimizer<float>[] separate = [Create(name, n), Create(name, n), Create(name, n)];
        separate[0].LearningRate = 0.2;
        separate[1].LearningRate = 0.025;
        float[] w = Samples.Ordinary<float>(n, 1), expected = [.. w];
        for (var step = 0; step < 5; step++)
        {
            var g = Samples.Ordinary<float>(n, 2 + step);
            grouped.Step(w, g);
            separate[0].Step(expected, g, First);
            separate[1].Step(expected, g, Second);
            separate[2].Step(expected, g, Rest);
        }

        Guarded<float>.AssertSameBits(expected, w);
        Assert.Equal(5, grouped.Steps);
    }

    [Theory]
    [InlineData("decayed")]
    [InlineData("nesterov")]
    [InlineData("adam")]
    [InlineData("adamw")]
    public void A_group_has_its_own_decay(string name)
    {
        const int n = 100;
        var grouped = Create(name, n);
        grouped.SetGroups(new ParameterGroup("first", First) { WeightDecay = 0 }, new ParameterGroup("second", Second) { WeightDecay = 0.7 });
        Optimizer<float>[] separate = [Create(name, n, decay: 0), Create(name, n, decay: 0.7), Create(name, n)];
        float[] w = Samples.Ordinary<float>(n, 1), expected = [.. w];
        for (var step = 0; step < 5; step++)
        {
            var g = Samples.Ordinary<float>(n, 2 + step);
            grouped.Step(w, g, [new BlockRange(0, 50), new BlockRange(50, 50)]);
            separate[0].Step(expected, g, First);
            separate[1].Step(expected, g, Second);
            separate[2].Step(expected, g, Rest);
        }

        Guarded<float>.AssertSameBits(expected, w);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_group_without_rate_or_frozen_keeps_its_bits(string name)
    {
        var settings = (Action<ParameterGroup>[])[g => g.LearningRate = 0, g => g.RateFactor = 0, g => g.IsFrozen = true];
        foreach (var set in settings)
        {
            var group = new ParameterGroup("still", [new(2, 5)]);
            set(group);
            var optimizer = Create(name, 9);
            optimizer.SetGroups(group);
            float[] w = [1, 2, -0f, 0, 3, float.MaxValue, float.Epsilon, 4, 5], before = [.. w];
            float[] g = [1, 1, 1, float.NaN, float.PositiveInfinity, 1, 1, 1, 1];
            optimizer.Step(w, g);
            Guarded<float>.AssertSameBits(before.AsSpan(2, 5), w.AsSpan(2, 5));
            Assert.All((int[])[0, 1, 7, 8], i => Assert.NotEqual(before[i], w[i]));

            // Thawed, its state starts now.
            group.IsFrozen = false;
            (group.LearningRate, group.RateFactor) = (null, 1);
            optimizer.Step(w, [0, 0, 1, 0, 0, 0, 0, 0, 0]);
            Assert.True(w[2] < 0 && float.IsFinite(w[2]) && w[3] == 0);
        }
    }

    [Fact]
    public void Settings_may_change_between_steps()
    {
        var group = new ParameterGroup("bias", [new(1, 1)]);
        var optimizer = new Sgd<double>(2, 1);
        optimizer.SetGroups(group);
        double[] w = [0, 0], g = [1, 1];
        optimizer.Step(w, g);
        group.RateFactor = 0.5;
        optimizer.Step(w, g);
        group.LearningRate = 4;
        optimizer.Step(w, g);
        optimizer.LearningRate = 0;
        optimizer.Step(w, g);
        Assert.Equal([-3, -9.5], w);
        Assert.Equal(group, optimizer.Groups[0]);
        optimizer.SetGroups();
        optimizer.LearningRate = 1;
        optimizer.Step(w, g);
        Assert.Equal([-4, -10.5], w);
        Assert.True(optimizer.Groups.IsEmpty);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_of_one_row_heeds_groups(string name)
    {
        var (stored, fused) = (Train(keep: true), Train(keep: false));
        Bits.AssertEqual<float>(stored.Parameters, fused.Parameters, name);
        var untouched = Build();
        Assert.Equal(untouched.ParameterOf("affine2.weight").ToArray(), fused.ParameterOf("affine2.weight").ToArray());
        Assert.NotEqual(untouched.ParameterOf("affine1.weight").ToArray(), fused.ParameterOf("affine1.weight").ToArray());
        Assert.NotEqual(untouched.ParameterOf("affine3.weight").ToArray(), fused.ParameterOf("affine3.weight").ToArray());

        Network<float> Train(bool keep)
        {
            var network = Build();
            var layout = network.Definition.Parameters;
            var optimizer = Create(name, network.Parameters.Length);
            var third = layout["affine3.weight"].Range;
            optimizer.SetGroups(
                layout.WithoutDecay(),
                new ParameterGroup("fast", [layout["affine1.weight"].Range]) { RateFactor = 2 },
                new ParameterGroup("frozen", [layout["affine2.weight"].Range]) { IsFrozen = true },
                new ParameterGroup("a part", [new BlockRange(third.Start, 20)]) { RateFactor = 3, WeightDecay = 0.3 });
            using var team = TestThreads.Create(2);
            var workspace = network.CreateWorkspace(1, new WorkspaceOptions { KeepGradients = keep }, team);
            var random = new TestRandom(11);
            for (var step = 0; step < 4; step++)
            {
                foreach (ref var x in workspace.Input())
                    x = random.Signed<float>();
                workspace.IndexInput()[0] = step;
                network.Step(workspace, optimizer);
            }

            return network;
        }

        static Network<float> Build() =>
            GraphBuilder.Chain(17).Affine(16).Sigmoid().Affine(12).Sigmoid().Affine(8).SoftmaxCrossEntropy().Build<float>(seed: 7);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_rate_set_for_ranges_equals_a_group(string name)
    {
        const int n = 100;
        Optimizer<float> grouped = Create(name, n), set = Create(name, n);
        grouped.SetGroups(
            new ParameterGroup("both", [new(0, 13), new(45, 15)]) { RateFactor = 0.25, WeightDecay = 0 },
            new ParameterGroup("decay", [new(40, 5)]) { WeightDecay = 0 },
            new ParameterGroup("rate", [new(13, 7), new(70, 30)]) { RateFactor = 0.25 });
        set.SetGroups(new ParameterGroup("no decay", First) { WeightDecay = 0 });
        set.SetRate([new(0, 20), new(45, 15), new(70, 30)], 4);
        set.SetRate([new(0, 20), new(45, 15), new(70, 30)], 0.25);
        float[] w = Samples.Ordinary<float>(n, 1), expected = [.. w];
        for (var step = 0; step < 5; step++)
        {
            var g = Samples.Ordinary<float>(n, 2 + step);
            grouped.Step(expected, g);
            set.Step(w, g);
        }

        Guarded<float>.AssertSameBits(expected, w);
    }

    [Fact]
    public void A_rate_set_for_ranges_keeps_other_groups_and_is_checked()
    {
        var (optimizer, group, other) = (new Sgd<float>(20, 1), new ParameterGroup("a", [new(2, 4)]), new ParameterGroup("b", [new(8, 4)]));
        optimizer.SetGroups(group, other);
        group.LearningRate = 7;
        other.IsFrozen = true;
        optimizer.SetRate([new(0, 10)], 0.5);
        Assert.Equal((0.5, (double?)null), (group.RateFactor, group.LearningRate));
        Assert.Equal(["a", "b", "b, rate x 0.5", "rate x 0.5"], optimizer.Groups.ToArray().Select(g => g.Name));
        Assert.Equal([new BlockRange(10, 2)], optimizer.Groups[1].Ranges.ToArray());
        Assert.Equal([new BlockRange(8, 2)], optimizer.Groups[2].Ranges.ToArray());
        Assert.Equal([new BlockRange(0, 2), new BlockRange(6, 2)], optimizer.Groups[3].Ranges.ToArray());
        Assert.True(optimizer.Groups[1].IsFrozen && optimizer.Groups[2].IsFrozen);
        Assert.Equal("factor", Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.SetRate([new(0, 1)], -1)).ParamName);
        Assert.Equal("ranges", Assert.Throws<ArgumentException>(() => optimizer.SetRate([new(0, 21)], 1)).ParamName);
        Assert.Equal("ranges", Assert.Throws<ArgumentException>(() => optimizer.SetRate([new(4, 2), new(0, 1)], 1)).ParamName);
        Assert.Equal(4, optimizer.Groups.Length);
        optimizer.SetRate([], 3);
        Assert.Equal(4, optimizer.Groups.Length);
    }

    [Fact]
    public void Biases_are_a_group_without_decay()
    {
        var layout = GraphBuilder.Chain(3).Affine(4).Sigmoid().Affine(2).Build<float>(seed: 1).Definition.Parameters;
        var group = layout.WithoutDecay();
        Assert.Equal((double?)0, group.WeightDecay);
        Assert.Equal([new BlockRange(16, 16), new BlockRange(48, 16)], group.Ranges.ToArray());
        Assert.Equal([new BlockRange(0, 32)], layout.Group("first", p => p.Name.StartsWith("affine1.", StringComparison.Ordinal)).Ranges.ToArray());
        Assert.Equal([new BlockRange(0, layout.Length)], layout.Ranges(_ => true));
        Assert.Empty(layout.Ranges(_ => false));
        Assert.Throws<ArgumentNullException>(() => layout.Ranges(null!));
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        const int n = 3 * 8 * 512;
        Threads.AssertSameBits<float>(context =>
        {
            var optimizer = new Adam<float>(n, 0.1);
            optimizer.SetGroups(new ParameterGroup("a", [new(5, 5000)]) { RateFactor = 2 }, new ParameterGroup("b", [new(5005, 7)]) { IsFrozen = true });
            var w = Samples.Ordinary<float>(n, 1);
            for (var step = 0; step < 3; step++)
                optimizer.Step(w, Samples.Ordinary<float>(n, step + 2), [new BlockRange(0, n)], context);
            return w;
        });
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        float[] w = Samples.Ordinary<float>(1000, 1), g = Samples.Ordinary<float>(1000, 2);
        var optimizer = new Adam<float>(1000);
        optimizer.SetGroups(new ParameterGroup("a", [new(5, 200), new(300, 10)]) { RateFactor = 2 },
            new ParameterGroup("b", [new(500, 7)]) { IsFrozen = true });
        Assert.Equal(0, ThreadAllocations.Least(() =>
        {
            for (var step = 0; step < 100; step++)
                optimizer.Step(w, g, [new(0, 400), new(416, 500)], ComputeContext.SingleThreaded);
        }));
    }

    [Fact]
    public void Arguments_are_validated()
    {
        var optimizer = new Sgd<float>(10, 1);
        optimizer.SetGroups(new ParameterGroup("all", [new(0, 10)]));
        Throws("groups", () => optimizer.SetGroups(new ParameterGroup("long", [new(0, 11)])), "long");
        Throws("groups", () => optimizer.SetGroups(new ParameterGroup("one", [new(0, 5)]), new ParameterGroup("two", [new(4, 1)])), "two");
        Throws("ranges", () => _ = new ParameterGroup("x", [new(3, 2), new(4, 2)]), "start 4");
        Throws("ranges", () => _ = new ParameterGroup("x", [new(-1, 2)]), "-1");
        Throws("ranges", () => _ = new ParameterGroup("x", [new(1, -2)]), "-2");
        Throws("name", () => _ = new ParameterGroup(" ", []), "");
        Assert.Throws<ArgumentNullException>(() => optimizer.SetGroups((ParameterGroup)null!));
        Assert.Equal("all", optimizer.Groups[0].Name);
        var group = optimizer.Groups[0];
        Assert.Throws<ArgumentOutOfRangeException>(() => group.RateFactor = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => group.LearningRate = double.NaN);
        Assert.Throws<ArgumentOutOfRangeException>(() => group.WeightDecay = double.PositiveInfinity);
        Assert.Equal((1.0, (double?)null, (double?)null), (group.RateFactor, group.LearningRate, group.WeightDecay));

        group.LearningRate = 1e300;
        var w = new float[10];
        Assert.Contains("'all'", Assert.Throws<InvalidOperationException>(() => optimizer.Step(w, new float[10])).Message, StringComparison.Ordinal);

        static void Throws(string name, Action act, string text)
        {
            var error = Assert.Throws<ArgumentException>(act);
            Assert.Equal(name, error.ParamName);
            Assert.Contains(text, error.Message, StringComparison.Ordinal);
        }
    }
}
