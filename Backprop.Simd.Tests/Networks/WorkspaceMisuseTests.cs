using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

public sealed class WorkspaceMisuseTests
{
    private static Network<double> Line() => GraphBuilder.Chain(2).Affine(1).MeanSquaredError().Build<double>();

    [Fact]
    public void An_input_of_the_wrong_length_leaves_the_binding()
    {
        var network = Line();
        var workspace = network.CreateWorkspace(1);
        workspace.BindInput("x", new double[] { 3, 4 });
        Assert.Throws<ArgumentException>(() => workspace.SetInput("x", new double[3]));
        network.Forward(workspace);
        Assert.Equal([3.0, 4.0], workspace.Value("x").ToArray());
    }

    [Fact]
    public void Gradients_are_applied_once()
    {
        var network = Line();
        var workspace = network.CreateWorkspace(1);
        workspace.SetInput("x", [1, 1]);
        workspace.SetInput("targets", [5]);
        var sgd = new Sgd<double>(network.Parameters.Length, 0.1);
        network.Step(workspace, sgd);
        var before = network.Parameters.ToArray();
        var error = Assert.Throws<InvalidOperationException>(() => network.Update(workspace, sgd));
        Assert.Contains("applied already", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, network.Parameters.ToArray());

        // What the step computed can still be read.
        Assert.Equal(1, workspace.Output().Length);
        Assert.True(workspace.ParameterGradient("affine1.bias")[0] != 0);
    }

    [Fact]
    public void A_loss_that_is_an_output_has_no_gradient_of_the_callers()
    {
        var graph = new GraphBuilder();
        var loss = graph.Input("x", 1).Affine(1).MeanSquaredError();
        graph.Output(loss.Named("loss"));
        var workspace = graph.Build().CreateNetwork<double>().CreateWorkspace(1, new WorkspaceOptions { OutputGradients = true });
        var error = Assert.Throws<InvalidOperationException>(() => workspace.OutputGradient("loss").Length);
        Assert.Contains("is a loss", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_rows_name_rows_and_what_would_not_fit()
    {
        var network = GraphBuilder.Chain(1 << 20).Affine(1).MeanSquaredError().Build<float>();
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => network.CreateWorkspace(1 << 12));
        Assert.Equal("rows", error.ParamName);
        Assert.Contains("'x'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_large_a_cache_names_rows_and_the_node()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 1).Apply(new HugeCache()).Named("huge"));
        var network = graph.Build().CreateNetwork<float>();
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => network.CreateWorkspace(1 << 12));
        Assert.Equal("rows", error.ParamName);
        Assert.Contains("'huge'", error.Message, StringComparison.Ordinal);
    }

    private sealed class HugeCache : Layer
    {
        public override string Kind => "hugecache";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.UseCache(perRow: 1 << 20);
            declaration.AddOutput(declaration.Inputs[0]);
        }

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context)
        {
        }
    }
}
