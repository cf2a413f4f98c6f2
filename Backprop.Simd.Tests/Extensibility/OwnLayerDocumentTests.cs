using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Documentation;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>docs/own-layer.md: its code is compiled and run, and what it says of errors is so.</summary>
[Collection(RunAlone.Name)]
public sealed class OwnLayerDocumentTests
{
    private static readonly EdgeType[] Row = [new(EdgeKind.Values, new Shape(7))];

    /// <summary>The examples in the order of the document.</summary>
    private static readonly string[] Names =
    [
        "Snake",
        "ProveSnake",
        "LowRank",
        "ProveLowRank",
        "Centered",
        "UseCentered",
        "Chain",
        "Train",
        "OneFile",
        "LogCosh",
        "ProveLogCosh",
        "TwoLosses",
        "Hypotenuse",
        "UseHypotenuse",
    ];

    public static TheoryData<string> Examples => [.. Names];

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_document_shows_what_is_run(string name) =>
        DocumentExamples.AssertShown("docs/own-layer.md", "Backprop.Simd.Tests/Extensibility/OwnLayerExamples.cs", Names, name);

    [Fact]
    public void The_proofs_pass()
    {
        foreach (var prove in (Func<GradientCheckReport>[])[OwnLayerExamples.ProveSnake, OwnLayerExamples.ProveLowRank, OwnLayerExamples.ProveLogCosh])
        {
            var report = default(GradientCheckReport);
            var output = Output(() => report = prove());
            Assert.True(report!.Passes(), report.ToString());
            Assert.EndsWith("True", output.Trim(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_network_learns_a_wave_and_is_the_same_when_loaded()
    {
        var directory = Directory.CreateTempSubdirectory("backprop-own").FullName;
        try
        {
            var (trained, loaded) = default((Network<float>, Network<float>));
            var output = Output(() => (trained, loaded) = OwnLayerExamples.Train(Path.Combine(directory, "own.safetensors")));
            Assert.Contains("lowrank1", output, StringComparison.Ordinal);
            Assert.Equal(trained!.Parameters.ToArray(), loaded!.Parameters.ToArray());
            var workspace = loaded.CreateWorkspace(64);
            for (var i = 0; i < 64; i++)
            {
                workspace.Input("x")[i] = i / 8f - 4;
                workspace.Input("targets")[i] = MathF.Sin(2 * workspace.Input("x")[i]);
            }

            Assert.InRange(loaded.Forward(workspace), 0, 0.01);
            var opened = OwnLayerExamples.OneFile(trained, Path.Combine(directory, "own.model"));
            Assert.Equal(trained.Parameters.ToArray(), opened.Parameters.ToArray());
            Assert.Equal(trained.Summary(), opened.Summary());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void The_class_and_the_expression_are_one_loss()
    {
        var network = OwnLayerExamples.TwoLosses();
        var workspace = network.CreateWorkspace(2);
        for (var i = 0; i < 24; i++)
        {
            workspace.Input("y")[i] = Math.Sin(i) * 3;
            workspace.Input("t")[i] = Math.Cos(2 * i);
        }

        workspace.Input("kept").Fill(1);
        var whole = network.Forward(workspace) / 1.5;
        var sum = 0.0;
        for (var i = 0; i < 24; i++)
            sum += Math.Log(Math.Cosh(workspace.Input("y")[i] - workspace.Input("t")[i]));
        Assert.Equal(sum / 24, whole, 1e-14);
        Assert.Equal(sum / 24, workspace.PartsOf("formula").Value, 1e-14);

        workspace.Input("kept")[..7].Clear();
        network.Forward(workspace);
        sum = 0;
        for (var i = 21; i < 24; i++)
            sum += Math.Log(Math.Cosh(workspace.Input("y")[i] - workspace.Input("t")[i]));
        Assert.Equal(sum / 3, workspace.PartsOf("formula").Value, 1e-14);
    }

    [Fact]
    public void The_gate_is_the_length_of_a_vector_and_flat_at_0()
    {
        var network = default(Network<double>);
        Assert.Equal("True", Output(() => network = OwnLayerExamples.UseHypotenuse()).Trim());
        var workspace = network!.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, OutputGradients = true });
        workspace.SetInput("x", [3, 0, 5, 1, 3, 0, 5, 1, 3, 0, 5, double.NaN]);
        workspace.SetInput("y", [4, 0, 12, 1]);
        network.Forward(workspace);
        Assert.Equal([5, 0, 13, Math.Sqrt(2)], workspace.Output()[..4].ToArray());
        workspace.OutputGradient(network.Definition.OutputNames.First()).Fill(1);
        network.Backward(workspace);
        Assert.Equal([0.6, 0, 5 / 13.0], workspace.GradientOf("x")[..3].ToArray());
        Assert.Equal([2.4, 0], workspace.GradientOf("y")[..2].ToArray().Select(g => Math.Round(g, 12)));
        Assert.Equal(double.NaN, workspace.GradientOf("x")[11]);
    }

    [Fact]
    public void State_moves_in_training_alone()
    {
        var network = default(Network<float>);
        Assert.Equal("True", Output(() => network = OwnLayerExamples.UseCentered()).Split('\n')[0].Trim());
        var mean = network!.StateOf("centered1.mean")[0];
        Assert.InRange(mean, 4.99f, 5f);
        var inference = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        inference.SetInput("x", [1, 2, 3, 4, 5, 6]);
        network.Forward(inference);
        network.SetTraining("centered1", false);
        var training = network.CreateWorkspace(2);
        network.Step(training, new Optimizers.Sgd<float>(network, 0.01));
        Assert.Equal(mean, network.StateOf("centered1.mean")[0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cache_that_was_not_asked_for_is_told_with_the_layers_name(bool integers)
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 7).Apply(new Forgetful(integers)).Named("lowrank1"));
        var network = graph.Build().CreateNetwork<float>();
        var message = Assert.Throws<InvalidOperationException>(() => network.Forward(network.CreateWorkspace(2, new() { InputGradients = true }))).Message;
        Assert.Contains("The layer 'lowrank1' uses a cache", message, StringComparison.Ordinal);
        Assert.Contains(integers ? "UseIndexCache in Declare" : "UseCache in Declare", message, StringComparison.Ordinal);
        if (!integers)
            Assert.Contains($"`{message}`", File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "own-layer.md")), StringComparison.Ordinal);
        network.Forward(network.CreateWorkspace(2, WorkspaceOptions.Inference)); // There it is empty.
    }

    [Fact]
    public void A_layer_that_lies_is_told_so_in_the_words_of_the_document()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 7).Apply(new Lying(LayerTraits.None)).Named("lowrank1"));
        var network = graph.Build().CreateNetwork<float>();
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true });
        network.Forward(workspace);
        var message = Assert.Throws<InvalidOperationException>(() => network.Backward(workspace)).Message;
        Assert.Contains($"`{message}`", File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "own-layer.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_check_sees_a_layer_that_overwrites_what_it_still_reads()
    {
        Assert.True(GradientCheck.Layer(new Mirrored(LayerTraits.None), Row, rows: 2).Passes());
        Assert.False(GradientCheck.Layer(new Mirrored(LayerTraits.InPlace), Row, rows: 2).Passes());
    }

    private static string Output(Action example)
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

    /// <summary>Uses a cache that it did not ask for.</summary>
    private sealed class Forgetful(bool integers) : Layer
    {
        public override string Kind => "forgetful";

        public override void Declare(LayerDeclaration declaration) => declaration.AddOutput(declaration.Require(0, EdgeKind.Values));

        public override void Forward<T>(in ForwardContext<T> context)
        {
            if (integers)
                context.IndexCache.Clear();
            else
                context.Input(0).CopyTo(context.Training ? context.Cache : context.Output());
        }

        public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.Cache);
    }

    /// <summary><see cref="LowRank"/> with other traits.</summary>
    private sealed class Lying(LayerTraits traits) : Layer
    {
        private readonly LowRank _layer = new(3, 2);

        public override string Kind => "lying";

        public override void Declare(LayerDeclaration declaration)
        {
            _layer.Declare(declaration);
            declaration.Traits = traits;
        }

        public override void Forward<T>(in ForwardContext<T> context) => _layer.Forward(in context);

        public override void Backward<T>(in BackwardContext<T> context) => _layer.Backward(in context);
    }

    /// <summary>Each row from its end to its beginning: an element depends on another place than its own.</summary>
    private sealed class Mirrored(LayerTraits traits) : Layer
    {
        public override string Kind => "mirrored";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.AddOutput(declaration.Inputs[0]);
            declaration.Traits = traits;
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            var x = context.Input(0);
            var y = context.Output();
            var size = x.Length / context.Rows;
            for (var i = 0; i < x.Length; i++)
                y[i] = x[i - i % size + size - 1 - i % size];
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            var dy = context.OutputGradient();
            var dx = context.InputGradient(0);
            var size = dy.Length / context.Rows;
            for (var i = 0; i < dy.Length; i++)
                dx.Put(i, dy[i - i % size + size - 1 - i % size]);
        }
    }
}
