using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Views share memory with their inputs, and nothing that can be read shows it.</summary>
public sealed class ViewTests
{
    private static readonly WorkspaceOptions Gradients = new() { InputGradients = true, OutputGradients = true };

    [Fact]
    public void A_flattened_value_is_the_same_memory()
    {
        var network = new GraphBuilder().Input("x", 4, 3, 2).Convolution2D(2, 1).Named("c").Flatten().Named("f").Affine(2).Build<float>();
        var workspace = network.CreateWorkspace(3, new WorkspaceOptions { Retain = Retain.All });
        Fill(workspace.Input());
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.True(workspace.ValueOf("c").Overlaps(workspace.ValueOf("f"), out var offset) && offset == 0);
        Assert.True(workspace.GradientOf("c").Overlaps(workspace.GradientOf("f"), out offset) && offset == 0);
    }

    [Fact]
    public void A_view_of_an_input_follows_what_is_bound()
    {
        var network = new GraphBuilder().Input("x", 2, 3).Flatten().Named("f").Affine(4).Build<float>();
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { Retain = Retain.Nodes("f") });
        float[] own = [.. Enumerable.Range(0, 12).Select(i => i * 0.25f)];
        workspace.BindInput("x", own);
        network.Forward(workspace);
        var bound = workspace.Output().ToArray();
        Assert.True(workspace.ValueOf("f").Overlaps(own));
        workspace.SetInput("x", own);
        network.Forward(workspace);
        Assert.Equal(bound, workspace.Output().ToArray());
        Assert.False(workspace.ValueOf("f").Overlaps(own));
        workspace.Rows = 1;
        workspace.BindInput("x", own);
        network.Forward(workspace);
        Assert.Equal(bound.AsSpan(0, 4).ToArray(), workspace.Output().ToArray());
    }

    [Fact]
    public void A_view_may_be_an_output_and_an_input_its_only_source()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 2, 2).Reshape(4).Named("y"));
        var network = graph.Build().CreateNetwork<double>();
        foreach (var options in (WorkspaceOptions[])[Gradients, WorkspaceOptions.Inference])
        {
            var workspace = network.CreateWorkspace(2, options);
            Fill(workspace.Input());
            network.Forward(workspace);
            Assert.Equal(workspace.Input().ToArray(), workspace.Output().ToArray());
            if (options != Gradients)
                continue;
            Fill(workspace.OutputGradient());
            network.Backward(workspace);
            Assert.Equal(workspace.OutputGradient().ToArray(), workspace.GradientOf("x").ToArray());
        }
    }

    [Fact]
    public void Values_that_a_view_shows_are_not_overwritten_and_live_as_long_as_it()
    {
        // tanh may overwrite its input, but not one that a view shows; many layers behind each other reuse memory in inference.
        var graph = new GraphBuilder();
        var x = graph.Input("x", 6);
        var a = x.Affine(6);
        var view = a.Reshape(2, 3).Named("view");
        var tanh = view.Tanh();
        var deep = tanh.Flatten().Affine(6).Relu().Affine(6);
        graph.Output(deep + view.Flatten() + a.Tanh());
        var network = graph.Build().CreateNetwork<double>(2);
        AssertSame(network);
    }

    [Fact]
    public void Gradients_of_views_and_their_sources_are_right_wherever_they_are_read()
    {
        // An in-place activation before the view turns its gradient buffer into its own gradient.
        var graph = new GraphBuilder();
        var f = graph.Input("x", 4).Affine(4).Sigmoid().Reshape(2, 2).Named("view");
        graph.Output(f.Flatten().Affine(3));
        graph.Output(f);
        var network = graph.Build().CreateNetwork<double>(3);
        var workspace = network.CreateWorkspace(2, Gradients);
        Fill(workspace.Input());
        network.Forward(workspace);
        Fill(workspace.OutputGradient("affine2"));
        Fill(workspace.OutputGradient("view"));
        network.Backward(workspace);
        var all = network.CreateWorkspace(2, Gradients with { Retain = Retain.All });
        Fill(all.Input());
        network.Forward(all);
        Fill(all.OutputGradient("affine2"));
        Fill(all.OutputGradient("view"));
        network.Backward(all);
        Bits.AssertEqual<double>(all.GradientOf("view"), workspace.GradientOf("view"), "view");
        Bits.AssertEqual<double>(all.Gradients, workspace.Gradients, "parameters");
    }

    [Fact]
    public void A_reshaped_parameter_gets_its_gradient_and_accumulates_it()
    {
        var graph = new GraphBuilder();
        var w = graph.Parameter("w", new Shape(6));
        graph.Output(Node.MatrixProduct(graph.Input("x", 2), w.Reshape(2, 3)));
        var network = graph.Build().CreateNetwork<double>(1);
        var workspace = network.CreateWorkspace(2);
        workspace.SetInput("x", [1, 2, 3, 4]);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal([4, 4, 4, 6, 6, 6], workspace.ParameterGradientOf("w").ToArray());
        network.Backward(workspace, accumulate: true);
        Assert.Equal([8, 8, 8, 12, 12, 12], workspace.ParameterGradientOf("w").ToArray());
    }

    [Fact]
    public void Slices_that_affine_layers_read_copy_nothing_and_give_the_same_bits()
    {
        // The same sum of two affine layers on two slices; retaining the slices makes them copies.
        var graph = new GraphBuilder();
        var x = graph.Input("x", 10).Affine(10).Tanh();
        graph.Output(x.Slice(0, 0, 4).Named("left").Affine(5) + x.Slice(0, 4, 6).Named("right").Affine(5));
        var network = graph.Build().CreateNetwork<float>(4);
        foreach (var rows in (int[])[1, 2, 7])
        {
            var inPlace = network.CreateWorkspace(rows, Gradients);
            var copied = network.CreateWorkspace(rows, Gradients with { Retain = Retain.Nodes("left", "right") });
            Assert.True(inPlace.Bytes < copied.Bytes);
            foreach (var workspace in (Workspace<float>[])[inPlace, copied])
            {
                Fill(workspace.Input());
                Fill(workspace.OutputGradient());
                network.Forward(workspace);
                network.Backward(workspace);
            }

            Bits.AssertEqual<float>(copied.Output(), inPlace.Output(), "output");
            Bits.AssertEqual<float>(copied.Gradients, inPlace.Gradients, "gradients");
            Bits.AssertEqual<float>(copied.GradientOf("x"), inPlace.GradientOf("x"), "input");
        }
    }

    [Fact]
    public void A_slice_of_a_bound_input_is_read_where_it_is()
    {
        var network = new GraphBuilder().Input("x", 8).Slice(0, 3, 4).Affine(3).Build<double>(1);
        var workspace = network.CreateWorkspace(3, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        double[] values = [.. Enumerable.Range(0, 24).Select(i => Math.Sin(i))];
        workspace.BindInput("x", values);
        network.Forward(workspace);
        var plain = new GraphBuilder().Input("x", 4).Affine(3).Build<double>(1);
        var expected = plain.CreateWorkspace(3, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        expected.SetInput("x", [.. values[3..7], .. values[11..15], .. values[19..23]]);
        plain.Forward(expected);
        Bits.AssertEqual<double>(expected.Output(), workspace.Output(), "slice");
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_with_both()
    {
        var x = new GraphBuilder().Input("x", 2, 3);
        Assert.Contains("[2, 3]", Assert.ThrowsAny<ArgumentException>(() => x.Reshape(4)).Message);
        Assert.Contains("[2, 3]", Assert.ThrowsAny<ArgumentException>(() => x.Reshape(4, -1)).Message);
        Assert.Contains("[2, 3]", Assert.ThrowsAny<ArgumentException>(() => x.Slice(1, 2, 2)).Message);
        Assert.Contains("[2, 3]", Assert.ThrowsAny<ArgumentException>(() => x.Slice(2, 0, 1)).Message);
        Assert.ThrowsAny<ArgumentException>(() => new Reshape(-1, -1));
        Assert.ThrowsAny<ArgumentException>(() => new Reshape(-2));
        Assert.Contains("[2, 3]", Assert.ThrowsAny<ArgumentException>(() => x.Reshape(0, 0, 0)).Message);
        Assert.Contains("[2, 3]", Assert.ThrowsAny<ArgumentException>(() => x.Squeeze(0)).Message);
        Assert.Contains("[2, 3]", Assert.ThrowsAny<ArgumentException>(() => x.Unsqueeze(-4)).Message);
        Assert.ThrowsAny<ArgumentException>(() => new Slice(0, -1, 1));
        Assert.ThrowsAny<ArgumentException>(() => new Slice(0, 0, 0));
        Assert.Equal(new Shape(2, 1, 3), x.Reshape(2, 1, -1).Type.Shape);
        Assert.Equal([new Shape(2, 1, 3), new Shape(2, 3), new Shape(6, 1)], [x.Reshape(0, 1, -1).Type.Shape, x.Reshape(0, 0).Type.Shape,
            x.Reshape(-1, 1).Type.Shape]);
        Assert.Equal(new Shape(2, 2), x.Slice(-1, 1, 2).Type.Shape);
    }

    private static void AssertSame(Network<double> network)
    {
        var plain = network.CreateWorkspace(3, Gradients);
        var retained = network.CreateWorkspace(3, Gradients with { Retain = Retain.All });
        var inference = network.CreateWorkspace(3, WorkspaceOptions.Inference);
        foreach (var workspace in (Workspace<double>[])[plain, retained, inference])
        {
            Fill(workspace.Input());
            network.Forward(workspace);
            if (workspace == inference)
                continue;
            Fill(workspace.OutputGradient());
            network.Backward(workspace);
        }

        Bits.AssertEqual<double>(retained.Output(), plain.Output(), "output");
        Bits.AssertEqual<double>(retained.Output(), inference.Output(), "inference");
        Bits.AssertEqual<double>(retained.Gradients, plain.Gradients, "gradients");
        Bits.AssertEqual<double>(retained.GradientOf("x"), plain.GradientOf("x"), "input gradient");
    }

    private static void Fill<T>(Span<T> values) where T : System.Numerics.INumberBase<T>
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = T.CreateTruncating(Math.Sin(1.7 * i + 0.3));
    }
}
