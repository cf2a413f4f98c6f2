using Backprop.Simd.Networks;

namespace Backprop.Simd.Samples;

/// <summary>f = (x + y) z: an add gate and a multiply gate.</summary>
internal static class AddMultiply
{
    public static void Run(Report report)
    {
        report.Title("f = (x + y) z at x = -2, y = 5, z = -4");
        var graph = new GraphBuilder();
        var (x, y, z) = (graph.Input("x"), graph.Input("y"), graph.Input("z"));
        var q = (x + y).Named("q");
        var f = (q * z).Named("f");
        var network = f.Build<double>();

        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, Retain = Retain.All });
        workspace.SetInput("x", [-2]);
        workspace.SetInput("y", [5]);
        workspace.SetInput("z", [-4]);
        network.Forward(workspace);
        network.Backward(workspace);

        report.Header("");
        report.Equal("f", -12, workspace.ValueOf("f")[0]);
        report.Equal("dq", -4, workspace.GradientOf("q")[0]);
        report.Equal("dz", 3, workspace.GradientOf("z")[0]);
        report.Equal("dx", -4, workspace.GradientOf("x")[0]);
        report.Equal("dy", -4, workspace.GradientOf("y")[0]);
        report.Picture("add-multiply", workspace);
    }
}
