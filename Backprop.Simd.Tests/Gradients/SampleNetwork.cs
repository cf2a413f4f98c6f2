using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>
/// The network around one layer sample: all numbers are representable in float, so that a float and a double network see the
/// same ones.
/// </summary>
internal sealed class SampleNetwork
{
    private readonly Dictionary<string, double[]> _inputs = [];
    private readonly LayerSample _sample;

    /// <summary>Builds it.</summary>
    /// <param name="sample">The layer and its data.</param>
    /// <param name="fanOut">True to feed each input of numbers to two more nodes, one before the layer and one behind it: in
    /// backward the layer then adds to what one wrote, and another adds to it.</param>
    public SampleNetwork(LayerSample sample, bool fanOut = false)
    {
        _sample = sample;
        var graph = new GraphBuilder();
        var nodes = sample.Inputs.Select((type, i) => Input(graph, $"input{i}", type)).ToArray();
        var numbers = nodes.Where(n => n.Type.Kind != EdgeKind.Indices).ToArray();
        foreach (var node in fanOut ? numbers : [])
            graph.Output(node.Apply(new Scale(2)));
        foreach (var output in graph.ApplyAll(sample.Layer, nodes))
            graph.Output(output);
        foreach (var node in fanOut ? numbers : [])
            graph.Output(node.Apply(new Scale(-0.5)));

        Double = graph.Build().CreateNetwork<float>(3).ConvertTo<double>();
        var random = new TestRandom(11);
        Fill(ref random, Double.Parameters);
        double[] first = [];
        for (var i = 0; i < sample.Inputs.Length; i++)
        {
            if (sample.Inputs[i].Kind == EdgeKind.Indices)
                continue;
            var values = new double[sample.Inputs[i].Elements(sample.Rows)];
            sample.Fill(ref random, i, values, first);
            Round(values);
            _inputs[$"input{i}"] = values;
            first = i == 0 ? values : first;
        }

        Float = Double.ConvertTo<float>();
    }

    public Network<double> Double { get; }

    public Network<float> Float { get; }

    /// <summary>A filled training workspace with all gradients.</summary>
    public Workspace<T> Workspace<T>(Network<T> network) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var workspace = network.CreateWorkspace(_sample.Rows,
            new WorkspaceOptions { InputGradients = true, OutputGradients = true }, ComputeContext.SingleThreaded);
        FillInputs(workspace);
        var random = new TestRandom(7);
        foreach (var output in network.Definition.OutputNames)
        {
            foreach (ref var seed in workspace.OutputGradient(output))
                seed = T.CreateTruncating((float)random.Signed<double>());
        }

        return workspace;
    }

    /// <summary>Writes the data of the sample into a workspace of any kind.</summary>
    public void FillInputs<T>(Workspace<T> workspace) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        foreach (var (name, values) in _inputs)
            workspace.SetInput(name, [.. values.Select(T.CreateTruncating)]);
        for (var i = 0; i < _sample.Inputs.Length; i++)
        {
            if (_sample.Inputs[i].Kind == EdgeKind.Indices)
                workspace.SetIndexInput($"input{i}", _sample.Indices.GetValueOrDefault(i) ?? (i > 0 ? _sample.Lengths : null) ?? _sample.Labels);
        }
    }

    private static Node Input(GraphBuilder graph, string name, EdgeType type)
    {
        var dimensions = Enumerable.Range(0, type.Shape.Rank).Select(d => type.Shape[d]).ToArray();
        return type.Kind switch
        {
            EdgeKind.Values => graph.Input(name, type.Shape),
            EdgeKind.Indices => graph.IndexInput(name, dimensions),
            _ => graph.SharedInput(name, dimensions),
        };
    }

    private static void Fill(ref TestRandom random, Span<double> values)
    {
        foreach (ref var value in values)
            value = random.Signed<double>();
        Round(values);
    }

    private static void Round(Span<double> values)
    {
        foreach (ref var value in values)
            value = (float)value;
    }
}
