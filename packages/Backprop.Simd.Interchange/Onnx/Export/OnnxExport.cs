using System.Numerics;
using System.Numerics.Tensors;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>Writes the nodes of a network, in their order, that its outputs need.</summary>
internal static class OnnxExport
{
    /// <summary>The bytes of numbers that fit into a protobuf message, which is at most 2 GiB, beside the graph.</summary>
    private const long MostBytes = int.MaxValue - (64 << 20);

    /// <exception cref="ArgumentException">The options do not suit the network, or ONNX cannot say a layer.</exception>
    public static ProtobufWriter Write<T>(Network<T> network, OnnxSaveOptions options) where T : unmanaged, IFloatingPointIeee754<T>
    {
        options.Check(nameof(options));
        var definition = network.Definition;
        if (definition.FreeSizes.Any(size => size.Name == options.Batch))
            throw new ArgumentException($"The network has a free size '{options.Batch}': {nameof(options.Batch)} must have another name.", nameof(options));
        var outputs = OutputsOf(definition, options);
        var nodes = Needed(definition, outputs);
        HashSet<string> read = [.. outputs, .. nodes.SelectMany(n => n.Inputs)];
        string[] inputs = [.. definition.InputNames.Where(read.Contains)];
        var types = OnnxTypes.Of(network);

        var graph = new OnnxWriter(typeof(T) == typeof(double) ? OnnxType.Double : OnnxType.Float, options.Opset);
        var edges = new Dictionary<string, OnnxEdge>();
        foreach (var name in inputs.Concat(outputs))
            graph.Reserve(name);
        foreach (var name in inputs)
            edges[name] = new(graph, types[name], name);
        foreach (var name in nodes.SelectMany(n => n.Inputs).Where(n => !edges.ContainsKey(n) && definition.Parameters.TryFind(n, out _)))
            edges[name] = new(graph, types[name], graph.Parameter(name, () => NumbersOf(network, name)));

        List<string> refused = [];
        foreach (var node in nodes)
        {
            graph.Scope = node.Name;
            OnnxEdgeType[] results = [.. node.Outputs.Select(o => types[o])];
            var writer = new OnnxLayerWriter(graph, node, name => NumbersOf(network, name), [.. node.Inputs.Select(i => edges[i])], results);
            OnnxEdge[] made;
            try
            {
                made = OnnxLayers.Write(writer, node.Layer);
            }
            catch (OnnxRefusal refusal)
            {
                refused.Add($"'{node.Name}' ({node.Layer.Kind}): {refusal.Message}.");
                made = [.. results.Select((type, i) => new OnnxEdge(graph, type, $"{node.Name}.{i}"))];
            }

            for (var i = 0; i < made.Length; i++)
                edges[node.Outputs[i]] = made[i];
        }

        if (refused.Count > 0)
            throw new ArgumentException($"ONNX cannot say {refused.Count} of the layers. {string.Join(" ", refused)}", nameof(network));
        graph.Scope = "output";
        var model = new OnnxModel { Opset = options.Opset };
        foreach (var (key, value) in options.Metadata)
            model.Metadata[key] = value;
        graph.WriteTo(model, inputs, outputs.ToDictionary(o => o, o => edges[o].Last));
        if (model.Initializers.Values.Sum(t => (long)t.Size * BytesOf(t.Type)) is > MostBytes and var bytes)
            throw new ArgumentException($"An ONNX model is at most 2 GiB; the numbers of the network are {bytes} bytes.", nameof(network));
        model.AllInputs.AddRange(inputs.Select(name => ValueOf(graph, name, types, options)));
        model.Outputs.AddRange(outputs.Select(name => ValueOf(graph, name, types, options)));
        return model.Write();
    }

    private static string[] OutputsOf(NetworkDefinition definition, OnnxSaveOptions options)
    {
        var losses = definition.Nodes.Where(n => n.Layer is Loss).SelectMany(n => n.Outputs).ToHashSet();
        if (options.Outputs is null)
        {
            string[] all = [.. definition.OutputNames.Where(o => !losses.Contains(o))];
            return all.Length > 0 ? all : throw new ArgumentException(
                $"The network has no output but losses, which are not part of a model: name nodes in {nameof(options.Outputs)}.", nameof(options));
        }

        var known = definition.ComputedNames.Where(n => !losses.Contains(n))
            .Concat(definition.InputNames.Where(n => definition.TypeOf(n).Kind != EdgeKind.Indices)).ToHashSet();
        foreach (var name in options.Outputs)
        {
            if (name is null || !known.Contains(name))
                throw new ArgumentException($"The network computes no '{name}'; it has: {string.Join(", ", known)}.", nameof(options));
        }

        return [.. options.Outputs.Distinct()];
    }

    /// <summary>The nodes that the outputs depend on, in order.</summary>
    private static List<GraphNode> Needed(NetworkDefinition definition, string[] outputs)
    {
        HashSet<string> wanted = [.. outputs];
        List<GraphNode> needed = [];
        foreach (var node in definition.Nodes.Reverse())
        {
            if (!node.Outputs.Any(wanted.Contains))
                continue;
            wanted.UnionWith(node.Inputs);
            needed.Add(node);
        }

        needed.Reverse();
        return needed;
    }

    /// <summary>The numbers of a parameter or a state.</summary>
    private static OnnxTensor NumbersOf<T>(Network<T> network, string name) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var definition = network.Definition;
        var isParameter = definition.Parameters.TryFind(name, out var parameter);
        var from = isParameter ? network.ParameterOf(name) : network.StateOf(name);
        var shape = (parameter ?? definition.State[name]).Shape;
        var numbers = new double[from.Length];
        TensorPrimitives.ConvertTruncating<T, double>(from, numbers);
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        return OnnxTensor.Of(typeof(T) == typeof(double) ? OnnxType.Double : OnnxType.Float, [.. shape.CopyTo(sizes)], numbers);
    }

    private static int BytesOf(OnnxType type) => type switch { OnnxType.Float or OnnxType.Int32 => 4, OnnxType.Bool => 1, _ => 8 };

    private static OnnxValue ValueOf(OnnxWriter graph, string name, OnnxTypes types, OnnxSaveOptions options)
    {
        var type = types[name];
        var dimensions = new List<OnnxDimension>();
        if (!type.IsShared)
            dimensions.Add(new(null, options.Batch));
        for (var d = 0; d < type.Rank; d++)
            dimensions.Add(type.Free[d] ? new(null, types.NameOf(name, d)) : new(type.Shape[d], null));
        return new(name, type.Kind == EdgeKind.Indices ? OnnxType.Int32 : graph.Numbers, dimensions);
    }
}
