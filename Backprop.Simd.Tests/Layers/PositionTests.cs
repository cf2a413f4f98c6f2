using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Layers that know positions.</summary>
public sealed class PositionTests
{
    private const int Steps = 5, Size = 36, Rows = 3;

    private static readonly int[] First = [2, 0, 9];

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true), InlineData(true, true)]
    public void Rotary_positions_follow_the_definition(bool interleaved, bool hasFirst)
    {
        var (x, dy, y, dx, _) = Run(new RotaryPositions(2, 30, interleaved), hasFirst);
        PositionReference.Turn(x, Size, Steps, Size / 2, 30, interleaved, true, hasFirst ? First : null);
        PositionReference.Turn(dy, Size, Steps, Size / 2, 30, interleaved, false, hasFirst ? First : null);
        RecurrentTests.AssertClose(x, y, "y");
        RecurrentTests.AssertClose(dy, dx, "dx");
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Sinusoidal_positions_follow_the_definition(bool hasFirst)
    {
        var (x, dy, y, dx, _) = Run(new SinusoidalPositions(500), hasFirst);
        for (var i = 0; i < x.Length; i++)
            x[i] += PositionReference.Sinusoid(i / Size % Steps + (hasFirst ? First[i / Size / Steps] : 0), i % Size, Size, 500);
        RecurrentTests.AssertClose(x, y, "y");
        Assert.Equal(dy, dx);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Learned_positions_follow_the_definition(bool hasFirst)
    {
        var (x, dy, y, dx, network) = Run(new LearnedPositions(14), hasFirst);
        var table = network.Network.ParameterOf("learnedpositions1.positions");
        var gradient = new double[14 * Size];
        for (var i = 0; i < x.Length; i++)
        {
            var at = (i / Size % Steps + (hasFirst ? First[i / Size / Steps] : 0)) * Size + i % Size;
            x[i] += table[at];
            gradient[at] += dy[i];
        }

        RecurrentTests.AssertClose(x, y, "y");
        Assert.Equal(dy, dx);
        RecurrentTests.AssertClose(gradient, network.Workspace.ParameterGradientOf("learnedpositions1.positions"), "positions");
    }

    [Fact]
    public void A_turn_depends_on_the_distance_alone()
    {
        // The product of two turned rows is the same wherever they begin.
        var graph = new GraphBuilder();
        Node x = graph.Input("x", 7, 8), first = graph.IndexInput("first");
        graph.Output(x.RotaryPositions(2, first));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        var random = new TestRandom(1);
        for (var i = 0; i < 56; i++)
            workspace.Input()[i] = workspace.Input()[56 + i] = random.Signed<double>();
        workspace.SetIndexInput("first", [0, 1000]);
        network.Forward(workspace);
        var y = workspace.Output();
        double Product(int row) => Enumerable.Range(0, 8).Sum(i => workspace.Output()[row * 56 + 8 + i] * workspace.Output()[row * 56 + 40 + i]);
        Assert.NotEqual(y[8], y[64]);
        Assert.Equal(Product(0), Product(1), 1e-10);
    }

    [Fact]
    public void Wrong_settings_and_inputs_are_named()
    {
        Assert.Equal("heads", Assert.Throws<ArgumentOutOfRangeException>(() => new RotaryPositions(0)).ParamName);
        foreach (var root in (double[])[0, -1, double.NaN, double.PositiveInfinity])
        {
            Assert.Equal("root", Assert.Throws<ArgumentOutOfRangeException>(() => new RotaryPositions(root: root)).ParamName);
            Assert.Equal("root", Assert.Throws<ArgumentOutOfRangeException>(() => new SinusoidalPositions(root)).ParamName);
        }

        Assert.Equal("length", Assert.Throws<ArgumentOutOfRangeException>(() => new LearnedPositions(0)).ParamName);
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4, 6);
        Refuses("2 heads and 6 columns", () => x.RotaryPositions(2));
        Refuses("at most 3 positions; it is [4, 6]", () => x.LearnedPositions(3));
        Refuses("a sequence [T, D]", () => graph.Input("flat", 6).SinusoidalPositions());
        Refuses("it got 3 input(s)", () => x.Apply(new SinusoidalPositions(), x, x));
        Refuses("must be indices", () => x.Apply(new SinusoidalPositions(), x));
        Refuses("2 heads and 6 columns", () => x.SelfAttention(2, rotary: new RotaryPositions()));

        static void Refuses(string what, Func<Node> make) =>
            Assert.Contains(what, Assert.Throws<ArgumentException>(() => { make(); }).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("learned", 2, 10), InlineData("learned", -1, 9), InlineData("rotary", -1, 2147483642), InlineData("sinusoidal", -5, 2147483642)]
    public void A_first_position_outside_its_range_throws(string kind, int wrong, int most)
    {
        var graph = new GraphBuilder();
        Node x = graph.Input("x", Steps, 4), first = graph.IndexInput("first");
        wrong = kind == "learned" && wrong > 0 ? most : wrong;
        graph.Output(kind switch
        {
            "learned" => x.LearnedPositions(14, first),
            "rotary" => x.RotaryPositions(1, first),
            _ => x.SinusoidalPositions(first),
        });
        var network = graph.Build().CreateNetwork<float>();
        var workspace = network.CreateWorkspace(2);
        workspace.SetIndexInput("first", [0, wrong]);
        var error = Assert.Throws<ArgumentException>(() => { network.Forward(workspace); });
        Assert.Contains($"row 1 has {wrong}", error.Message, StringComparison.Ordinal);
        Assert.Equal("first", error.ParamName);
    }

    private static (double[] X, double[] Dy, double[] Y, double[] Dx, (Network<double> Network, Workspace<double> Workspace)) Run(Layer layer, bool hasFirst)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Steps, Size);
        graph.Output(hasFirst ? x.Apply(layer, graph.IndexInput("first")) : x.Apply(layer));
        var network = graph.Build().CreateNetwork<double>(seed: 3);
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true });
        var random = new TestRandom(5);
        foreach (ref var value in workspace.Input("x"))
            value = random.Signed<double>();
        foreach (ref var value in workspace.OutputGradient())
            value = random.Signed<double>();
        if (hasFirst)
            workspace.SetIndexInput("first", First);
        network.Forward(workspace);
        network.Backward(workspace);
        return (workspace.Input("x").ToArray(), workspace.OutputGradient().ToArray(), workspace.Output().ToArray(), workspace.GradientOf("x").ToArray(),
            (network, workspace));
    }
}
