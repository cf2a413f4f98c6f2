using System.Numerics;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

/// <summary>Connectionist temporal classification of a batch: outputs, and gradients by logits and weights, for given output gradients.</summary>
internal sealed class CtcRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="loss">The loss.</param>
    /// <param name="logits">[rows, T, classes].</param>
    /// <param name="classes">The classes.</param>
    /// <param name="targets">[rows, S].</param>
    /// <param name="steps">The steps of each row.</param>
    /// <param name="lengths">The labels of each row.</param>
    /// <param name="weights">One per row, or null.</param>
    /// <param name="compute">The threads.</param>
    public CtcRun(Ctc loss, double[] logits, int classes, int[] targets, int[] steps, int[] lengths, double[]? weights, ComputeContext? compute = null)
    {
        var rows = steps.Length;
        Seeds = loss.Reduction == LossReduction.None ? [.. Enumerable.Range(0, rows).Select(r => 0.75 - r % 5 * 0.5)] : [1.5];
        var graph = new GraphBuilder();
        Node[] others = [graph.IndexInput("targets", targets.Length / rows), graph.IndexInput("steps"), graph.IndexInput("lengths")];
        if (weights is not null)
            others = [.. others, graph.Input("w")];
        graph.Output(graph.Input("x", logits.Length / rows / classes, classes).Apply(loss, others));
        var network = graph.Build().CreateNetwork<T>();
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, compute ?? ComputeContext.SingleThreaded);
        Fill(workspace);
        network.Forward(workspace);
        Of(Seeds).CopyTo(workspace.OutputGradient(network.Definition.OutputNames.Single()));
        network.Backward(workspace);
        Outputs = workspace.Output().ToArray();
        Dx = workspace.GradientOf("x").ToArray();
        Dw = weights is null ? [] : workspace.GradientOf("w").ToArray();

        var inference = network.CreateWorkspace(rows, WorkspaceOptions.Inference, compute ?? ComputeContext.SingleThreaded);
        Fill(inference);
        network.Forward(inference);
        Inferred = inference.Output().ToArray();

        void Fill(Workspace<T> to)
        {
            to.SetInput("x", Of(logits));
            to.SetIndexInput("targets", targets);
            to.SetIndexInput("steps", steps);
            to.SetIndexInput("lengths", lengths);
            if (weights is not null)
                to.SetInput("w", Of(weights));
        }
    }

    public double[] Seeds { get; }

    public T[] Outputs { get; }

    /// <summary>The outputs of a pass without gradients.</summary>
    public T[] Inferred { get; }

    public T[] Dx { get; }

    public T[] Dw { get; }

    public T[] All => [.. Outputs, .. Inferred, .. Dx, .. Dw];

    public static void Near(double[] expected, T[] actual, double factor = 1, string what = "") =>
        InputsLossRun<T>.Near(expected, actual, factor, what);

    private static T[] Of(double[] numbers) => [.. numbers.Select(T.CreateTruncating)];
}
