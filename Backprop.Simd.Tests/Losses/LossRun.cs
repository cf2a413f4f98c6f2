using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

/// <summary>One loss on its own: the value and the gradients by prediction and target.</summary>
internal sealed class LossRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Runs a loss against indices.</summary>
    public LossRun(Loss loss, T[] prediction, int[] labels, double weight = 1)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", prediction.Length / labels.Length);
        graph.Loss(x.Apply(loss, graph.IndexInput("labels")).Named("loss"), weight);
        Run(graph, labels.Length, w =>
        {
            w.SetInput("x", prediction);
            w.SetIndexInput("labels", labels);
        });
        Gradient = Workspace.GradientOf("x").ToArray();
    }

    /// <summary>Runs a loss against numbers.</summary>
    public LossRun(Loss loss, T[] prediction, int rows, T[] target)
    {
        var graph = new GraphBuilder();
        var shape = new Shape(prediction.Length / rows);
        graph.Loss(graph.Input("x", shape).Apply(loss, graph.Input("t", shape)).Named("loss"));
        Run(graph, rows, w =>
        {
            w.SetInput("x", prediction);
            w.SetInput("t", target);
        });
        Gradient = Workspace.GradientOf("x").ToArray();
        TargetGradient = Workspace.GradientOf("t").ToArray();
    }

    public Workspace<T> Workspace { get; private set; } = null!;

    public double Value { get; private set; }

    public T[] Gradient { get; }

    public T[] TargetGradient { get; } = [];

    private void Run(GraphBuilder graph, int rows, Action<Workspace<T>> fill)
    {
        var network = graph.Build().CreateNetwork<T>();
        Workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        fill(Workspace);
        Value = network.Forward(Workspace);
        network.Backward(Workspace);
    }
}
