using System.Globalization;
using System.Numerics;
using System.Text;
using Backprop.Simd.Execution;

namespace Backprop.Simd.Networks;

/// <summary>
/// Draws a graph as text for Graphviz (DOT) or Mermaid. Layers are nodes. Each edge shows the forward value in green and below it
/// the gradient in red, where a workspace has them.
/// </summary>
public static class GraphPicture
{
    /// <summary>If an edge has more numbers than this, the picture shows its shape.</summary>
    private const int MostNumbers = 4;

    /// <summary>Longer symbols get a box with round corners, because a circle would be too large.</summary>
    private const int MostInCircle = 5;

    /// <summary>The graph without numbers, for Graphviz.</summary>
    /// <param name="definition">The graph.</param>
    /// <returns>DOT text.</returns>
    public static string Dot(NetworkDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return Dot(definition, _ => (null, null));
    }

    /// <summary>The graph with the values and gradients of the first row, for Graphviz.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">A workspace after forward, or after forward and backward. Nodes that it does not retain have no numbers.</param>
    /// <returns>DOT text.</returns>
    public static string Dot<T>(Workspace<T> workspace)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Dot(workspace.Network.Definition, Labels(workspace));
    }

    /// <summary>The graph without numbers, for Mermaid.</summary>
    /// <param name="definition">The graph.</param>
    /// <returns>Mermaid text.</returns>
    public static string Mermaid(NetworkDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return Mermaid(definition, _ => (null, null));
    }

    /// <summary>The graph with the values and gradients of the first row, for Mermaid.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="workspace">A workspace after forward, or after forward and backward. Nodes that it does not retain have no numbers.</param>
    /// <returns>Mermaid text.</returns>
    public static string Mermaid<T>(Workspace<T> workspace)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return Mermaid(workspace.Network.Definition, Labels(workspace));
    }

    private static string Dot(NetworkDefinition definition, Func<int, (string? Value, string? Gradient)> labels)
    {
        var text = new StringBuilder();
        text.Append("digraph network {\n");
        text.Append("  rankdir=LR; ordering=in; nodesep=0.35; ranksep=0.7;\n");
        text.Append("  node [shape=circle, fontname=\"Helvetica\", fontsize=12, margin=0.03];\n");
        text.Append("  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.6];\n");
        foreach (var (id, label, isLayer) in Vertices(definition))
        {
            var shape = !isLayer ? ", shape=plaintext" : label.Length > MostInCircle ? ", shape=box, style=rounded" : "";
            text.Append(CultureInfo.InvariantCulture, $"  {id} [label=\"{DotEscape(label)}\"{shape}];\n");
        }

        foreach (var (from, to, edge) in Arrows(definition))
        {
            var (value, gradient) = labels(edge);
            var lines = new List<string>();
            if (value is not null)
                lines.Add($"<font color=\"#00a000\">{value}</font>");
            if (gradient is not null)
                lines.Add($"<font color=\"#d00000\">{gradient}</font>");
            var attribute = lines.Count == 0 ? "" : $" [label=<{string.Join("<br/>", lines)}>]";
            text.Append(CultureInfo.InvariantCulture, $"  {from} -> {to}{attribute};\n");
        }

        text.Append("}\n");
        return text.ToString();
    }

    private static string Mermaid(NetworkDefinition definition, Func<int, (string? Value, string? Gradient)> labels)
    {
        var text = new StringBuilder();
        text.Append("flowchart LR\n");
        foreach (var (id, label, isLayer) in Vertices(definition))
        {
            var (open, close) = !isLayer ? ("[", "]") : label.Length > MostInCircle ? ("(", ")") : ("((", "))");
            text.Append(CultureInfo.InvariantCulture, $"  {id}{open}\"{MermaidEscape(label)}\"{close}\n");
        }

        foreach (var (from, to, edge) in Arrows(definition))
        {
            var (value, gradient) = labels(edge);
            var lines = new List<string>();
            if (value is not null)
                lines.Add($"<span style='color:#00a000'>{value}</span>");
            if (gradient is not null)
                lines.Add($"<span style='color:#d00000'>{gradient}</span>");
            var label = lines.Count == 0 ? "" : $"|\"{string.Join("<br/>", lines)}\"|";
            text.Append(CultureInfo.InvariantCulture, $"  {from} -->{label} {to}\n");
        }

        return text.ToString();
    }

    /// <summary>Inputs, parameters and layers, and one vertex for each output and loss.</summary>
    private static IEnumerable<(string Id, string Label, bool IsLayer)> Vertices(NetworkDefinition definition)
    {
        for (var e = 0; e < definition.Graph.Edges.Length; e++)
        {
            if (definition.Graph.Edges[e].Role != EdgeRole.Computed)
                yield return ($"edge{e}", definition.Graph.Edges[e].Name, false);
        }

        for (var n = 0; n < definition.Graph.Nodes.Length; n++)
            yield return ($"node{n}", definition.Graph.Nodes[n].Layer.Symbol, true);
        foreach (var e in Ends(definition))
            yield return ($"end{e}", definition.Graph.Edges[e].Name, false);
    }

    private static IEnumerable<(string From, string To, int Edge)> Arrows(NetworkDefinition definition)
    {
        string Source(int edge) => definition.Graph.Edges[edge].Producer is >= 0 and var n ? $"node{n}" : $"edge{edge}";
        for (var n = 0; n < definition.Graph.Nodes.Length; n++)
        {
            foreach (var e in definition.Graph.Nodes[n].Inputs)
                yield return (Source(e), $"node{n}", e);
        }

        foreach (var e in Ends(definition))
            yield return (Source(e), $"end{e}", e);
    }

    private static IEnumerable<int> Ends(NetworkDefinition definition) =>
        definition.Graph.Outputs.Concat(definition.Graph.Losses.Select(l => l.Edge)).Distinct()
            .Where(e => definition.Graph.Edges[e].Role == EdgeRole.Computed);

    private static Func<int, (string? Value, string? Gradient)> Labels<T>(Workspace<T> workspace)
        where T : unmanaged, IFloatingPointIeee754<T> => edge =>
        {
            var size = workspace.Executor.Edges[edge].Type.Shape.Size;
            return (Label(workspace.ValueOrEmpty(edge), size), Label(workspace.GradientOrEmpty(edge), size));
        };

    private static string? Label<T>(ReadOnlySpan<T> values, int size)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (values.IsEmpty)
            return null;
        if (size > MostNumbers)
            return $"[{size}]";
        var numbers = new string[size];
        for (var i = 0; i < size; i++)
            numbers[i] = values[i].ToString("0.###", CultureInfo.InvariantCulture);
        return string.Join(", ", numbers);
    }

    private static string DotEscape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
        .ReplaceLineEndings("\\n");

    private static string MermaidEscape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("\"", "#quot;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .ReplaceLineEndings(" ")
        .Replace("*", "#42;", StringComparison.Ordinal)
        .Replace("|", "#124;", StringComparison.Ordinal);
}
