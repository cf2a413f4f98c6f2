using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Notebook;

/// <summary>The scalar examples: every value and gradient that the notebook prints, to the last digit of a double.</summary>
public sealed class GateTests
{
    [Fact]
    public void Sum_times_z()
    {
        var workspace = NotebookGraphs.AddMultiply();

        Assert.Equal(3, workspace.ValueOf("q")[0]);
        Assert.Equal(-12, workspace.ValueOf("f")[0]);
        Assert.Equal(1, workspace.GradientOf("f")[0]);
        Assert.Equal(-4, workspace.GradientOf("q")[0]);
        Assert.Equal(3, workspace.GradientOf("z")[0]);
        Assert.Equal(-4, workspace.GradientOf("x")[0]);
        Assert.Equal(-4, workspace.GradientOf("y")[0]);
    }

    [Theory]
    [InlineData("p", -2)]
    [InlineData("q", 6)]
    [InlineData("r", 4)]
    [InlineData("s", 1)]
    [InlineData("t", -1)]
    [InlineData("u", 0.36787944117144233)]
    [InlineData("v", 1.3678794411714423)]
    [InlineData("L", 0.7310585786300049)]
    public void Sigmoid_neuron_forward(string name, double expected) =>
        AssertLastDigit(expected, NotebookGraphs.SigmoidOfGates().ValueOf(name)[0]);

    // The notebook hands dp and dq to each other's multiply layer; dw0, dx0, dw1 and dx1 are those of the chain rule here.
    [Theory]
    [InlineData("L", 1)]
    [InlineData("v", -0.534446645388523)]
    [InlineData("u", -0.534446645388523)]
    [InlineData("t", -0.19661193324148188)]
    [InlineData("s", 0.19661193324148188)]
    [InlineData("r", 0.19661193324148188)]
    [InlineData("p", 0.19661193324148188)]
    [InlineData("q", 0.19661193324148188)]
    [InlineData("w2", 0.19661193324148188)]
    [InlineData("w0", -0.19661193324148188)]
    [InlineData("x0", 0.39322386648296376)]
    [InlineData("w1", -0.39322386648296376)]
    [InlineData("x1", -0.5898357997244457)]
    public void Sigmoid_neuron_backward(string name, double expected) =>
        AssertLastDigit(expected, NotebookGraphs.SigmoidOfGates().GradientOf(name)[0]);

    [Fact]
    public void The_sigmoid_as_one_gate_gives_what_the_chain_of_gates_gives()
    {
        var (gates, gate) = (NotebookGraphs.SigmoidOfGates(), NotebookGraphs.SigmoidGate());

        Assert.Equal(gates.ValueOf("L")[0], gate.ValueOf("L")[0], 1e-15);
        foreach (var name in (string[])["s", "w0", "x0", "w1", "x1", "w2"])
            Assert.Equal(gates.GradientOf(name)[0], gate.GradientOf(name)[0], 1e-15);
    }

    [Fact]
    public void Add_distributes_multiply_swaps_and_max_routes_the_gradient()
    {
        Assert.Equal((2, 2), NotebookGraphs.Gate(Node.Add, 3, 4, 2));
        Assert.Equal((8, 6), NotebookGraphs.Gate(Node.Multiply, 3, 4, 2));
        Assert.Equal((0, 2), NotebookGraphs.Gate(Node.Maximum, 3, 4, 2));
        Assert.Equal((2, 0), NotebookGraphs.Gate(Node.Maximum, 4, 3, 2));
    }

    private static void AssertLastDigit(double expected, double actual) =>
        Assert.True(Math.Abs(actual - expected) <= 1e-15 * Math.Abs(expected), $"{actual:R} is not {expected:R}.");
}
