using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>The checker itself: what it reports, what it leaves alone, and that a wrong layer is caught.</summary>
public sealed class GradientCheckTests
{
    private static readonly EdgeType[] FourValues = [new(EdgeKind.Values, new Shape(4))];

    public static TheoryData<GradientCheckMode> Modes => [GradientCheckMode.Full, GradientCheckMode.RandomDirections];

    public static TheoryData<Fault, string, GradientCheckMode> Faults
    {
        get
        {
            var data = new TheoryData<Fault, string, GradientCheckMode>();
            foreach (var mode in (GradientCheckMode[])[GradientCheckMode.Full, GradientCheckMode.RandomDirections])
            {
                data.Add(Fault.WeightScaledByOnePerMille, "wrongaffine1.weight", mode);
                data.Add(Fault.BiasMissing, "wrongaffine1.bias", mode);
                data.Add(Fault.InputSign, "input0", mode);
                data.Add(Fault.WeightOneElement, "wrongaffine1.weight", mode);
                data.Add(Fault.WeightNeighbour, "wrongaffine1.weight", mode);
                data.Add(Fault.WeightNaN, "wrongaffine1.weight", mode);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Modes))]
    public void A_right_layer_passes(GradientCheckMode mode)
    {
        var report = GradientCheck.Layer(new WrongAffine(3, Fault.None), FourValues, 5, new GradientCheckOptions { Mode = mode });
        Assert.True(report.Passes(1e-8), report.ToString());
        Assert.Equal(["wrongaffine1.weight", "wrongaffine1.bias", "input0"], report.Entries.Select(e => e.Name));
    }

    [Theory, MemberData(nameof(Faults))]
    public void A_wrong_layer_is_caught_and_the_wrong_gradient_named(Fault fault, string culprit, GradientCheckMode mode)
    {
        var report = GradientCheck.Layer(new WrongAffine(3, fault), FourValues, 5, new GradientCheckOptions { Mode = mode });
        Assert.False(report.Passes());
        Assert.Equal(culprit, report.Worst!.Name);
        Assert.All(report.Entries, e => Assert.Equal(e.Name != culprit, e.Passes(1e-6)));
    }

    [Theory, MemberData(nameof(Modes))]
    public void One_wrong_element_of_a_large_tensor_is_caught(GradientCheckMode mode)
    {
        var report = GradientCheck.Layer(new WrongAffine(60, Fault.WeightOneElement), [new(EdgeKind.Values, new Shape(50))], 2,
            new GradientCheckOptions { Mode = mode });
        var entry = report["wrongaffine1.weight"];
        Assert.False(entry.Passes(1e-6), entry.ToString());
        Assert.True(report["wrongaffine1.bias"].Passes(1e-6));
        if (mode != GradientCheckMode.Full)
            return;
        Assert.Equal(1500, entry.WorstIndex);
        Assert.Equal(0.01, entry.WorstAnalytic - entry.WorstNumerical, 1e-7);
        Assert.Equal(0.01, entry.MaxAbsoluteDifference, 1e-7);
        Assert.Equal(0.01 / 3000, entry.MeanAbsoluteDifference, 1e-7);
    }

    [Fact]
    public void A_gradient_that_overwrites_another_consumers_is_caught()
    {
        foreach (var mode in (GradientCheckMode[])[GradientCheckMode.Full, GradientCheckMode.RandomDirections])
        {
            var graph = new GraphBuilder();
            var x = graph.Input("x", 4);
            graph.Output(x.Apply(new WrongAffine(3, Fault.InputNotAdded)));
            graph.Output(x * x);
            var (network, workspace) = Make(graph);
            var report = GradientCheck.Run(network, workspace, new GradientCheckOptions { Mode = mode });
            Assert.False(report["x"].Passes(1e-3));
        }
    }

    [Theory, MemberData(nameof(Modes))]
    public void A_layer_that_is_no_function_of_its_inputs_is_caught(GradientCheckMode mode)
    {
        var report = GradientCheck.Layer(new Drifting(), FourValues, 2, new GradientCheckOptions { Mode = mode });
        Assert.False(report.Passes());
    }

    [Fact]
    public void The_report_says_what_was_compared()
    {
        var full = GradientCheck.Layer(new Affine(3), FourValues, 5);
        Assert.Equal([12, 3, 20], full.Entries.Select(e => e.Compared));
        Assert.Equal([GradientOf.Parameter, GradientOf.Parameter, GradientOf.Input], full.Entries.Select(e => e.Of));
        Assert.Equal([new Shape(4, 3), new Shape(3), new Shape(4)], full.Entries.Select(e => e.Shape));
        var directions = GradientCheck.Layer(new Affine(3), FourValues, 5,
            new GradientCheckOptions { Mode = GradientCheckMode.RandomDirections, Directions = 7 });
        Assert.Equal([7, 7, 7], directions.Entries.Select(e => e.Compared));
        Assert.Contains("affine1.weight [4, 3]: mean |difference|", full.ToString(), StringComparison.Ordinal);
        Assert.Equal(3, full.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("affine1.weight, affine1.bias, input0", Assert.Throws<ArgumentException>(() => full["nothing"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Measures_follow_their_definitions()
    {
        var entry = new GradientCheckEntry("w", GradientOf.Parameter, new Shape(2), 2, 1, 3, 2.5, 0.25, 0.1);
        Assert.Equal(0.5, entry.MaxAbsoluteDifference);
        Assert.True(entry.Passes(0.1) && !entry.Passes(0.09) && entry.Passes(0.09, 0.5) && !entry.Passes(0.09, 0.49));
        Assert.False(new GradientCheckReport([]).Passes());
        Assert.Null(new GradientCheckReport([]).Worst);
        var broken = entry with { Name = "nan", RelativeError = double.NaN, WorstAnalytic = double.NaN };
        Assert.False(broken.Passes(double.MaxValue, double.MaxValue));
        Assert.Equal("nan", new GradientCheckReport([entry, broken, entry]).Worst!.Name);
    }

    [Fact]
    public void A_NaN_in_either_gradient_is_the_worst_element()
    {
        var entry = GradientCheck.Layer(new WrongAffine(3, Fault.WeightNaN), FourValues, 5)["wrongaffine1.weight"];
        Assert.Equal(1, entry.WorstIndex);
        Assert.True(double.IsNaN(entry.WorstAnalytic) && double.IsNaN(entry.RelativeError) && double.IsNaN(entry.MeanAbsoluteDifference));
    }

    [Theory, MemberData(nameof(Modes))]
    public void Parameters_inputs_and_gradients_are_as_before(GradientCheckMode mode)
    {
        var x = GraphBuilder.Chain(4);
        x.Affine(5).Tanh().Affine(2).MeanSquaredError();
        var (network, workspace) = Make(x.Graph);
        network.Forward(workspace);
        network.Backward(workspace);
        var (parameters, input, gradients) = (network.Parameters.ToArray(), workspace.Input("x").ToArray(), workspace.Gradients.ToArray());
        GradientCheck.Run(network, workspace, new GradientCheckOptions { Mode = mode });
        Bits.AssertEqual<double>(parameters, network.Parameters, "parameters");
        Bits.AssertEqual<double>(input, workspace.Input("x"), "input");
        Bits.AssertEqual<double>(gradients, workspace.Gradients, "gradients");
    }

    [Fact]
    public void A_bound_input_is_checked_and_its_memory_left_alone()
    {
        var x = GraphBuilder.Chain(4);
        x.Affine(5).Tanh();
        x.Graph.Output(x.Affine(2).Tanh());
        var (network, workspace) = Make(x.Graph, rows: 1);
        double[] memory = [1, 2, 3, 4];
        workspace.BindInput("x", memory);
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-7), report.ToString());
        Assert.Equal([1.0, 2, 3, 4], memory);
        Assert.NotEqual(0, report["x"].WorstAnalytic);
    }

    [Fact]
    public void Frozen_parameters_are_skipped()
    {
        var x = GraphBuilder.Chain(4);
        x.Affine(5).Tanh().Affine(2).MeanSquaredError();
        var (network, workspace) = Make(x.Graph);
        network.Freeze("affine1.weight");
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-7), report.ToString());
        Assert.DoesNotContain("affine1.weight", report.Entries.Select(e => e.Name));
        Assert.Equal(5, report.Entries.Count);
    }

    [Fact]
    public void Without_input_gradients_inputs_are_not_checked()
    {
        var network = GraphBuilder.Chain(4).Affine(2).Build<double>();
        var report = GradientCheck.Run(network, network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded));
        Assert.Equal(["affine1.weight", "affine1.bias"], report.Entries.Select(e => e.Name));
    }

    [Fact]
    public void The_seed_chooses_the_data()
    {
        GradientCheckReport Check(ulong seed) => GradientCheck.Layer(new Affine(3), FourValues, 5, new GradientCheckOptions { Seed = seed });
        Assert.Equal(Check(1).Entries, Check(1).Entries);
        Assert.NotEqual(Check(1)["input0"].WorstAnalytic, Check(2)["input0"].WorstAnalytic);
    }

    [Fact]
    public void Losses_with_indices_are_checked_too()
    {
        var report = GradientCheck.Layer(new Backprop.Simd.Losses.SoftmaxCrossEntropy(),
            [FourValues[0], new(EdgeKind.Indices, Shape.Scalar)], 6, indices: 4, scale: 3);
        Assert.True(report.Passes(1e-7), report.ToString());
        Assert.Equal("input0", Assert.Single(report.Entries).Name);
    }

    [Fact]
    public void The_notebooks_network_passes_at_its_own_size()
    {
        var network = GraphBuilder.Chain(784).Affine(50, Backprop.Simd.Initializers.Initialize.Normal(0.01)).Sigmoid()
            .Affine(10, Backprop.Simd.Initializers.Initialize.Normal(0.01)).SoftmaxCrossEntropy().Build<float>(seed: 1).ConvertTo<double>();
        var workspace = network.CreateWorkspace(3, compute: ComputeContext.SingleThreaded);
        var random = new TestRandom(1);
        foreach (ref var pixel in workspace.Input())
            pixel = Math.Max(0, random.Signed<double>());
        workspace.SetIndexInput("labels", [5, 0, 4]);
        var report = GradientCheck.Run(network, workspace, new GradientCheckOptions { Mode = GradientCheckMode.RandomDirections });
        Assert.True(report.Passes(1e-6), report.ToString());
    }

    [Fact]
    public void Arguments_are_checked()
    {
        var (network, workspace) = Make(GraphBuilder.Chain(4).Affine(2).MeanSquaredError().Graph);
        var (other, _) = Make(GraphBuilder.Chain(4).Affine(2).MeanSquaredError().Graph);
        Assert.Throws<ArgumentException>(() => GradientCheck.Run(other, workspace));
        Assert.Throws<ArgumentNullException>(() => GradientCheck.Run(null!, workspace));
        Assert.Throws<ArgumentNullException>(() => GradientCheck.Run(network, null!));
        Assert.Throws<InvalidOperationException>(() => GradientCheck.Run(network, network.CreateWorkspace(1, WorkspaceOptions.Inference)));
        Assert.Throws<ArgumentOutOfRangeException>(() => GradientCheck.Run(network, workspace, new GradientCheckOptions { Step = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => GradientCheck.Run(network, workspace, new GradientCheckOptions { Directions = 0 }));
        Assert.Throws<ArgumentNullException>(() => GradientCheck.Layer(null!, FourValues, 1));
        Assert.Throws<ArgumentException>(() => GradientCheck.Layer(new Affine(1), [.. FourValues, .. FourValues], 1));
    }

    private static (Network<double> Network, Workspace<double> Workspace) Make(GraphBuilder graph, int rows = 3)
    {
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        var random = new TestRandom(2);
        foreach (var input in network.Definition.InputNames)
        {
            foreach (ref var value in workspace.Input(input))
                value = random.Signed<double>();
        }

        return (network, workspace);
    }
}
