using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Notebook;

/// <summary>The notebook's scalar and vector examples after a forward and a backward pass.</summary>
internal static class NotebookGraphs
{
    public static readonly WorkspaceOptions Everything = new() { InputGradients = true, Retain = Retain.All };

    /// <summary>f = (x + y) z.</summary>
    public static Workspace<double> AddMultiply()
    {
        var graph = new GraphBuilder();
        var (x, y, z) = (graph.Input("x"), graph.Input("y"), graph.Input("z"));
        var q = (x + y).Named("q");
        var f = (q * z).Named("f");
        return Run(f.Build<double>(), ("x", -2), ("y", 5), ("z", -4));
    }

    /// <summary>L = 1 / (1 + e^-s), s = w0 x0 + w1 x1 + w2, from single gates.</summary>
    public static Workspace<double> SigmoidOfGates() => SigmoidNeuron(s =>
        (1 / ((s * -1).Named("t").Exponential().Named("u") + 1).Named("v")).Named("L"));

    /// <summary>The same with the sigmoid as one gate.</summary>
    public static Workspace<double> SigmoidGate() => SigmoidNeuron(s => s.Sigmoid().Named("L"));

    /// <summary>f = |W x|^2.</summary>
    public static Workspace<double> SquaredNormOfProduct()
    {
        var graph = new GraphBuilder();
        var q = Node.MatrixProduct(graph.Parameter("W", new Shape(2, 2)), graph.Input("x", 2)).Named("q");
        var network = q.SquaredNorm().Named("f").Build<double>();
        double[] w = [0.1, 0.5, -0.3, 0.8];
        w.CopyTo(network.ParameterOf("W"));
        var workspace = network.CreateWorkspace(1, Everything);
        workspace.SetInput("x", [0.2, 0.4]);
        network.Forward(workspace);
        network.Backward(workspace);
        return workspace;
    }

    /// <summary>One gate of two scalars that a gradient reaches.</summary>
    public static (double Dx, double Dy) Gate(Func<Node, Node, Node> gate, double x, double y, double upstream)
    {
        var graph = new GraphBuilder();
        var network = gate(graph.Input("x"), graph.Input("y")).Build<double>();
        var workspace = network.CreateWorkspace(1, Everything);
        workspace.SetInput("x", [x]);
        workspace.SetInput("y", [y]);
        workspace.OutputGradient()[0] = upstream;
        network.Forward(workspace);
        network.Backward(workspace);
        return (workspace.GradientOf("x")[0], workspace.GradientOf("y")[0]);
    }

    private static Workspace<double> SigmoidNeuron(Func<Node, Node> sigmoid)
    {
        var graph = new GraphBuilder();
        var p = (graph.Input("w0") * graph.Input("x0")).Named("p");
        var q = (graph.Input("w1") * graph.Input("x1")).Named("q");
        var r = (p + q).Named("r");
        var s = (r + graph.Input("w2")).Named("s");
        return Run(sigmoid(s).Build<double>(), ("w0", 2), ("x0", -1), ("w1", -3), ("x1", -2), ("w2", -3));
    }

    private static Workspace<double> Run(Network<double> network, params ReadOnlySpan<(string Name, double Value)> inputs)
    {
        var workspace = network.CreateWorkspace(1, Everything);
        foreach (var (name, value) in inputs)
            workspace.SetInput(name, [value]);
        network.Forward(workspace);
        network.Backward(workspace);
        return workspace;
    }
}
