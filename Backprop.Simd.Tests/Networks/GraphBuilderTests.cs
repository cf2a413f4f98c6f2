using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Names, handles, ends and errors of graphs under construction.</summary>
public sealed class GraphBuilderTests
{
    [Fact]
    public void Nodes_are_named_by_kind_and_number()
    {
        var x = GraphBuilder.Chain(4);
        var (first, second, sigmoid) = (x.Affine(3), x.Affine(2), x.Sigmoid());
        Assert.Equal(("x", "affine1", "affine2", "sigmoid1"), (x.Name, first.Name, second.Name, sigmoid.Name));
        Assert.Equal("affine1: values [3]", first.ToString());
    }

    [Fact]
    public void A_given_name_replaces_the_automatic_one_and_frees_it()
    {
        var x = GraphBuilder.Chain(4);
        var hidden = x.Affine(3).Named("hidden");
        var next = x.Affine(2);
        Assert.Equal(("hidden", "affine1"), (hidden.Name, next.Name));
        Assert.Equal("hidden", hidden.Named("hidden").Name);
        x.Graph.Output(next + hidden.Affine(2));
        var definition = x.Graph.Build();
        Assert.Contains("hidden.weight", definition.Parameters.Entries.Select(p => p.Name));
        Assert.Equal(new Shape(3), definition.TypeOf("hidden").Shape);
    }

    [Fact]
    public void Further_outputs_are_numbered_behind_the_name()
    {
        var x = GraphBuilder.Chain(4);
        Assert.Equal(["fork1", "fork1:1"], x.Graph.ApplyAll(new Fork(), x).Select(n => n.Name));
    }

    [Fact]
    public void A_name_is_given_once()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        Assert.Contains("'x'", Assert.Throws<ArgumentException>(() => graph.Input("x", 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => graph.IndexInput("x"));
        Assert.Throws<ArgumentException>(() => graph.SharedInput("x"));
        Assert.Throws<ArgumentException>(() => graph.Parameter("x", new Shape(1)));
        Assert.Throws<ArgumentException>(() => x.Affine(2).Named("x"));
        Assert.Throws<ArgumentException>(() => x.Affine(2).Named(" "));
        Assert.Throws<ArgumentException>(() => graph.Input("", 3));
        Assert.Throws<ArgumentNullException>(() => graph.Input(null!, 3));
    }

    [Fact]
    public void Two_parameters_of_one_name_are_refused_at_build()
    {
        var graph = new GraphBuilder();
        var w = graph.Parameter("a.weight", new Shape(2));
        var y = graph.Input("x", 2).Affine(2).Named("a");
        graph.Output(y);
        graph.Output(Node.MatrixProduct(w, y));
        Assert.Contains("a.weight", Assert.Throws<ArgumentException>(() => graph.Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_of_two_graphs_do_not_mix()
    {
        var (x, y) = (GraphBuilder.Chain(2), GraphBuilder.Chain(2));
        Assert.Contains("another graph", Assert.Throws<ArgumentException>(() => x + y).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => x.Graph.Output(y));
        Assert.Throws<InvalidOperationException>(() => default(Node).Affine(2));
        Assert.Equal("(no node)", default(Node).ToString());
        Assert.Equal(x, x.Named("x"));
        Assert.True(x != y);
    }

    [Fact]
    public void Only_losses_are_losses()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        var loss = x.Apply(new MeanSquaredError(), graph.Input("t", 2));
        Assert.Contains("is not", Assert.Throws<ArgumentException>(() => graph.Loss(x)).Message, StringComparison.Ordinal);
        Assert.Contains("x.Mean()", Assert.Throws<ArgumentException>(() => graph.Loss(x * 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => graph.Loss(graph.Input("scalar")));
        Assert.Throws<ArgumentException>(() => graph.Loss(graph.Parameter("w", Shape.Scalar)));
        Assert.Throws<ArgumentException>(() => graph.Loss(x.Apply(new MeanSquaredError(LossReduction.None), graph.Input("u", 2))));
        Assert.Throws<ArgumentOutOfRangeException>(() => graph.Loss(loss, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => graph.Loss(loss, double.PositiveInfinity));
    }

    [Fact]
    public void The_loss_of_a_chain_takes_a_weight()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        var first = x.MeanSquaredError("t").Named("first");
        var second = x.MeanAbsoluteError("u").Named("second");
        graph.Loss(second, 0.25);
        var network = second.Build<double>();
        var workspace = network.CreateWorkspace(1);
        workspace.SetInput("x", [1, 3]);
        Assert.Equal(5 + 0.25 * 2, network.Forward(workspace), 1e-12);
        Assert.Equal((5.0, 2.0), (workspace.LossOf(first.Name), workspace.LossOf(second.Name)));
    }

    [Fact]
    public void A_graph_needs_an_end_and_indices_are_none()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        Assert.Contains("Output or Loss", Assert.Throws<InvalidOperationException>(() => graph.Build()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => graph.Output(graph.IndexInput("labels")));
        graph.Output(x);
        graph.Output(x);
        Assert.Equal(["x"], graph.Build().OutputNames);
    }

    [Fact]
    public void A_parameter_without_a_reader_is_refused_at_build()
    {
        var graph = new GraphBuilder();
        graph.Parameter("unused", new Shape(3));
        graph.Output(graph.Input("x", 2).Affine(1));
        Assert.Contains("'unused'", Assert.Throws<InvalidOperationException>(() => graph.Build()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_built_definition_does_not_change_with_its_builder()
    {
        var x = GraphBuilder.Chain(2);
        var y = x.Affine(2);
        x.Graph.Output(y);
        var definition = x.Graph.Build();
        y.Named("other");
        x.Graph.Output(y.Affine(3));
        Assert.Equal(["affine1"], definition.OutputNames);
        Assert.Equal(["affine1"], definition.ComputedNames);
        Assert.Equal(["x"], definition.InputNames);
        Assert.Empty(definition.LossNames);
        Assert.Equal("affine1.weight", definition.Parameters.Entries[0].Name);
    }

    [Fact]
    public void An_unknown_name_is_answered_with_those_that_exist()
    {
        var network = GraphBuilder.Chain(2).Affine(3).Build<float>();
        Assert.Contains("affine1.weight, affine1.bias", Assert.Throws<ArgumentException>(() => { network.ParameterOf("affine1"); }).Message,
            StringComparison.Ordinal);
        Assert.Contains("x, affine1", Assert.Throws<ArgumentException>(() => network.Definition.TypeOf("y")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => { network.StateOf("y"); });
        Assert.Throws<ArgumentException>(() => network.Freeze("y"));
        Assert.Throws<ArgumentException>(() => network.Unfreeze("y"));
        Assert.Throws<ArgumentException>(() => network.IsFrozen("y"));
        Assert.Throws<ArgumentException>(() => network.CreateWorkspace(1, new WorkspaceOptions { Retain = Retain.Nodes("y") }));
        Assert.True(network.Definition.Parameters.TryFind("affine1.bias", out var bias));
        Assert.Equal(3, bias.Range.Length);
        Assert.False(network.Definition.Parameters.TryFind("y", out _));
    }

    [Fact]
    public void Parameters_lie_on_64_byte_boundaries_with_zeros_between()
    {
        var network = GraphBuilder.Chain(3).Affine(5).Sigmoid().Affine(2).Build<float>(seed: 1);
        var layout = network.Definition.Parameters;
        Assert.All(layout.Entries, p => Assert.Equal(0, p.Range.Start * sizeof(float) % 64));
        Assert.Equal(["affine1.weight", "affine1.bias", "affine2.weight", "affine2.bias"], layout.Entries.Select(p => p.Name));
        Assert.Equal(15 + 5 + 10 + 2, layout.Count);
        Assert.Equal(network.Parameters.Length, layout.Length);
        for (var i = 0; i < layout.Length; i++)
        {
            if (!layout.Entries.Any(p => p.Range.Start <= i && i < p.Range.End))
                Assert.Equal(0, network.Parameters[i]);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_network_and_float_rounds_double()
    {
        var chain = GraphBuilder.Chain(9).Affine(8).Relu().Affine(7);
        var (first, second, other) = (chain.Build<double>(3), chain.Build<double>(3), chain.Build<double>(4));
        Assert.Equal(first.Parameters.ToArray(), second.Parameters.ToArray());
        Assert.NotEqual(first.Parameters.ToArray(), other.Parameters.ToArray());
        Assert.Equal(first.Parameters.ToArray().Select(p => (float)p), chain.Build<float>(3).Parameters.ToArray());
    }

    [Fact]
    public void One_more_layer_leaves_the_numbers_of_the_others_alone()
    {
        var chain = GraphBuilder.Chain(9).Affine(8);
        var shorter = chain.Build<double>(3).ParameterOf("affine1.weight").ToArray();
        Assert.Equal(shorter, GraphBuilder.Chain(9).Affine(8).Affine(7).Build<double>(3).ParameterOf("affine1.weight").ToArray());
    }

    [Fact]
    public void Other_element_types_are_refused()
    {
        var graph = GraphBuilder.Chain(2).Graph;
        graph.Output(graph.Input("y"));
        Assert.Throws<NotSupportedException>(() => graph.Build().CreateNetwork<Half>());
    }

    [Fact]
    public void Retaining_every_node_of_a_deep_graph_with_fan_out_takes_no_time()
    {
        var x = GraphBuilder.Chain(1);
        for (var i = 0; i < 100; i++)
            x = (x + x) * 0.5;
        var network = x.Build<double>();
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference with { Retain = Retain.All }, ComputeContext.SingleThreaded);
        workspace.Input().Fill(3);
        network.Forward(workspace);
        Assert.Equal(3, workspace.Output()[0]);
    }
}
