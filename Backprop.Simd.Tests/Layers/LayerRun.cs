using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>One layer of one input on its own, forward and backward.</summary>
internal sealed class LayerRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public LayerRun(Layer layer, Shape shape, T[] x, T[] dy, T[]? parameters = null, ComputeContext? compute = null)
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", shape).Apply(layer));
        var network = graph.Build().CreateNetwork<T>();
        if (parameters is not null)
            parameters.CopyTo(network.Parameters);
        var workspace = network.CreateWorkspace(x.Length / shape.Size,
            new WorkspaceOptions { InputGradients = true }, compute ?? ComputeContext.SingleThreaded);
        workspace.SetInput("x", x);
        network.Forward(workspace);
        dy.CopyTo(workspace.OutputGradient(network.Definition.OutputNames.Single()));
        network.Backward(workspace);
        Y = workspace.Output().ToArray();
        Dx = workspace.GradientOf("x").ToArray();
        Gradients = workspace.Gradients.ToArray();
    }

    public T[] Y { get; }

    public T[] Dx { get; }

    public T[] Gradients { get; }
}
