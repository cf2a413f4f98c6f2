using Backprop.Simd.Gradients;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Gradients;

public sealed class JacobianTests
{
    private static readonly WorkspaceOptions WithInputs = new() { InputGradients = true };

    [Fact]
    public void Analytic_and_numerical_agree()
    {
        var (network, workspace) = Make(GraphBuilder.Chain(5).Affine(4).Tanh().Affine(3));
        var (analytic, numerical) = (new double[15], new double[15]);
        Jacobian.Analytic(network, workspace, "x", "affine2", new Matrix<double>(analytic, 3, 5));
        Jacobian.Numerical(network, workspace, "x", "affine2", new Matrix<double>(numerical, 3, 5));
        for (var i = 0; i < 15; i++)
            Assert.Equal(numerical[i], analytic[i], 1e-9);
        Assert.DoesNotContain(0.0, analytic);
    }

    [Fact]
    public void That_of_an_affine_layer_is_its_weights_transposed()
    {
        var (network, workspace) = Make(GraphBuilder.Chain(2).Affine(3));
        var analytic = new double[6];
        Jacobian.Analytic(network, workspace, "x", "affine1", new Matrix<double>(analytic, 3, 2));
        var w = network.ParameterOf("affine1.weight");
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 2; j++)
                Assert.Equal(w[j * 3 + i], analytic[i * 2 + j]);
        }
    }

    [Fact]
    public void That_of_an_elementwise_maximum_with_zero_is_diagonal()
    {
        const int n = 300;
        var (network, workspace) = Make(GraphBuilder.Chain(n).Relu());
        foreach (ref var x in workspace.Input())
            x += x >= 0 ? 0.1 : -0.1;
        var (analytic, numerical) = (new double[n * n], new double[n * n]);
        var output = network.Definition.OutputNames.Single();
        Jacobian.Analytic(network, workspace, "x", output, new Matrix<double>(analytic, n, n));
        Jacobian.Numerical(network, workspace, "x", output, new Matrix<double>(numerical, n, n));
        for (var i = 0; i < n * n; i++)
        {
            var expected = i / n == i % n && workspace.Input()[i / n] > 0 ? 1 : 0;
            Assert.Equal(expected, analytic[i]);
            Assert.Equal(expected, numerical[i], 1e-10);
        }
    }

    [Fact]
    public void A_destination_inside_a_larger_matrix_keeps_its_surroundings()
    {
        var (network, workspace) = Make(GraphBuilder.Chain(2).Affine(3));
        var (analytic, numerical) = (Enumerable.Repeat(9.0, 15).ToArray(), Enumerable.Repeat(9.0, 15).ToArray());
        Jacobian.Analytic(network, workspace, "x", "affine1", new Matrix<double>(analytic, 3, 2, 5));
        Jacobian.Numerical(network, workspace, "x", "affine1", new Matrix<double>(numerical, 3, 2, 5));
        for (var i = 0; i < 15; i++)
            Assert.Equal(i % 5 >= 2, analytic[i] == 9 && numerical[i] == 9);
    }

    [Fact]
    public void Only_the_named_output_takes_part_and_seeds_and_inputs_are_put_back()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        graph.Output((x * x).Named("square"));
        graph.Output(x.Exponential().Named("exp"));
        var (network, workspace) = Make(graph.Build().CreateNetwork<double>());
        workspace.OutputGradient("square").Fill(4);
        workspace.SetInput("x", [3, 5]);
        var jacobian = new double[4];
        Jacobian.Analytic(network, workspace, "x", "square", new Matrix<double>(jacobian, 2, 2));
        Assert.Equal([6.0, 0, 0, 10], jacobian);
        Assert.Equal([4.0, 4], workspace.OutputGradient("square").ToArray());
        Assert.Equal([1.0, 1], workspace.OutputGradient("exp").ToArray());
        Jacobian.Numerical(network, workspace, "x", "square", new Matrix<double>(jacobian, 2, 2));
        Assert.Equal([3.0, 5], workspace.Input("x").ToArray());
    }

    [Fact]
    public void Arguments_are_checked()
    {
        var (network, workspace) = Make(GraphBuilder.Chain(2).Affine(3));
        var buffer = new double[9];
        Assert.Contains("[3, 2]", Assert.Throws<ArgumentException>(() =>
            Jacobian.Analytic(network, workspace, "x", "affine1", new Matrix<double>(buffer, 2, 3))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Jacobian.Numerical(network, workspace, "x", "affine1", new Matrix<double>(buffer, 3, 3)));
        Assert.Throws<ArgumentException>(() => Jacobian.Analytic(network, workspace, "y", "affine1", new Matrix<double>(buffer, 3, 2)));
        Assert.Throws<ArgumentException>(() => Jacobian.Analytic(network, workspace, "x", "affine1", new Matrix<double>(buffer, 2, 3).Transposed));
        Assert.Throws<ArgumentOutOfRangeException>(() => Jacobian.Numerical(network, workspace, "x", "affine1", new Matrix<double>(buffer, 3, 2), 0));
        var rows = network.CreateWorkspace(2, WithInputs, ComputeContext.SingleThreaded);
        Assert.Contains("one row", Assert.Throws<ArgumentException>(() =>
            Jacobian.Analytic(network, rows, "x", "affine1", new Matrix<double>(buffer, 3, 2))).Message, StringComparison.Ordinal);
        var without = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        Assert.Throws<InvalidOperationException>(() => Jacobian.Analytic(network, without, "x", "affine1", new Matrix<double>(buffer, 3, 2)));
    }

    [Fact]
    public void A_network_with_a_loss_is_refused()
    {
        var graph = GraphBuilder.Chain(2).Affine(3).MeanSquaredError().Graph;
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, OutputGradients = true }, ComputeContext.SingleThreaded);
        Assert.Throws<ArgumentException>(() => Jacobian.Analytic(network, workspace, "x", "affine1", new Matrix<double>(new double[6], 3, 2)));
    }

    private static (Network<double> Network, Workspace<double> Workspace) Make(Node node) => Make(node.Build<double>(seed: 1));

    private static (Network<double> Network, Workspace<double> Workspace) Make(Network<double> network)
    {
        var workspace = network.CreateWorkspace(1, WithInputs, ComputeContext.SingleThreaded);
        var random = new TestRandom(2);
        foreach (ref var value in workspace.Input("x"))
            value = random.Signed<double>();
        return (network, workspace);
    }
}
