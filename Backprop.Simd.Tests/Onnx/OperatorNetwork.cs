using System.Numerics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A graph around the layers of one operator, run in the element type of the case: in float, of a few cases in double.</summary>
/// <param name="type">The element type.</param>
/// <param name="rows">The rows of the batch.</param>
internal sealed class OperatorNetwork(OnnxType type, int rows)
{
    private readonly List<(string Name, double[] Values)> _inputs = [], _parameters = [], _state = [];
    private readonly List<(string Name, int[] Values)> _indices = [];

    public GraphBuilder Graph { get; } = new();

    /// <summary>Whether the pass is one of training; then it is finished by a step of rate 0, which commits the state.</summary>
    public bool Training { get; init; }

    /// <summary>The state after the pass, by name.</summary>
    public Dictionary<string, double[]> State { get; } = [];

    public Node Input(int[] rowShape, double[] values) =>
        Keep(Graph.Input($"x{_inputs.Count}", new Shape(rowShape)), values);

    public Node Shared(int[] shape, double[] values) => Keep(Graph.SharedInput($"x{_inputs.Count}", shape), values);

    public Node Indices(int[] rowShape, long[] values)
    {
        var node = Graph.IndexInput($"i{_indices.Count}", rowShape);
        _indices.Add((node.Name, [.. values.Select(v => checked((int)v))]));
        return node;
    }

    /// <summary>Sets a parameter of a node's layer.</summary>
    public void Parameter(Node node, string name, double[] values) => _parameters.Add(($"{node.Name}.{name}", values));

    /// <summary>Sets the state of a node's layer.</summary>
    public void StateOf(Node node, string name, double[] values) => _state.Add(($"{node.Name}.{name}", values));

    /// <summary>The values of some nodes, or of losses, after a forward pass.</summary>
    public double[][] Run(params Node[] nodes) => type == OnnxType.Double ? Run<double>(nodes) : Run<float>(nodes);

    /// <summary>The gradients by the inputs of numbers, for the gradient by an output.</summary>
    public double[][] Gradients(Node output, Func<int, double> gradient) =>
        type == OnnxType.Double ? Gradients<double>(output, gradient) : Gradients<float>(output, gradient);

    private double[][] Run<T>(Node[] nodes) where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var node in nodes)
        {
            if (IsLoss(node))
                Graph.Loss(node);
            else
                Graph.Output(node);
        }

        var (network, workspace) = Prepare<T>(Training ? new WorkspaceOptions() : new WorkspaceOptions { Mode = WorkspaceMode.Inference, Losses = true });
        network.Forward(workspace);
        double[][] values = [.. nodes.Select(n => IsLoss(n) ? [workspace.LossOf(n.Name)] : Wide(workspace.Output(n.Name)))];
        if (!Training)
            return values;
        foreach (var output in network.Definition.OutputNames)
            workspace.OutputGradient(output).Clear();
        network.Backward(workspace);
        network.Update(workspace, new Sgd<T>(network.Parameters.Length, 0));
        foreach (var (name, _) in _state)
            State[name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..]] = Wide(network.StateOf(name));
        return values;
    }

    private double[][] Gradients<T>(Node output, Func<int, double> gradient) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Graph.Output(output);
        var (network, workspace) = Prepare<T>(new WorkspaceOptions { InputGradients = true });
        network.Forward(workspace);
        var dy = workspace.OutputGradient(output.Name);
        for (var i = 0; i < dy.Length; i++)
            dy[i] = T.CreateChecked(gradient(i));
        network.Backward(workspace);
        return [.. _inputs.Select(i => Wide(workspace.GradientOf(i.Name)))];
    }

    private (Network<T> Network, Workspace<T> Workspace) Prepare<T>(WorkspaceOptions options) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = Graph.Build().CreateNetwork<T>();
        foreach (var (name, values) in _parameters)
            Narrow<T>(values).CopyTo(Same(network.ParameterOf(name), values.Length));
        foreach (var (name, values) in _state)
            Narrow<T>(values).CopyTo(Same(network.StateOf(name), values.Length));
        var workspace = network.CreateWorkspace(rows, options, ComputeContext.SingleThreaded);
        foreach (var (name, values) in _inputs)
            workspace.SetInput(name, Narrow<T>(values));
        foreach (var (name, values) in _indices)
            workspace.SetIndexInput(name, values);
        return (network, workspace);
    }

    private Node Keep(Node node, double[] values)
    {
        _inputs.Add((node.Name, values));
        return node;
    }

    private static bool IsLoss(Node node) => node.Type == new EdgeType(EdgeKind.Shared, Shape.Scalar);

    private static Span<T> Same<T>(Span<T> values, int length) =>
        values.Length == length ? values : throw new InvalidDataException($"The library has {values.Length} numbers where ONNX has {length}.");

    private static T[] Narrow<T>(double[] values) where T : unmanaged, IFloatingPointIeee754<T> => [.. values.Select(T.CreateChecked)];

    private static double[] Wide<T>(ReadOnlySpan<T> values) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var wide = new double[values.Length];
        for (var i = 0; i < wide.Length; i++)
            wide[i] = double.CreateChecked(values[i]);
        return wide;
    }

    private static double[] Wide<T>(Span<T> values) where T : unmanaged, IFloatingPointIeee754<T> => Wide((ReadOnlySpan<T>)values);
}
