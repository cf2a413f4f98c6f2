using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>The conventions of activations, seen through the layer: forward, backward, in place and not.</summary>
public sealed class ActivationLayerTests
{
    private static readonly double[] Points = [double.NaN, -0.0, 0, -1, 2, double.NegativeInfinity, double.PositiveInfinity];

    [Theory, InlineData(false), InlineData(true)]
    public void Relu_passes_what_is_positive_or_NaN(bool inPlace)
    {
        var (y, dx) = Run(new Relu(), inPlace);
        Assert.Equal([double.NaN, 0, 0, 0, 2, 0, double.PositiveInfinity], y);
        Assert.False(double.IsNegative(y[1]));
        Assert.Equal([1.0, 0, 0, 0, 1, 0, 1], dx);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Leaky_relu_has_its_slope_at_zero(bool inPlace)
    {
        var (y, dx) = Run(new LeakyRelu(0.5), inPlace);
        Assert.Equal([double.NaN, 0, 0, -0.5, 2, double.NegativeInfinity, double.PositiveInfinity], y);
        Assert.Equal([1.0, 0.5, 0.5, 0.5, 1, 0.5, 1], dx);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Sigmoid_and_tanh_saturate_and_pass_NaN(bool inPlace)
    {
        var (y, dx) = Run(new Sigmoid(), inPlace);
        Assert.Equal([double.NaN, 0.5, 0.5], y[..3]);
        Assert.Equal([0.0, 1.0], y[5..]);
        Assert.Equal([0.25, 0.25], dx[1..3]);
        Assert.Equal([0.0, 0.0], dx[5..]);
        Assert.True(double.IsNaN(dx[0]));
        (y, dx) = Run(new Tanh(), inPlace);
        Assert.Equal([double.NaN, 0, 0], y[..3]);
        Assert.Equal([-1.0, 1.0], y[5..]);
        Assert.Equal([1.0, 1.0], dx[1..3]);
        Assert.Equal([0.0, 0.0], dx[5..]);
    }

    [Fact]
    public void A_layer_takes_name_and_initializer_from_its_function()
    {
        Layer layer = new Activation<LeakyRelu>(new LeakyRelu(0.25));
        Assert.Equal("leakyrelu", layer.Kind);
        Assert.Same(Initialize.He, layer.PreferredInitializer);
        Assert.Null(new Activation<Sigmoid>(default).PreferredInitializer);
        Assert.Equal(0.25, ((Activation<LeakyRelu>)layer).Function.NegativeSlope);
    }

    [Fact]
    public void A_function_that_reads_its_input_backward_is_not_run_in_place()
    {
        Assert.Equal(LayerTraits.ReadsOutput | LayerTraits.InPlace, TraitsOf(new LeakyRelu(0.25)));
        Assert.Equal(LayerTraits.ReadsInput | LayerTraits.ReadsOutput, TraitsOf(new LeakyRelu(-0.25)));
    }

    private static LayerTraits TraitsOf(LeakyRelu function)
    {
        var layer = new Activation<LeakyRelu>(function);
        var declaration = new LayerDeclaration(layer.Kind, [new EdgeType(EdgeKind.Values, new Shape(3))]);
        layer.Declare(declaration);
        return declaration.Traits;
    }

    /// <summary>x goes through a gate that leaves its bits alone, so that the activation may overwrite what the gate computed.</summary>
    private static (double[] Y, double[] Dx) Run<TFunction>(TFunction function, bool inPlace) where TFunction : struct, IActivation
    {
        var node = GraphBuilder.Chain(Points.Length).Apply(new Backprop.Simd.Layers.Gates.Scale(1)).Activation(function);
        var network = node.Build<double>();
        var workspace = network.CreateWorkspace(1,
            new WorkspaceOptions { InputGradients = true, Retain = inPlace ? Retain.None : Retain.All }, ComputeContext.SingleThreaded);
        workspace.SetInput("x", Points);
        network.Forward(workspace);
        network.Backward(workspace);
        return (workspace.Output().ToArray(), workspace.GradientOf("x").ToArray());
    }
}
