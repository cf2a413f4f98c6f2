using Backprop.Simd.Activations;
using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
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
        Assert.Equal([3.0, 4.0], workspace.ValueOf("x").ToArray());
    }

    [Fact]
    public void Gradients_are_applied_once()
    {
        var network = Line();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { KeepGradients = true });
        workspace.SetInput("x", [1, 1]);
        workspace.SetInput("targets", [5]);
        var sgd = new Sgd<double>(network.Parameters.Length, 0.1);
        network.Step(workspace, sgd);
        var before = network.Parameters.ToArray();
        var error = Assert.Throws<InvalidOperationException>(() => network.Update(workspace, sgd));
        Assert.Contains("already been applied", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, network.Parameters.ToArray());

        // What the step computed can still be read.
        Assert.Equal(1, workspace.Output().Length);
        Assert.True(workspace.ParameterGradientOf("affine1.bias")[0] != 0);
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

    [Fact]
    public void Backward_after_an_update_needs_a_new_forward()
    {
        var network = Line();
        var workspace = network.CreateWorkspace(1);
        workspace.SetInput("x", [1, 1]);
        network.Step(workspace, new Sgd<double>(network.Parameters.Length, 0.1));
        Assert.Throws<InvalidOperationException>(() => network.Backward(workspace));
        network.Forward(workspace);
        network.Backward(workspace);
    }

    [Fact]
    public void A_backward_that_throws_leaves_nothing_to_update_with()
    {
        var graph = new GraphBuilder();
        var failing = new FailsOnDemand();
        graph.Input("x", 2).Affine(2).Apply(failing).MeanSquaredError();
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1);
        network.Forward(workspace);
        network.Backward(workspace);
        failing.Fails = true;
        Assert.Throws<NotSupportedException>(() => network.Backward(workspace));
        Assert.Throws<InvalidOperationException>(() => network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1)));
        failing.Fails = false;
        network.Backward(workspace);
        network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1));
    }

    [Fact]
    public void Checks_leave_a_bound_input_bound()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 2).Tanh().Named("y"));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true });
        var memory = new double[] { 0.5, -0.5 };
        workspace.BindInput("x", memory);
        Assert.True(GradientCheck.Run(network, workspace).Passes());
        Jacobian.Numerical(network, workspace, "x", "y", new Matrix<double>(new double[4], 2, 2));
        memory[0] = 2;
        network.Forward(workspace);
        Assert.Equal(Math.Tanh(2), workspace.Output()[0], 1e-12);
        Assert.Equal([2, -0.5], memory);
    }

    [Fact]
    public void Reading_a_bound_input_that_is_too_short_names_it()
    {
        var workspace = Line().CreateWorkspace(3);
        workspace.Rows = 1;
        workspace.BindInput("x", new double[2]);
        workspace.Rows = 3;
        var error = Assert.Throws<ArgumentException>(() => workspace.ValueOf("x").Length);
        Assert.Contains("takes 6 elements", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backward_overwrites_the_gradients_that_no_loss_reaches()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        x.Affine(3).MeanSquaredError();
        graph.Output(x.Affine(2).Named("aside"));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1);
        workspace.Gradients.Fill(double.NaN);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.False(workspace.Gradients.ContainsAnyExceptInRange(double.MinValue, double.MaxValue));
        Assert.True(workspace.ParameterGradientOf("aside.weight").IndexOfAnyExcept(0.0) < 0);
    }

    [Fact]
    public void A_loss_must_be_one_number_for_the_batch()
    {
        var graph = new GraphBuilder();
        var rows = graph.Input("x", 1).Apply(new LossPerRow());
        var error = Assert.Throws<ArgumentException>(() => graph.Loss(rows));
        Assert.Contains("one number for the batch", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_names_of_further_outputs_are_free_or_nothing_is_built()
    {
        var graph = new GraphBuilder();
        graph.Input("pair1:1");
        var ports = graph.ApplyAll(new Pair(), graph.Input("x"));
        Assert.Equal(["pair2", "pair2:1"], ports.Select(p => p.Name));
        ports[0].Named("both");
        Assert.Equal(["both", "both:1"], ports.Select(p => p.Name));
        Assert.Throws<ArgumentException>(() => ports[0].Named("x"));
        Assert.Equal(["both", "both:1"], ports.Select(p => p.Name));
    }

    [Theory]
    [InlineData(1e300)]
    [InlineData(1e-300)]
    public void Constants_that_float_cannot_hold_are_refused(double constant)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LeakyRelu(constant));
        Assert.Throws<ArgumentException>(() => new SoftmaxCrossEntropy(classWeights: [1, constant]));
        var graph = new GraphBuilder();
        var loss = graph.Input("x", 1).Apply(new MeanSquaredError(), graph.Input("t", 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => graph.Loss(loss, constant));
        if (constant > 1)
            Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd<float>(4, constant));
    }

    [Fact]
    public void A_step_needs_a_loss_and_an_optimizer_of_the_right_size()
    {
        var network = GraphBuilder.Chain(2).Affine(1).Build<double>();
        var workspace = network.CreateWorkspace(1);
        var error = Assert.Throws<InvalidOperationException>(() => network.Step(workspace, new Sgd<double>(network.Parameters.Length, 0.1)));
        Assert.Contains("no loss", error.Message, StringComparison.Ordinal);

        var line = Line();
        var wrong = Assert.Throws<ArgumentException>(() => line.Step(line.CreateWorkspace(1), new Sgd<double>(3, 0.1)));
        Assert.Equal("optimizer", wrong.ParamName);
        Assert.Contains("is for 3 parameters", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_jacobian_leaves_no_gradients_to_update_with()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 2).Affine(2).Named("y"));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true });
        Jacobian.Analytic(network, workspace, "x", "y", new Matrix<double>(new double[4], 2, 2));
        Assert.Throws<InvalidOperationException>(() => network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1)));
    }

    [Fact]
    public void Only_outputs_are_outputs()
    {
        var workspace = Line().CreateWorkspace(1);
        var error = Assert.Throws<ArgumentException>(() => workspace.Output("x").Length);
        Assert.Contains("outputs are: affine1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_gradient_of_a_reciprocal_does_not_overflow_on_the_way()
    {
        var dx = new float[2];
        Backprop.Simd.Kernels.Elementwise.ReciprocalBackward<float>([1e-30f, 0], [1e20f, 1e20f], dx);
        Assert.Equal([-1e10f, 0f], dx);
    }

    [Fact]
    public void Retain_is_never_null() =>
        Assert.Throws<ArgumentNullException>(() => new WorkspaceOptions { Retain = null! });

    private sealed class FailsOnDemand : Layer
    {
        public bool Fails { get; set; }

        public override string Kind => "fails";

        public override void Declare(LayerDeclaration declaration) => declaration.AddOutput(declaration.Inputs[0]);

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context)
        {
            if (Fails)
                throw new NotSupportedException("on demand");
            context.OutputGradient().CopyTo(context.InputGradient(0).Span);
        }
    }

    private sealed class LossPerRow : Loss
    {
        public override string Kind => "perrow";

        public override void Declare(LayerDeclaration declaration) => declaration.AddOutput(Shape.Scalar);

        public override void Forward<T>(in ForwardContext<T> context) => context.Output().Clear();

        public override void Backward<T>(in BackwardContext<T> context)
        {
        }
    }

    private sealed class Pair : Layer
    {
        public override string Kind => "pair";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.AddOutput(declaration.Inputs[0]);
            declaration.AddOutput(declaration.Inputs[0]);
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            context.Input(0).CopyTo(context.Output(0));
            context.Input(0).CopyTo(context.Output(1));
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
        }
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
