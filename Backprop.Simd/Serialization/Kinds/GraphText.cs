using System.Buffers;
using System.Text;
using System.Text.Json;
using Backprop.Simd.Execution;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>A graph as JSON: what a file says of it, and the graph that is built from it again.</summary>
/// <remarks>
/// <para><c>{"version":1, "graph":[...], "outputs":["affine2"], "losses":[{"node":"softmaxcrossentropy1", "weight":1}]}</c>. The items of the
/// graph stand in the order in which they were made:</para>
/// <para><c>{"input":"x", "type":"values", "shape":[28, 28, 1]}</c>; a free size is <c>{"name":"time", "smallest":1, "largest":512}</c>.</para>
/// <para><c>{"parameter":"table", "shape":[10, 4], "initializer":...}</c>.</para>
/// <para><c>{"node":["affine1"], "layer":{"kind":"affine", "settings":{...}}, "inputs":["x"]}</c>: the names of its outputs, and its layer. In place of
/// the layer, <c>"same":"affine1", "eachStep":0</c> is the layer of another node, or, with 1, that layer at each step, and
/// <c>"of":"affine1", "parameter":"weight"</c> reads a parameter.</para>
/// </remarks>
internal static class GraphText
{
    public const int Version = 1;

    private const string EachStepKind = "eachstep";

    /// <exception cref="ArgumentException">A layer is of a class that is not registered.</exception>
    public static string Write(NetworkDefinition definition)
    {
        var graph = definition.Graph;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
            writer.WriteStartArray("graph");
            for (var e = 0; e < graph.Edges.Length; e++)
            {
                var edge = graph.Edges[e];
                if (edge.Producer < 0)
                    WriteSource(writer, edge);
                else if (graph.Nodes[edge.Producer].Outputs[0] == e)
                    WriteNode(writer, graph, graph.Nodes[edge.Producer]);
            }

            writer.WriteEndArray();
            WriteNames(writer, "outputs", graph, graph.Outputs);
            writer.WriteStartArray("losses");
            foreach (var loss in graph.Losses)
            {
                writer.WriteStartObject();
                writer.WriteString("node", graph.Edges[loss.Edge].Name);
                writer.WriteNumber("weight", loss.Weight);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The text; null if a layer is of a class that is not registered.</summary>
    public static string? TryWrite(NetworkDefinition definition)
    {
        try
        {
            return Write(definition);
        }
        catch (ArgumentException)
        {
            // A layer may hold another one, so only writing shows it.
            return null;
        }
    }

    /// <exception cref="ModelFileException">The text is damaged, of a later version, or has a layer that is not known.</exception>
    public static NetworkDefinition Read(string text, string origin)
    {
        try
        {
            using var document = Parse(text);
            var root = document.RootElement;
            var builder = new GraphBuilder();
            var nodes = new Dictionary<string, Node>();
            var layers = new Dictionary<string, Layer>();
            var shared = root.GetProperty("graph").EnumerateArray().Where(item => item.TryGetProperty("same", out _))
                .Select(item => TextOf(item, "same")).ToHashSet();
            foreach (var item in root.GetProperty("graph").EnumerateArray())
            {
                if (item.TryGetProperty("node", out var names))
                    Place(builder, nodes, layers, shared, item, names);
                else
                    AddSource(builder, nodes, item);
            }

            foreach (var output in root.GetProperty("outputs").EnumerateArray())
                builder.Output(nodes[Text(output)]);
            foreach (var loss in root.GetProperty("losses").EnumerateArray())
                builder.Loss(nodes[TextOf(loss, "node")], loss.GetProperty("weight").GetDouble());
            return builder.Build();
        }
        catch (ModelFileException e)
        {
            throw new ModelFileException($"{origin}: {e.Message}", e);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or ArgumentException or InvalidOperationException or FormatException
            or OverflowException)
        {
            throw new ModelFileException($"{origin}: the graph of the file is damaged. {(e as ArgumentException)?.WithoutParameter() ?? e.Message}", e);
        }
    }

    /// <exception cref="ModelFileException">The text is damaged, or of a later version.</exception>
    public static JsonDocument Parse(string text)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text);
        }
        catch (JsonException e)
        {
            throw new ModelFileException("The graph of the file is no JSON.", e);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("version", out var version)
            && version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == Version)
        {
            return document;
        }

        document.Dispose();
        throw new ModelFileException($"The graph of the file is of a version that this library does not read; it reads version {Version}.");
    }

    private static void WriteSource(Utf8JsonWriter writer, EdgeInfo edge)
    {
        writer.WriteStartObject();
        writer.WriteString(edge.Role == EdgeRole.Parameter ? "parameter" : "input", edge.Name);
        if (edge.Role == EdgeRole.Input)
            writer.WriteString("type", edge.Type.Kind.ToString().ToLowerInvariant());
        writer.WriteStartArray("shape");
        for (var d = 0; d < edge.Type.Shape.Rank; d++)
        {
            if (edge.Dimensions.Length == 0 || edge.Dimensions[d].Name is not { } name)
            {
                writer.WriteNumberValue(edge.Type.Shape[d]);
                continue;
            }

            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteNumber("smallest", edge.Dimensions[d].Smallest);
            writer.WriteNumber("largest", edge.Dimensions[d].Largest);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (edge is { Role: EdgeRole.Parameter, Initializer: { } initializer })
        {
            writer.WritePropertyName("initializer");
            if (!InitializerKinds.TryWrite(writer, initializer, $"the parameter '{edge.Name}'"))
                writer.WriteNullValue();
        }

        writer.WriteEndObject();
    }

    private static void WriteNode(Utf8JsonWriter writer, Graph graph, NodeInfo node)
    {
        writer.WriteStartObject();
        WriteNames(writer, "node", graph, node.Outputs);
        if (node.ReadParameter >= 0)
        {
            var first = graph.Nodes[node.SharesWith];
            writer.WriteString("of", graph.Edges[first.Outputs[0]].Name);
            writer.WriteString("parameter", first.Declaration.Parameters[node.ReadParameter].Name);
        }
        else if (node.SharesWith >= 0)
        {
            var first = graph.Nodes[node.SharesWith];
            if (StepsOf(node, first) is not { } steps)
            {
                throw new ArgumentException(
                    $"'{node.Name}' shares the parameters of '{first.Name}' through a layer of a user's own, which cannot be described.");
            }

            writer.WriteString("same", graph.Edges[first.Outputs[0]].Name);
            writer.WriteNumber("eachStep", steps);
        }
        else
        {
            writer.WritePropertyName("layer");
            LayerKinds.Write(writer, node.Layer);
        }

        WriteNames(writer, "inputs", graph, node.Inputs);
        writer.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter writer, string property, Graph graph, int[] edges)
    {
        writer.WriteStartArray(property);
        foreach (var e in edges)
            writer.WriteStringValue(graph.Edges[e].Name);
        writer.WriteEndArray();
    }

    private static void AddSource(GraphBuilder builder, Dictionary<string, Node> nodes, JsonElement item)
    {
        Dimension[] shape = [.. item.GetProperty("shape").EnumerateArray().Select(d => d.ValueKind == JsonValueKind.Object
            ? Dimension.Free(TextOf(d, "name"), d.GetProperty("largest").GetInt32(), d.GetProperty("smallest").GetInt32()) : d.GetInt32())];
        if (item.TryGetProperty("parameter", out var parameter))
        {
            var initializer = item.TryGetProperty("initializer", out var stored) && stored.ValueKind != JsonValueKind.Null
                ? InitializerKinds.Read(stored, $"The initializer of '{Text(parameter)}'") : null;
            nodes.Add(Text(parameter), builder.Parameter(Text(parameter), new Shape(Array.ConvertAll(shape, d => d.Largest)), initializer));
            return;
        }

        var name = TextOf(item, "input");
        var kind = TextOf(item, "type");
        var isFree = Array.Exists(shape, d => d.Name is not null);
        int[] sizes = Array.ConvertAll(shape, d => d.Largest);
        nodes.Add(name, (kind, isFree) switch
        {
            ("values", false) => builder.Input(name, sizes),
            ("values", true) => builder.Input(name, shape[0], shape.AsSpan(1)),
            ("indices", false) => builder.IndexInput(name, sizes),
            ("indices", true) => builder.IndexInput(name, shape[0], shape.AsSpan(1)),
            ("shared", false) => builder.SharedInput(name, sizes),
            ("shared", true) => builder.SharedInput(name, shape[0], shape.AsSpan(1)),
            _ => throw new FormatException($"'{name}' is of type '{kind}'; there are values, indices and shared."),
        });
    }

    private static void Place(
        GraphBuilder builder, Dictionary<string, Node> nodes, Dictionary<string, Layer> layers, HashSet<string> shared, JsonElement item, JsonElement names)
    {
        IReadOnlyList<Node> outputs;
        var first = Text(names[0]);
        if (item.TryGetProperty("of", out var owner))
        {
            outputs = [builder.ParameterOf(nodes[Text(owner)], TextOf(item, "parameter"))];
        }
        else
        {
            var layer = item.TryGetProperty("same", out var same)
                ? Outer(layers[Text(same)], item.GetProperty("eachStep").GetInt32()) : LayerKinds.Read(item.GetProperty("layer"));
            Node[] inputs = [.. item.GetProperty("inputs").EnumerateArray().Select(input => nodes[Text(input)])];
            if (shared.Contains(first))
                layers.Add(first, builder.Share(OwnerOf(layer, inputs)));
            outputs = builder.ApplyAll(layer, inputs);
        }

        if (outputs.Count != names.GetArrayLength())
            throw new FormatException($"'{first}' has {outputs.Count} outputs; the file names {names.GetArrayLength()}.");
        for (var port = 0; port < outputs.Count; port++)
        {
            builder.Rename(outputs[port].Edge, Text(names[port]));
            nodes.Add(Text(names[port]), outputs[port]);
        }
    }

    /// <summary>How often a node applies the layer of another node at each step; null if it does so in another way.</summary>
    private static int? StepsOf(NodeInfo node, NodeInfo first)
    {
        var (steps, wrapper) = (0, node.Layer);
        for (var at = node.Declaration.EachStep; at is not null; at = at.Declaration.EachStep)
        {
            if (wrapper.Kind != EachStepKind)
                return null;
            (steps, wrapper) = (steps + 1, at.Layer);
        }

        return ReferenceEquals(node.Declaration.OwnerOf(node.Layer), first.Declaration.OwnerOf(first.Layer)) ? steps : null;
    }

    /// <summary>The layer that has the parameters: of a layer at each step, the layer that is applied.</summary>
    private static Layer OwnerOf(Layer layer, Node[] inputs)
    {
        var declaration = new LayerDeclaration(layer.Kind, Array.ConvertAll(inputs, static input => input.Type));
        layer.Declare(declaration);
        return declaration.OwnerOf(layer);
    }

    /// <summary>A layer, applied at each step of each step.</summary>
    private static Layer Outer(Layer layer, int steps)
    {
        if (steps is < 0 or >= Shape.MaxRank)
            throw new FormatException($"A layer is applied at each step {steps} times over.");
        for (; steps > 0; steps--)
            layer = new EachStep(layer);
        return layer;
    }

    private static string TextOf(JsonElement item, string property) => Text(item.GetProperty(property));

    private static string Text(JsonElement value) => value.GetString() ?? throw new FormatException("A name is missing.");
}
