using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>One layer, run forward on given inputs, parameters and state, in the precision of the case.</summary>
internal sealed class LayerRun
{
    private readonly List<(EdgeType Type, double[] Values)> _inputs = [];
    private readonly Dictionary<string, double[]> _parameters = [];
    private readonly Dictionary<string, double[]> _states = [];

    public int Rows { get; init; } = 1;

    /// <summary>Training, so that layers use the batch and propose state.</summary>
    public bool Training { get; init; }

    public bool IsDouble { get; init; }

    /// <summary>State after the step, by name; in training.</summary>
    public Dictionary<string, double[]> NewStates { get; } = [];

    public LayerRun Values(double[] values, params ReadOnlySpan<int> shape)
    {
        _inputs.Add((new EdgeType(EdgeKind.Values, new Shape(shape)), values));
        return this;
    }

    public LayerRun Indices(double[] values, params ReadOnlySpan<int> shape)
    {
        _inputs.Add((new EdgeType(EdgeKind.Indices, new Shape(shape)), values));
        return this;
    }

    public LayerRun Parameter(string name, double[] values)
    {
        _parameters[name] = values;
        return this;
    }

    public LayerRun State(string name, double[] values)
    {
        _states[name] = values;
        return this;
    }

    /// <summary>The outputs of the layer, all rows one after the other.</summary>
    public double[][] Outputs(Layer layer) => IsDouble ? Outputs<double>(layer) : Outputs<float>(layer);

    private double[][] Outputs<T>(Layer layer) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = new GraphBuilder();
        var nodes = new Node[_inputs.Count];
        for (var i = 0; i < nodes.Length; i++)
            nodes[i] = _inputs[i].Type.Kind == EdgeKind.Indices ? graph.IndexInput($"x{i}", _inputs[i].Type.Shape) : graph.Input($"x{i}", _inputs[i].Type.Shape);
        var outputs = graph.ApplyAll(layer, nodes);
        foreach (var output in outputs)
            graph.Output(output);
        var network = graph.Build().CreateNetwork<T>();
        var prefix = outputs[0].Name + ".";
        foreach (var (name, values) in _parameters)
            Copy(values, network.Parameter(prefix + name));
        foreach (var (name, values) in _states)
            Copy(values, network.StateOf(prefix + name));
        var workspace = network.CreateWorkspace(Rows, Training ? WorkspaceOptions.Training : new WorkspaceOptions { Mode = WorkspaceMode.Inference, Losses = true }, ComputeContext.SingleThreaded);
        for (var i = 0; i < nodes.Length; i++)
        {
            if (_inputs[i].Type.Kind == EdgeKind.Indices)
                workspace.SetIndexInput($"x{i}", Array.ConvertAll(_inputs[i].Values, v => checked((int)v)));
            else
                workspace.SetInput($"x{i}", Array.ConvertAll(_inputs[i].Values, T.CreateTruncating));
        }

        network.Forward(workspace);
        if (Training)
        {
            network.Backward(workspace);
            network.Update(workspace, new Backprop.Simd.Optimizers.Sgd<T>(network.Parameters.Length, 0));
            foreach (var name in _states.Keys)
                NewStates[name] = Array.ConvertAll(network.StateOf(prefix + name).ToArray(), double.CreateTruncating);
            network.Forward(workspace);
        }

        return [.. outputs.Select(o => Array.ConvertAll(workspace.Output(o.Name).ToArray(), double.CreateTruncating))];
    }

    private static void Copy<T>(double[] values, Span<T> destination) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.Equal(destination.Length, values.Length);
        for (var i = 0; i < values.Length; i++)
            destination[i] = T.CreateTruncating(values[i]);
    }
}
