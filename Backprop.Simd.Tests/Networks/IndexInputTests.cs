using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Backward uses the indices that forward saw and checked, whatever is written over them meanwhile.</summary>
public sealed class IndexInputTests
{
    private const int Rows = 4, Steps = 5;

    private delegate void WritesIndices(Span<int> indices);

    /// <summary>Kinds of index inputs; each network's is named i and takes integers from 1 to 4.</summary>
    private static readonly Dictionary<string, Action<GraphBuilder>> _graphs = new()
    {
        ["embedding"] = g => g.IndexInput("i", 3).Embedding(10, 8).Flatten().Affine(2).MeanSquaredError(),
        ["embedding of one"] = g => g.IndexInput("i").Embedding(10, 8, paddingIndex: 4).Affine(2).MeanSquaredError(),
        ["cross-entropy"] = g => g.Input("x", 3).Affine(6).SoftmaxCrossEntropy("i"),
        ["cross-entropy of many classes"] = g => g.Input("x", 3).Affine(200).SoftmaxCrossEntropy("i"),
        ["cross-entropy with options"] = g =>
            g.Input("x", 3).Affine(6).SoftmaxCrossEntropy("i", new SoftmaxCrossEntropy([1, 2, 3, 4, 5, 6], labelSmoothing: 0.1, ignoreIndex: 4)),
        ["negative log likelihood"] = g => g.Input("x", 3).Affine(6).LogSoftmax().NegativeLogLikelihood("i", sampleWeights: "w"),
        ["negative log likelihood with weights"] = g =>
            g.Input("x", 3).Affine(6).LogSoftmax().NegativeLogLikelihood("i", new NegativeLogLikelihood([1, 2, 3, 4, 5, 6])),
        ["rnn"] = g => g.Input("x", Steps, 3).RnnLast(4, g.IndexInput("i")).Affine(2).MeanSquaredError(),
        ["lstm"] = g => g.Input("x", Steps, 3).LstmLast(4, g.IndexInput("i")).Affine(2).MeanSquaredError(),
        ["gru"] = g => g.Input("x", Steps, 3).GruLast(4, g.IndexInput("i")).Affine(2).MeanSquaredError(),
        ["attention"] = g => g.Input("x", Steps, 4).SelfAttention(2, lengths: g.IndexInput("i")).Flatten().Affine(2).MeanSquaredError(),
        ["causal attention"] = g =>
            g.Input("x", Steps, 4).SelfAttention(2, causal: true, g.IndexInput("i")).Flatten().Affine(2).MeanSquaredError(),
    };

    public static TheoryData<string> Kinds => [.. _graphs.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Backward_uses_what_forward_saw(string kind)
    {
        var network = Build(kind);
        var workspace = Workspace(network);
        var expected = Gradients(network, workspace, _ => { });
        foreach (var wrong in (int[])[2, 9, 1000, -50, 100_000_000, int.MinValue, int.MaxValue])
            Bits.AssertEqual<float>(expected, Gradients(network, workspace, i => i.Fill(wrong)), $"{kind}, {wrong} written after forward");

        // The next forward sees them.
        workspace.IndexInput("i").Fill(1000);
        Assert.ThrowsAny<ArgumentException>(() => network.Forward(workspace));
        Assert.Throws<InvalidOperationException>(() => network.Backward(workspace));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Backward_uses_what_forward_saw_in_bound_memory(string kind)
    {
        var network = Build(kind);
        var workspace = Workspace(network);
        var expected = Gradients(network, workspace, _ => { });
        var memory = workspace.IndexInput("i").ToArray();
        workspace.BindIndexInput("i", memory);
        network.Forward(workspace);
        Array.Fill(memory, 100_000_000);
        network.Backward(workspace);
        Bits.AssertEqual<float>(expected, workspace.Gradients, kind);
        network.Backward(workspace);
        Bits.AssertEqual<float>(expected, workspace.Gradients, $"{kind}, again");
    }

    [Fact]
    public void The_callers_indices_stay_the_callers()
    {
        var network = Build("embedding");
        var workspace = network.CreateWorkspace(Rows);
        workspace.SetIndexInput("i", [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
        network.Step(workspace, new Sgd<float>(network.Parameters.Length, 0.1));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2], workspace.IndexInput("i").ToArray());
        workspace.Rows = 2;
        workspace.SetIndexInput("i", [9, 9, 9, 9, 9, 9]);
        network.Step(workspace, new Sgd<float>(network.Parameters.Length, 0.1));
        Assert.Equal([9, 9, 9, 9, 9, 9], workspace.IndexInput("i").ToArray());
        workspace.Rows = Rows;
        Assert.Equal([9, 9, 9, 9, 9, 9, 7, 8, 9, 0, 1, 2], workspace.IndexInput("i").ToArray());
    }

    [Fact]
    public void Labels_that_inference_does_not_read_are_not_looked_at()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 3).Affine(6);
        graph.Output(x.Named("y"));
        x.SoftmaxCrossEntropy("i");
        var network = graph.Build().CreateNetwork<float>();
        var workspace = network.CreateWorkspace(Rows, WorkspaceOptions.Inference);
        workspace.IndexInput("i").Fill(1000);
        network.Forward(workspace);
        Assert.Equal(Rows * 6, workspace.Output().Length);
    }

    /// <summary>Another thread writes into the memory that the indices are read from: a result or an ArgumentException.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_racing_writer_gets_a_result_or_an_argument_exception(string kind)
    {
        var network = Build(kind);
        var workspace = Workspace(network, keepGradients: false);
        var memory = workspace.IndexInput("i").ToArray();
        workspace.BindIndexInput("i", memory);
        var sgd = new Sgd<float>(network.Parameters.Length, 1e-3);
        network.Step(workspace, sgd);
        var stop = false;
        var writer = new Thread(() =>
        {
            for (var n = 0; !Volatile.Read(ref stop); n++)
            {
                // Mostly right, so that many passes get past the check.
                Volatile.Write(ref memory[n % memory.Length], n % 7 == 0 ? unchecked(n * (int)2654435761) : 1 + n % 4);
                Volatile.Write(ref memory[n % memory.Length], 1 + n % 3);
            }
        });
        writer.Start();
        try
        {
            for (var step = 0; step < 300; step++)
            {
                try
                {
                    network.Step(workspace, sgd);
                }
                catch (ArgumentException)
                {
                }
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            writer.Join();
        }

        foreach (var parameter in network.Parameters)
            Assert.True(float.IsFinite(parameter));
    }

    /// <summary>A layer that runs the workspace it runs in would have other nodes read what they have not checked.</summary>
    [Fact]
    public void A_layer_may_not_change_the_pass_that_it_is_in()
    {
        var hook = new Hook();
        var graph = new GraphBuilder();
        graph.IndexInput("i").Embedding(10, 4).Apply(hook).Affine(2).MeanSquaredError();
        var network = graph.Build().CreateNetwork<float>();
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { KeepGradients = true });
        workspace.Rows = 2;
        foreach (var action in (Action[])[() => workspace.Rows = Rows, () => network.Forward(workspace), () => network.Backward(workspace)])
        {
            network.Forward(workspace);
            network.Backward(workspace);
            hook.Action = action;
            Assert.Throws<InvalidOperationException>(() => network.Backward(workspace));
            Assert.Throws<InvalidOperationException>(() => network.Forward(workspace));
            hook.Action = null;
            Assert.Equal(2, workspace.Rows);
        }

        network.Forward(workspace);
        network.Backward(workspace);
        workspace.Rows = Rows;
    }

    /// <summary>y = x, and something else is done meanwhile.</summary>
    private sealed class Hook : Layer
    {
        public Action? Action { get; set; }

        public override string Kind => "hook";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(1);
            declaration.AddOutput(declaration.RequireNumbers(0));
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            Action?.Invoke();
            context.Input(0).CopyTo(context.Output());
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            Action?.Invoke();
            var dx = context.InputGradient(0);
            for (var i = 0; !dx.IsEmpty && i < dx.Span.Length; i++)
                dx.Put(i, context.OutputGradient()[i]);
        }
    }

    private static Network<float> Build(string kind)
    {
        var graph = new GraphBuilder();
        _graphs[kind](graph);
        return graph.Build().CreateNetwork<float>(seed: 3);
    }

    private static Workspace<float> Workspace(Network<float> network, bool keepGradients = true)
    {
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { KeepGradients = keepGradients });
        var indices = workspace.IndexInput("i");
        for (var i = 0; i < indices.Length; i++)
            indices[i] = 1 + i % 4;
        foreach (var name in network.Definition.InputNames.Where(name => name != "i"))
        {
            var values = workspace.Input(name);
            for (var i = 0; i < values.Length; i++)
                values[i] = 0.1f * (i % 7 + 1);
        }

        return workspace;
    }

    private static float[] Gradients(Network<float> network, Workspace<float> workspace, WritesIndices afterForward)
    {
        var indices = workspace.IndexInput("i");
        var before = indices.ToArray();
        network.Forward(workspace);
        afterForward(indices);
        network.Backward(workspace);
        before.CopyTo(indices);
        return workspace.Gradients.ToArray();
    }
}
