using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Samples;

/// <summary>f(x, W) = |W x|^2: the notebook's last example, where vectors and matrices flow along the edges.</summary>
internal static class VectorExample
{
    public static void Run(Report report)
    {
        report.Title("f = |W x|^2 at W = [[0.1, 0.5], [-0.3, 0.8]], x = [0.2, 0.4]");
        var graph = new GraphBuilder();
        var w = graph.Parameter("W", new Shape(2, 2));
        var x = graph.Input("x", 2);
        var q = Node.MatrixProduct(w, x).Named("q");
        var f = q.SquaredNorm().Named("f");
        var network = f.Build<double>();
        ((ReadOnlySpan<double>)[0.1, 0.5, -0.3, 0.8]).CopyTo(network.ParameterOf("W"));

        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, Retain = Retain.All });
        workspace.SetInput("x", [0.2, 0.4]);
        network.Forward(workspace);
        network.Backward(workspace);

        report.Header("");
        Row(report, "q = W x", [0.22, 0.26], workspace.ValueOf("q"));
        Row(report, "f = |q|^2", [0.116], workspace.ValueOf("f"));
        Row(report, "dq = 2 q", [0.44, 0.52], workspace.GradientOf("q"));
        Row(report, "dW = dq x^T", [0.088, 0.176, 0.104, 0.208], workspace.ParameterGradientOf("W"));
        Row(report, "dx = W^T dq", [-0.112, 0.636], workspace.GradientOf("x"));
        report.Picture("vector-example", workspace);
    }

    private static void Row(Report report, string name, ReadOnlySpan<double> notebook, ReadOnlySpan<double> here)
    {
        for (var i = 0; i < notebook.Length; i++)
            report.Equal(notebook.Length == 1 ? name : $"{name}  [{i}]", notebook[i], here[i]);
    }
}
