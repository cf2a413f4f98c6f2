using Backprop.Simd.Networks;

namespace Backprop.Simd.Samples;

/// <summary>What a gate does with the gradient that reaches it: add distributes, multiply swaps, max routes.</summary>
internal static class GateRoles
{
    private const double X = 3;
    private const double Y = 4;
    private const double Upstream = 2;

    public static void Run(Report report)
    {
        report.Title($"Roles of the gates at x = {X}, y = {Y}, where the gradient {Upstream} arrives");
        report.Header("dx, dy", "by the rule");
        report.Same("add distributes", Pair(Upstream, Upstream), Gradients(Node.Add));
        report.Same("multiply swaps", Pair(Upstream * Y, Upstream * X), Gradients(Node.Multiply));
        report.Same("max routes", Pair(0, Upstream), Gradients(Node.Maximum));
    }

    private static string Gradients(Func<Node, Node, Node> gate)
    {
        var graph = new GraphBuilder();
        var network = gate(graph.Input("x"), graph.Input("y")).Build<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true });
        workspace.SetInput("x", [X]);
        workspace.SetInput("y", [Y]);
        workspace.OutputGradient()[0] = Upstream;
        network.Forward(workspace);
        network.Backward(workspace);
        return Pair(workspace.GradientOf("x")[0], workspace.GradientOf("y")[0]);
    }

    private static string Pair(double dx, double dy) => $"{dx}, {dy}";
}
