using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

public sealed class AffineTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 5, 2)]
    [InlineData(4, 17, 9)]
    [InlineData(33, 64, 31)]
    [InlineData(5, 1, 8)]
    public void It_follows_the_definition(int rows, int inputs, int outputs)
    {
        var network = GraphBuilder.Chain(inputs).Affine(outputs).Build<double>();
        Fill(network.Parameters, 1);
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        Fill(workspace.Input(), 2);
        Fill(workspace.OutputGradient(), 3);
        network.Forward(workspace);
        network.Backward(workspace);
        var (x, dy) = (workspace.Input().ToArray(), workspace.OutputGradient().ToArray());
        var (w, b) = (network.ParameterOf("affine1.weight").ToArray(), network.ParameterOf("affine1.bias").ToArray());
        var (dx, dw, db) = AffineReference.Backward(x, w, dy, rows, inputs, outputs);
        AssertClose(AffineReference.Forward(x, w, b, rows, inputs, outputs), workspace.Output());
        AssertClose(dx, workspace.GradientOf("x"));
        AssertClose(dw, workspace.ParameterGradientOf("affine1.weight"));
        AssertClose(db, workspace.ParameterGradientOf("affine1.bias"));
    }

    [Fact]
    public void Zero_inputs_give_the_bias()
    {
        var network = GraphBuilder.Chain(6).Affine(3).Build<float>();
        Fill(network.Parameters, 1);
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        network.Forward(workspace);
        var bias = network.ParameterOf("affine1.bias").ToArray();
        Assert.Equal([.. bias, .. bias], workspace.Output().ToArray());
    }

    [Fact]
    public void Without_bias_there_is_one_parameter()
    {
        var network = GraphBuilder.Chain(4).Affine(2, bias: false).Build<double>();
        Assert.Equal("affine1.weight", Assert.Single(network.Definition.Parameters.Entries).Name);
    }

    [Fact]
    public void Weights_are_in_out_and_biases_start_at_zero()
    {
        var network = GraphBuilder.Chain(4).Affine(3).Build<double>(seed: 5);
        Assert.Equal(new Shape(4, 3), network.Definition.Parameters["affine1.weight"].Shape);
        Assert.Equal(new Shape(3), network.Definition.Parameters["affine1.bias"].Shape);
        Assert.Equal([0.0, 0, 0], network.ParameterOf("affine1.bias").ToArray());
        Assert.DoesNotContain(0.0, network.ParameterOf("affine1.weight").ToArray());
    }

    [Fact]
    public void The_last_dimension_is_multiplied_and_the_others_stay()
    {
        var network = GraphBuilder.Chain(new Shape(6, 4)).Affine(5).Build<double>();
        Assert.Equal(new Shape(4, 5), network.Definition.Parameters["affine1.weight"].Shape);
        Assert.Equal(new Shape(6, 5), network.Definition.TypeOf("affine1").Shape);
        Assert.Equal(new Shape(5), GraphBuilder.Chain(Shape.Scalar).Affine(5).Type.Shape);
    }

    [Fact]
    public void The_gradient_by_the_input_is_computed_only_when_asked()
    {
        var network = GraphBuilder.Chain(4).Affine(3).Build<double>();
        var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Contains("InputGradients", Assert.Throws<InvalidOperationException>(() => { workspace.GradientOf("x"); }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_are_checked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Affine(0));
        var graph = new GraphBuilder();
        var (x, shared) = (graph.Input("x", 3), graph.SharedInput("s", 3));
        Assert.Contains("must be values", Assert.Throws<ArgumentException>(() => shared.Affine(2)).Message, StringComparison.Ordinal);
        Assert.Contains("takes 1 input(s); it got 2", Assert.Throws<ArgumentException>(() => x.Apply(new Affine(2), x)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => graph.IndexInput("labels").Affine(2));
    }

    [Fact]
    public void The_default_initializer_follows_the_next_layer()
    {
        // He draws normal values without bound, Xavier uniform ones inside its limit; both from the tensor's own stream.
        var next = new Dictionary<string, (Node Node, Initializer Expected)>
        {
            ["relu"] = (GraphBuilder.Chain(50).Affine(40).Relu(), Initialize.He),
            ["leaky"] = (GraphBuilder.Chain(50).Affine(40).LeakyRelu(), Initialize.He),
            ["sigmoid"] = (GraphBuilder.Chain(50).Affine(40).Sigmoid(), Initialize.Xavier),
            ["tanh"] = (GraphBuilder.Chain(50).Affine(40).Tanh(), Initialize.Xavier),
            ["nothing"] = (GraphBuilder.Chain(50).Affine(40), Initialize.Xavier),
            ["affine"] = (GraphBuilder.Chain(50).Affine(40).Affine(2), Initialize.Xavier),
            ["given"] = (GraphBuilder.Chain(50).Affine(40, Initialize.Constant(3)).Relu(), Initialize.Constant(3)),
        };
        foreach (var (name, (node, expected)) in next)
        {
            var values = new double[2000];
            var random = new Backprop.Simd.Kernels.Philox(7, 0);
            expected.Fill<double>(values, 50, 40, ref random);
            Bits.AssertEqual<double>(values, node.Build<double>(seed: 7).ParameterOf("affine1.weight"), name);
        }
    }

    private static void Fill(Span<double> values, ulong seed)
    {
        var random = new TestRandom(seed);
        foreach (ref var value in values)
            value = random.Signed<double>();
    }

    private static void Fill(Span<float> values, ulong seed)
    {
        var random = new TestRandom(seed);
        foreach (ref var value in values)
            value = random.Signed<float>();
    }

    private static void AssertClose(double[] expected, ReadOnlySpan<double> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-13);
    }
}
