using Backprop.Simd.Networks;

namespace Backprop.Simd.Samples;

/// <summary>L = 1 / (1 + e^-(w0 x0 + w1 x1 + w2)), from single gates and with the sigmoid as one gate.</summary>
internal static class SigmoidNeuron
{
    private static readonly (string Name, double Value)[] Inputs = [("w0", 2), ("x0", -1), ("w1", -3), ("x1", -2), ("w2", -3)];

    public static void Run(Report report)
    {
        report.Title("Sigmoid neuron 1 / (1 + e^-(w0 x0 + w1 x1 + w2)) from single gates");
        var gates = Evaluate(s =>
        {
            var t = (s * -1).Named("t");
            var u = t.Exponential().Named("u");
            var v = (u + 1).Named("v");
            return 1 / v;
        });
        report.Header("forward");
        report.Equal("p = w0 x0", -2, gates.ValueOf("p")[0]);
        report.Equal("q = w1 x1", 6, gates.ValueOf("q")[0]);
        report.Equal("r = p + q", 4, gates.ValueOf("r")[0]);
        report.Equal("s = r + w2", 1, gates.ValueOf("s")[0]);
        report.Equal("t = -s", -1, gates.ValueOf("t")[0]);
        report.Equal("u = e^t", 0.36787944117144233, gates.ValueOf("u")[0]);
        report.Equal("v = u + 1", 1.3678794411714423, gates.ValueOf("v")[0]);
        report.Equal("L = 1 / v", 0.7310585786300049, gates.ValueOf("L")[0]);
        report.Header("backward");
        report.Equal("dv", -0.534446645388523, gates.GradientOf("v")[0]);
        report.Equal("du", -0.534446645388523, gates.GradientOf("u")[0]);
        report.Equal("dt", -0.19661193324148188, gates.GradientOf("t")[0]);
        foreach (var name in (ReadOnlySpan<string>)["s", "r", "p", "q", "w2"])
            report.Equal("d" + name, 0.19661193324148188, gates.GradientOf(name)[0]);
        report.Line("The notebook swaps its two multiply layers here: it gives dp to that of w1 x1 and dq to that of w0 x0.");
        report.Line("As dp = dq its numbers are right, but under the wrong names: its \"dw0\" is dw1, its \"dx0\" dx1, and the other way round.");
        report.Header("", "notebook, names put right");
        report.Equal("dw0 = x0 dp", -0.19661193324148188, gates.GradientOf("w0")[0]); // its "dw1"
        report.Equal("dx0 = w0 dp", 0.39322386648296376, gates.GradientOf("x0")[0]); // its "dx1"
        report.Equal("dw1 = x1 dq", -0.39322386648296376, gates.GradientOf("w1")[0]); // its "dw0"
        report.Equal("dx1 = w1 dq", -0.5898357997244457, gates.GradientOf("x1")[0]); // its "dx0"
        report.Picture("sigmoid-neuron", gates);

        report.Title("The sigmoid as one gate");
        var gate = Evaluate(s => s.Sigmoid());
        report.Header("");
        report.Below("ds of gates - ds of gate", "2.8E-17", gates.GradientOf("s")[0] - gate.GradientOf("s")[0], 1e-15);
        report.Picture("sigmoid-gate", gate);
    }

    private static Workspace<double> Evaluate(Func<Node, Node> sigmoid)
    {
        var graph = new GraphBuilder();
        var (w0, x0) = (graph.Input("w0"), graph.Input("x0"));
        var (w1, x1) = (graph.Input("w1"), graph.Input("x1"));
        var w2 = graph.Input("w2");
        var p = (w0 * x0).Named("p");
        var q = (w1 * x1).Named("q");
        var r = (p + q).Named("r");
        var s = (r + w2).Named("s");
        var network = sigmoid(s).Named("L").Build<double>();

        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, Retain = Retain.All });
        foreach (var (name, value) in Inputs)
            workspace.SetInput(name, [value]);
        network.Forward(workspace);
        network.Backward(workspace);
        return workspace;
    }
}
