using System.Numerics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A model of ONNX in a graph, which takes and gives tensors in ONNX's order.</summary>
internal sealed class ImportedModel
{
    private readonly OnnxModel _model;

    /// <summary>Imports a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Sizes and more.</param>
    public ImportedModel(OnnxModel model, OnnxLoadOptions? options = null)
    {
        _model = model;
        Added = OnnxFile.Of(model).AddTo(Graph, options);
        foreach (var name in Added.OutputNames)
            Added.AddOutput(name, "");
    }

    public GraphBuilder Graph { get; } = new();

    public OnnxGraph Added { get; }

    /// <summary>The network with the numbers of the model.</summary>
    public Network<T> Create<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = Graph.Build().CreateNetwork<T>();
        Added.CopyTo(network);
        return network;
    }

    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">The inputs by name, as ONNX has them.</param>
    /// <returns>The outputs, in order.</returns>
    public OnnxTensor[] Run<T>(IReadOnlyDictionary<string, OnnxTensor> inputs) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = Create<T>();
        var rows = RowsOf(inputs);
        var workspace = network.CreateWorkspace(rows, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        Feed(workspace, inputs);
        network.Forward(workspace);
        return [.. Added.OutputNames.Zip(network.Definition.OutputNames, (name, own) =>
        {
            var node = Added[name];
            return InOnnxOrder(node, Added.DimensionsOf(name), rows, [.. workspace.Output(own).ToArray().Select(v => double.CreateChecked(v))]);
        })];
    }

    /// <summary>The rows of the batch that inputs have; 1 where none has a batch.</summary>
    public int RowsOf(IReadOnlyDictionary<string, OnnxTensor> inputs) => inputs.Where(i => IsUsed(i.Key))
        .Select(i => (i.Value, Batch: Enumerable.Range(0, i.Value.Rank).FirstOrDefault(a => Added.DimensionsOf(i.Key)[a].Contains(0), -1)))
        .Where(i => i.Batch >= 0).Select(i => i.Value.Shape[i.Batch]).FirstOrDefault(1);

    /// <summary>Gives a workspace the inputs.</summary>
    public void Feed<T>(Workspace<T> workspace, IReadOnlyDictionary<string, OnnxTensor> inputs) where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (name, tensor) in inputs)
        {
            if (!IsUsed(name))
                continue;
            var node = Added[name];
            if (!workspace.Network.Definition.InputNames.Contains(node.Name))
                continue; // nothing needs it
            int[] axes = [.. Added.DimensionsOf(name).Select((physical, axis) => (Physical: physical[0],
                Axis: axis)).OrderBy(d => d.Physical).Select(d => d.Axis)];
            var placed = tensor.Transposed(axes);
            if (node.Type.Kind == EdgeKind.Indices)
                workspace.SetIndexInput(node.Name, [.. placed.Integers.Select(i => (int)i)]);
            else
                workspace.SetInput(node.Name, [.. placed.Values.Select(T.CreateSaturating)]);
        }
    }

    private bool IsUsed(string name) => _model.Inputs.Any(i => i.Name == name);

    private static OnnxTensor InOnnxOrder(Node node, IReadOnlyList<IReadOnlyList<int>> dimensions, int rows, double[] values)
    {
        var shape = node.Type.Shape;
        var isBatch = node.Type.Kind != EdgeKind.Shared;
        int[] physical = [isBatch ? rows : 1, .. Enumerable.Range(0, shape.Rank).Select(d => shape[d])];
        int[] named = [.. dimensions.SelectMany(d => d)];
        int[] rest = [.. Enumerable.Range(0, physical.Length).Except(named)];
        Assert.True(rest.All(d => physical[d] == 1), "A dimension of the node has no place in ONNX's.");
        return OnnxTensor.Of(OnnxType.Double, physical, values).Transposed([.. named, .. rest])
            .As([.. dimensions.Select(d => d.Aggregate(1, (size, p) => size * physical[p]))]);
    }
}
