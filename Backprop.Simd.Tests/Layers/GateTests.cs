using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>The gates at chosen points: the roles of the notebook, ties, NaN, operators, errors.</summary>
public sealed class GateTests
{
    [Fact]
    public void Add_distributes_multiply_swaps_maximum_routes()
    {
        Assert.Equal((8.0, 1.0, 1.0), Binary((x, y) => x + y, 3, 5));
        Assert.Equal((15.0, 5.0, 3.0), Binary((x, y) => x * y, 3, 5));
        Assert.Equal((5.0, 0.0, 1.0), Binary(Node.Maximum, 3, 5));
        Assert.Equal((5.0, 1.0, 0.0), Binary(Node.Maximum, 5, 3));
    }

    [Fact]
    public void Of_two_equal_inputs_each_gets_half_of_the_gradient()
    {
        Assert.Equal((4.0, 0.5, 0.5), Binary(Node.Maximum, 4, 4));
        Assert.Equal((4.0, 0.5, 0.5), Binary(Node.Minimum, 4, 4));
        Assert.Equal((0.5, 0.5), Binary(Node.Maximum, -0.0, 0.0) is var (_, dx, dy) ? (dx, dy) : default);
        Assert.Equal((double.NegativeInfinity, 0.5, 0.5), Binary(Node.Maximum, double.NegativeInfinity, double.NegativeInfinity));
    }

    [Fact]
    public void A_NaN_is_the_maximum_and_the_minimum_and_both_get_the_gradient()
    {
        foreach (var gate in (Func<Node, Node, Node>[])[Node.Maximum, Node.Minimum])
        {
            Assert.Equal((double.NaN, 1.0, 1.0), Binary(gate, double.NaN, 4));
            Assert.Equal((double.NaN, 1.0, 1.0), Binary(gate, 4, double.NaN));
            Assert.Equal((double.NaN, 1.0, 1.0), Binary(gate, double.NaN, double.NaN));
        }
    }

    [Fact]
    public void The_gradient_of_the_loser_is_0_even_where_the_gradient_is_not_finite()
    {
        double[] dz = [double.NaN, double.PositiveInfinity], dx = new double[2];
        Backprop.Simd.Kernels.Broadcasting.LeftGradient(default(Maximum), dz, new([1.0, 1], 2), new([2.0, 2], 2), dx, []);
        Assert.Equal([0, 0], dx);
        Backprop.Simd.Kernels.Broadcasting.RightGradient(default(Minimum), dz, new([1.0, 1], 2), new([2.0, 2], 2), dx, []);
        Assert.Equal([0, 0], dx);
    }

    [Fact]
    public void Operators_compute_what_they_say()
    {
        Assert.Equal((-2.0, 1.0, -1.0), Binary((x, y) => x - y, 3, 5));
        Assert.Equal((0.75, 0.25, -0.1875), Binary((x, y) => x / y, 3, 4));
        Assert.Equal((10.0, 1.0, 0.0), Binary((x, y) => x + 7, 3, 5));
        Assert.Equal((10.0, 1.0, 0.0), Binary((x, y) => 7 + x, 3, 5));
        Assert.Equal((-4.0, 1.0, 0.0), Binary((x, y) => x - 7, 3, 5));
        Assert.Equal((4.0, -1.0, 0.0), Binary((x, y) => 7 - x, 3, 5));
        Assert.Equal((6.0, 2.0, 0.0), Binary((x, y) => x * 2, 3, 5));
        Assert.Equal((6.0, 2.0, 0.0), Binary((x, y) => 2 * x, 3, 5));
        Assert.Equal((2.0, -0.5, 0.0), Binary((x, y) => 8 / x, 4, 5));
        Assert.Equal((0.25, -0.0625, 0.0), Binary((x, y) => 1 / x, 4, 5));
        Assert.Equal((-3.0, -1.0, 0.0), Binary((x, y) => -x, 3, 5));
        Assert.Equal((9.0, 6.0, 0.0), Binary((x, y) => x.SquaredNorm(), 3, 5));
        Assert.Equal((1.0, 1.0, 0.0), Binary((x, y) => x.Exponential(), 0, 5));
        Assert.Equal(Binary((x, y) => x + y, 3, 5), Binary(Node.Add, 3, 5));
        Assert.Equal(Binary((x, y) => x - y, 3, 5), Binary(Node.Subtract, 3, 5));
        Assert.Equal(Binary((x, y) => x * y, 3, 5), Binary(Node.Multiply, 3, 5));
        Assert.Equal(Binary((x, y) => x / y, 3, 5), Binary(Node.Divide, 3, 5));
        Assert.Equal(Binary((x, y) => -x, 3, 5), Binary((x, y) => Node.Negate(x), 3, 5));
    }

    [Fact]
    public void One_node_used_twice_by_a_gate_sums_both_gradients()
    {
        Assert.Equal((9.0, 6.0, 0.0), Binary((x, y) => x * x, 3, 5));
        Assert.Equal((6.0, 2.0, 0.0), Binary((x, y) => x + x, 3, 5));
        Assert.Equal((3.0, 1.0, 0.0), Binary((x, y) => Node.Maximum(x, x), 3, 5));
    }

    [Fact]
    public void The_matrix_product_of_a_square_matrix_with_itself()
    {
        var graph = new GraphBuilder();
        var a = graph.Input("a", 2, 2);
        graph.Output(Node.MatrixProduct(a, a));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        workspace.SetInput("a", [1, 2, 3, 4, 0, 1, 1, 0]);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal([7, 10, 15, 22, 1, 0, 0, 1], workspace.Output().ToArray());

        // dA = 1 A^T + A^T 1 with ones for the gradient.
        Assert.Equal([3 + 4, 7 + 4, 3 + 6, 7 + 6, 2, 2, 2, 2], workspace.GradientOf("a").ToArray());
    }

    [Fact]
    public void A_shared_side_of_a_product_sums_over_the_rows()
    {
        var graph = new GraphBuilder();
        graph.Output(Node.MatrixProduct(graph.SharedInput("w", 1, 2), graph.Input("x", 2)));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(3, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        workspace.SetInput("w", [10, 100]);
        workspace.SetInput("x", [1, 2, 3, 4, 5, 6]);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal([210.0, 430, 650], workspace.Output().ToArray());
        Assert.Equal([9.0, 12], workspace.GradientOf("w").ToArray());
        Assert.Equal([10.0, 100, 10, 100, 10, 100], workspace.GradientOf("x").ToArray());
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_and_named()
    {
        var graph = new GraphBuilder();
        var (a, b, labels) = (graph.Input("a", 3), graph.Input("b", 4), graph.IndexInput("labels", 3));
        var message = Assert.Throws<ArgumentException>(() => a + b).Message;
        Assert.Contains("values [3]", message, StringComparison.Ordinal);
        Assert.Contains("values [4]", message, StringComparison.Ordinal);
        Assert.Contains("sizes must be equal or 1", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => graph.Input("m", 2, 3) * graph.Input("n", 2));
        Assert.Contains("must be numbers", Assert.Throws<ArgumentException>(() => labels.Exponential()).Message, StringComparison.Ordinal);
        Assert.Contains("must be numbers", Assert.Throws<ArgumentException>(() => labels + labels).Message, StringComparison.Ordinal);
        Assert.Contains("values [3]", Assert.Throws<ArgumentException>(() => Node.MatrixProduct(a, b)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Node.MatrixProduct(graph.Input("scalar"), a));
        Assert.Throws<ArgumentException>(() => Node.MatrixProduct(graph.Input("cube", 2, 3, 4), a));
        Assert.Throws<ArgumentException>(() => a.Apply(new BinaryGate<Multiply>()));
    }

    [Fact]
    public void Constants_and_symbols_can_be_read()
    {
        Assert.Equal(-1.5, new Scale(-1.5).Factor);
        Assert.Equal(2.5, new Shift(2.5).Offset);
        string[] symbols = [.. ((Layer[])[new Scale(-1.5), new Shift(2.5), new BinaryGate<Add>(), new BinaryGate<Multiply>(), new BinaryGate<Maximum>(),
            new Negate(), new Reciprocal(), new Exponential(), new SquaredNorm(), new MatrixProduct()]).Select(l => l.Symbol)];
        Assert.Equal(symbols.Length, symbols.Distinct().Count());
        Assert.Contains("*-1.5", symbols);
    }

    [Fact]
    public void Every_kind_is_in_lower_case()
    {
        foreach (var sample in Gradients.LayerSamples.All)
            Assert.Equal(sample.Layer.Kind.ToLowerInvariant(), sample.Layer.Kind);
    }

    private static (double Value, double Dx, double Dy) Binary(Func<Node, Node, Node> gate, double x, double y)
    {
        var graph = new GraphBuilder();
        var (left, right) = (graph.Input("x"), graph.Input("y"));
        graph.Output(gate(left, right));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        workspace.SetInput("x", [x]);
        workspace.SetInput("y", [y]);
        network.Forward(workspace);
        network.Backward(workspace);
        return (workspace.Output()[0], workspace.GradientOf("x")[0], workspace.GradientOf("y")[0]);
    }
}
