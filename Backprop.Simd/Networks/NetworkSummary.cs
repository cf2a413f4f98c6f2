using System.Globalization;
using System.Text;
using Backprop.Simd.Execution;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <summary>A network as a table: one line for each input and node, with its layer, output shape, parameters, operations and bytes.</summary>
internal static class NetworkSummary
{
    private static readonly string[] Heads = ["node", "layer", "inputs", "output", "parameters", "FLOPs/row", "bytes/row"];

    public static string Of(NetworkDefinition definition, int elementBytes)
    {
        var graph = definition.Graph;
        var lines = new List<string[]> { Heads };
        long parameters = 0, bytes = 0;
        var operations = 0.0;
        foreach (var edge in graph.Edges)
        {
            if (edge.Role == EdgeRole.Computed)
                continue;
            var size = edge.Role == EdgeRole.Parameter ? edge.Type.Shape.Size : 0L;
            var perRow = edge.Type.Kind == EdgeKind.Shared ? 0L
                : (long)edge.Type.Shape.Size * (edge.Type.Kind == EdgeKind.Indices ? sizeof(int) : elementBytes);
            parameters += size;
            bytes += perRow;
            lines.Add([edge.Name, edge.Role == EdgeRole.Parameter ? "(parameter)" : "(input)", "", edge.Type.ToString(), Number(size), "", Number(perRow)]);
        }

        for (var n = 0; n < graph.Nodes.Length; n++)
        {
            var node = graph.Nodes[n];
            long size = 0, perRow = (long)node.Declaration.CachePerRow * elementBytes + (long)node.Declaration.IndexCachePerRow * sizeof(int);
            foreach (var parameter in node.SharesWith >= 0 ? [] : node.Parameters)
                size += parameter.Range.Length;
            foreach (var output in node.Outputs)
                perRow += graph.Edges[output].Type.Kind == EdgeKind.Shared || (node.Declaration.Traits & LayerTraits.View) != 0 ? 0
                    : (long)graph.Edges[output].Type.Shape.Size * elementBytes;
            var work = node.Declaration.OperationsPerRow;
            parameters += size;
            bytes += perRow;
            operations += work;
            lines.Add([
                node.Name, node.Layer.Kind, string.Join(", ", node.Inputs.Select(e => graph.Edges[e].Name)),
                string.Join(", ", node.Outputs.Select(e => graph.Edges[e].Type.ToString())), Number(size), Number(work), Number(perRow)]);
        }

        lines.Add(["total", "", "", "", Number(parameters), Number(operations), Number(bytes)]);
        return Format(lines);
    }

    private static string Number(double value) => value == 0 ? "" : value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Aligns text left and numbers right, and draws lines below the heads and above the total.</summary>
    private static string Format(List<string[]> lines)
    {
        var widths = Enumerable.Range(0, Heads.Length).Select(c => lines.Max(l => l[c].Length)).ToArray();
        var rule = new string('-', widths.Sum() + 2 * (widths.Length - 1));
        var text = new StringBuilder();
        for (var i = 0; i < lines.Count; i++)
        {
            if (i == 1 || i == lines.Count - 1)
                text.Append(rule).Append('\n');
            var cells = lines[i].Select((cell, c) => c < 4 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
