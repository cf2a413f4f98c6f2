using System.Text.Json;
using Backprop.Simd.Execution;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>Whether the graph of a file computes what a network computes: equal shapes alone do not say so.</summary>
/// <remarks>Each input, parameter and layer of the network must be in the file, under its name, with the same settings and inputs. Losses,
/// initializers and what only the file has do not matter.</remarks>
internal static class GraphComparison
{
    /// <summary>The longest settings that a message shows, in characters: lists of numbers may be long.</summary>
    private const int MostShown = 200;

    /// <summary>The first difference, as a sentence; null if the graphs agree.</summary>
    public static string? Difference(string file, string own, NetworkDefinition network)
    {
        var losses = network.Graph.Nodes.Where(n => n.Layer.IsLoss).Select(n => network.Graph.Edges[n.Outputs[0]].Name).ToHashSet();
        using JsonDocument theirs = GraphText.Parse(file), ours = GraphText.Parse(own);
        var items = new Dictionary<string, JsonElement>();
        foreach (var item in Items(theirs))
            items.TryAdd(NameOf(item), item);

        var targets = TargetsOf(network.Graph);
        foreach (var item in Items(ours))
        {
            var name = NameOf(item);
            if (losses.Contains(name) || targets.Contains(name))
                continue;
            if (!items.TryGetValue(name, out var other))
                return $"The network has '{name}', which the file's graph does not have.";
            if (DifferenceOf(name, item, other) is { } difference)
                return difference;
        }

        return null;
    }

    /// <summary>The names of what only losses take and no parameter leads to: labels, targets, and targets that are normalized. They may be lacking,
    /// since a network that is served has no loss.</summary>
    private static HashSet<string> TargetsOf(Graph graph)
    {
        var isData = Array.ConvertAll(graph.Edges, edge => edge.Role == EdgeRole.Input);
        foreach (var node in graph.Nodes)
        {
            var depends = node.Layer.IsLoss || node.Declaration.Parameters.Count + node.Declaration.States.Count > 0 || !node.Inputs.All(e => isData[e]);
            foreach (var e in node.Outputs)
                isData[e] = !depends;
        }

        // Who takes an edge comes behind it.
        var isTarget = new bool[graph.Edges.Length];
        for (var e = isTarget.Length - 1; e >= 0; e--)
        {
            isTarget[e] = isData[e] && !graph.Outputs.Contains(e)
                && graph.Consumers[e].TrueForAll(n => graph.Nodes[n].Layer.IsLoss || graph.Nodes[n].Outputs.All(output => isTarget[output]));
        }

        return [.. graph.Edges.Where((_, e) => isTarget[e]).Select(edge => edge.Name)];
    }

    private static JsonElement.ArrayEnumerator Items(JsonDocument graph) =>
        graph.RootElement.TryGetProperty("graph", out var items) && items.ValueKind == JsonValueKind.Array ? items.EnumerateArray()
            : throw new ModelFileException("The graph of the file is damaged: it has no items.");

    private static string NameOf(JsonElement item)
    {
        foreach (var kind in (ReadOnlySpan<string>)["input", "parameter", "node"])
        {
            // What reads a parameter names it beside its own outputs.
            if (kind != "parameter" || !item.TryGetProperty("node", out _))
            {
                if (item.TryGetProperty(kind, out var name))
                    return (name.ValueKind == JsonValueKind.Array && name.GetArrayLength() > 0 ? name[0] : name).ToString();
            }
        }

        return "";
    }

    private static string? DifferenceOf(string name, JsonElement ours, JsonElement theirs)
    {
        foreach (var property in ours.EnumerateObject())
        {
            if (property.Name is "initializer")
                continue;
            if (!theirs.TryGetProperty(property.Name, out var other))
                return $"'{name}' has no '{property.Name}' in the file.";
            if (property.Name == "layer")
            {
                if (DifferenceOfLayers(name, property.Value, other) is { } difference)
                    return difference;
            }
            else if (property.Value.GetRawText() != other.GetRawText())
            {
                return $"'{name}' has the {property.Name} {property.Value.GetRawText()}, and {other.GetRawText()} in the file.";
            }
        }

        return null;
    }

    private static string? DifferenceOfLayers(string name, JsonElement ours, JsonElement theirs)
    {
        var (kind, settings) = LayerKinds.Parts(ours, name);
        var (otherKind, others) = LayerKinds.Parts(theirs, name);
        if (kind != otherKind)
            return $"'{name}' is of the kind '{kind}', and '{otherKind}' in the file.";
        foreach (var setting in settings.EnumerateObject())
        {
            if (setting.Name == "initializer")
                continue;
            var (own, other) = (setting.Value.GetRawText(), others.TryGetProperty(setting.Name, out var value) ? value.GetRawText() : "nothing");
            if (own != other)
            {
                return own.Length + other.Length > MostShown ? $"'{name}' has other numbers in the setting '{setting.Name}' than the file."
                    : $"'{name}' has the setting '{setting.Name}' {own}, and {other} in the file.";
            }
        }

        return null;
    }
}
