using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>A layer at each step is that layer on as many more rows, bit by bit; what cannot be is refused.</summary>
public sealed class EachStepTests
{
    private const int Steps = 3;

    public static TheoryData<int> Samples =>
        [.. Enumerable.Range(0, LayerSamples.All.Count).Where(i => Takes(LayerSamples.All[i]))];

    private static bool Takes(LayerSample sample)
    {
        if (sample.Layer.IsLoss || sample.Inputs.All(type => type.Kind == EdgeKind.Shared))
            return false;
        var declaration = new LayerDeclaration("", sample.Inputs);
        sample.Layer.Declare(declaration);
        return declaration.Outputs.All(type => type.Kind == EdgeKind.Values)
            && sample.Inputs.Concat(declaration.Outputs).All(type => type.Shape.Rank < Shape.MaxRank);
    }

    [Theory, MemberData(nameof(Samples))]
    public void The_bits_are_those_of_as_many_rows(int index)
    {
        var sample = LayerSamples.All[index];
        var rows = Run(sample, sample.Layer, 1);
        var steps = Run(sample, new EachStep(sample.Layer), Steps);
        Assert.Equal(rows.Count, steps.Count);
        foreach (var (name, values) in rows)
            Bits.AssertEqual<float>(values, steps[name], name);
    }

    /// <summary>Outputs in training and inference, all gradients, and the proposed state of a step.</summary>
    private static Dictionary<string, float[]> Run(LayerSample sample, Layer layer, int steps)
    {
        var graph = new GraphBuilder();
        int[] of = steps == 1 ? [] : [steps];
        var nodes = sample.Inputs.Select((type, i) =>
        {
            var shape = Enumerable.Range(0, type.Shape.Rank).Select(d => type.Shape[d]).ToArray();
            return type.Kind switch
            {
                EdgeKind.Values => graph.Input($"input{i}", new Shape([.. of, .. shape])),
                EdgeKind.Indices => graph.IndexInput($"input{i}", [.. of, .. shape]),
                _ => graph.SharedInput($"input{i}", shape),
            };
        }).ToArray();
        var outputs = graph.ApplyAll(layer, nodes);
        for (var i = 0; i < outputs.Count; i++)
            graph.Output(outputs[i].Named($"output{i}"));
        var network = graph.Build().CreateNetwork<float>(seed: 3);
        var random = new TestRandom(5);
        foreach (ref var parameter in network.Parameters)
            parameter = random.Signed<float>();
        var rows = sample.Rows * Steps / steps;
        var result = new Dictionary<string, float[]>();
        foreach (var options in (WorkspaceOptions[])[WorkspaceOptions.Inference, new() { InputGradients = true, OutputGradients = true }])
        {
            var workspace = network.CreateWorkspace(rows, options, ComputeContext.SingleThreaded);
            Fill(sample, workspace, rows * steps);
            network.Forward(workspace);
            for (var i = 0; i < outputs.Count; i++)
                result[$"{options.Mode} output{i}"] = workspace.Output($"output{i}").ToArray();
            if (options.Mode == WorkspaceMode.Inference)
                continue;
            random = new TestRandom(9);
            for (var i = 0; i < outputs.Count; i++)
            {
                foreach (ref var seed in workspace.OutputGradient($"output{i}"))
                    seed = random.Signed<float>();
            }

            network.Backward(workspace);
            result["parameters"] = workspace.Gradients.ToArray();
            for (var i = 0; i < nodes.Length; i++)
            {
                if (nodes[i].Type.Kind != EdgeKind.Indices)
                    result[$"input{i}"] = workspace.GradientOf($"input{i}").ToArray();
            }

            network.Update(workspace, new Sgd<float>(network.Parameters.Length, 0.1));
            result["updated"] = [.. network.Parameters, .. network.State];
        }

        return result;
    }

    private static void Fill(LayerSample sample, Workspace<float> workspace, int rows)
    {
        var random = new TestRandom(11);
        double[] first = [];
        for (var i = 0; i < sample.Inputs.Length; i++)
        {
            if (sample.Inputs[i].Kind == EdgeKind.Indices)
            {
                var indices = sample.Indices.GetValueOrDefault(i) ?? (i > 0 ? sample.Lengths : null) ?? sample.Labels!;
                workspace.SetIndexInput($"input{i}", [.. Enumerable.Repeat(indices, Steps).SelectMany(x => x)]);
                continue;
            }

            var values = new double[sample.Inputs[i].Elements(rows)];
            sample.Fill(ref random, i, values, first);
            first = i == 0 ? values : first;
            workspace.SetInput($"input{i}", [.. values.Select(v => (float)v)]);
        }
    }

    [Fact]
    public void Frames_of_free_number_train()
    {
        var graph = new GraphBuilder();
        var frames = graph.Input("x", Dimension.Free("time", 5), 6, 6, 2);
        frames.EachStep(new Convolution2D(4, 3)).Relu().EachStep(new GlobalAveragePooling2D()).GruLast(3).Affine(1).MeanSquaredError();
        var network = graph.Build().CreateNetwork<float>(seed: 2);
        var workspace = network.CreateWorkspace(2);
        var adam = new Adam<float>(network, 0.01);
        foreach (var time in (int[])[5, 2, 1])
        {
            // The same numbers, in a network that is as long.
            var fixedGraph = new GraphBuilder();
            fixedGraph.Input("x", time, 6, 6, 2).EachStep(new Convolution2D(4, 3)).Relu().EachStep(new GlobalAveragePooling2D()).GruLast(3).Affine(1)
                .MeanSquaredError();
            var other = fixedGraph.Build().CreateNetwork<float>(seed: 2);
            network.Parameters.CopyTo(other.Parameters);
            var otherWorkspace = other.CreateWorkspace(2);
            workspace.SetSizes(("time", time));
            for (var i = 0; i < workspace.Input("x").Length; i++)
                otherWorkspace.Input("x")[i] = workspace.Input("x")[i] = MathF.Sin(i);
            Assert.Equal(other.Forward(otherWorkspace), network.Forward(workspace));
            network.Step(workspace, adam);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void One_row_updates_as_rows_do(int steps)
    {
        var each = GraphBuilder.Chain(new Shape(steps, 20)).EachStep(new Affine(40)).EachStep(new Affine(3)).MeanSquaredError().Build<float>(seed: 1);
        var plain = GraphBuilder.Chain(new Shape(steps, 20)).Affine(40).Affine(3).MeanSquaredError().Build<float>(seed: 1);
        Assert.Equal(plain.Parameters.Length, each.Parameters.Length);
        plain.Parameters.CopyTo(each.Parameters);
        var (expected, actual) = (Trained(plain), Trained(each));
        Bits.AssertEqual<float>(expected, actual, "parameters");

        static float[] Trained(Network<float> network)
        {
            var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
            for (var i = 0; i < workspace.Input("x").Length; i++)
                workspace.Input("x")[i] = MathF.Cos(i);
            for (var step = 0; step < 3; step++)
                network.Step(workspace, new Sgd<float>(network.Parameters.Length, 0.1));
            return network.Parameters.ToArray();
        }
    }

    [Fact]
    public void A_shared_layer_may_be_at_each_step_and_elsewhere()
    {
        var graph = new GraphBuilder();
        var affine = graph.Share(new Affine(2));
        var steps = graph.Input("x", 3, 4).EachStep(affine);
        var whole = graph.Input("z", 4).Apply(affine);
        graph.Loss(steps.SquaredNorm() + whole.SquaredNorm());
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        Assert.Equal(2, network.Definition.Parameters.Entries.Count);
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true });
        for (var i = 0; i < 24; i++)
            workspace.Input("x")[i] = Math.Sin(i);
        for (var i = 0; i < 8; i++)
            workspace.Input("z")[i] = Math.Cos(i);
        var report = Simd.Gradients.GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-7), report.ToString());

        var other = new GraphBuilder();
        var once = new Affine(2);
        other.Input("x", 3, 4).EachStep(once);
        Assert.Contains("Share", Assert.Throws<ArgumentException>(() => other.Input("z", 4).Apply(once)).Message, StringComparison.Ordinal);
        Assert.Contains("Share", Assert.Throws<ArgumentException>(() => other.Input("w", 3, 4).EachStep(once)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dropout_of_each_step_rests_with_its_node()
    {
        var network = GraphBuilder.Chain(new Shape(3, 8)).EachStep(new Dropout(0.5)).Build<float>(seed: 1);
        var workspace = network.CreateWorkspace(2);
        workspace.Input("x").Fill(1);
        network.Forward(workspace);
        Assert.Contains(0f, workspace.Output().ToArray());
        network.SetTraining("eachstep1", false);
        network.Forward(workspace);
        Assert.DoesNotContain(0f, workspace.Output().ToArray());
    }

    [Fact]
    public void What_has_no_steps_is_refused_with_the_reason()
    {
        var graph = new GraphBuilder();
        Node frames = graph.Input("x", 3, 4, 4, 2), longer = graph.Input("y", 4, 4, 4, 2), vector = graph.Input("v"), shared = graph.SharedInput("s", 3, 4);
        Refused("steps, its first dimension; it is values []", () => vector.EachStep(new Dropout()));
        Refused("as many steps", () => frames.EachStep(new BinaryGate<Add>(), longer));
        Refused("needs an input with rows and steps; it got shared [3, 4]", () => shared.EachStep(new Dropout()));
        Refused("losses take whole sequences", () => frames.EachStep(new MeanSquaredError(), frames));
        Refused("an image [H, W, C]; it is values [3]", () => graph.Input("z", 2, 3).EachStep(new Convolution2D(2, 3)));
        Refused("more than 6 dimensions", () => graph.Input("six", 2, 1, 1, 1, 1, 4).EachStep(new Reshape(1, 1, 1, 1, 2, 2)));
        Assert.Throws<ArgumentNullException>(() => new EachStep(null!));
        Assert.Throws<ArgumentNullException>(() => frames.EachStep(null!));
    }

    [Fact]
    public void A_layer_of_a_user_may_do_so_too()
    {
        Assert.True(Simd.Gradients.GradientCheck.Layer(new Wrapper(), [new EdgeType(EdgeKind.Values, new Shape(3, 4))], rows: 2).Passes());
        var graph = new GraphBuilder();
        var x = graph.Input("x", 3, 4);
        Refused("leave those as they are", () => x.Apply(new Wrapper { Behind = d => d.UseScratch(7) }));
        Refused("leave those as they are", () => x.Apply(new Wrapper { Behind = d => d.Traits = LayerTraits.None }));
        Assert.Contains("before anything else", Assert.Throws<InvalidOperationException>(
            () => x.Apply(new Wrapper { Behind = d => d.UseEachStep(new Dropout()) })).Message, StringComparison.Ordinal);
        var network = GraphBuilder.Chain(new Shape(3, 4)).Apply(new Wrapper { Declares = false }).Build<float>(seed: 1);
        Assert.Contains("did not declare UseEachStep", Assert.Throws<InvalidOperationException>(
            () => network.Forward(network.CreateWorkspace(1))).Message, StringComparison.Ordinal);
    }

    private static void Refused(string reason, Action call) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);

    private sealed class Wrapper : Layer
    {
        private readonly Affine _affine = new(2);

        public bool Declares { get; init; } = true;

        public Action<LayerDeclaration>? Behind { get; init; }

        public override string Kind => "wrapper";

        public override void Declare(LayerDeclaration declaration)
        {
            if (Declares)
                declaration.UseEachStep(_affine);
            else
                declaration.AddOutput(declaration.Inputs[0]);
            Behind?.Invoke(declaration);
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            var steps = context.EachStep();
            Assert.Equal((3 * context.Rows, 1), (steps.Rows, steps.InputType(0).Shape.Rank));
            _affine.Forward(in steps);
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            var steps = context.EachStep();
            _affine.Backward(in steps);
        }
    }
}
