using Backprop.Simd.Layers;

namespace Backprop.Simd.Execution;

/// <content>The same graph with other sizes of its inputs.</content>
internal sealed partial class Graph
{
    /// <summary>The largest of each free size: the sizes that the graph is built with.</summary>
    public int[] LargestSizes() => Array.ConvertAll(FreeSizes, static size => size.Largest);

    /// <summary>This graph with other sizes. Every layer declares itself again; parameters and state lie where they lie.</summary>
    /// <param name="sizes">A size for each free size.</param>
    /// <exception cref="ArgumentException">A layer does not take these sizes, or would have other parameters.</exception>
    public Graph At(int[] sizes)
    {
        var edges = new EdgeInfo[Edges.Length];
        for (var e = 0; e < edges.Length; e++)
            edges[e] = Edges[e].With(TypeAt(Edges[e], sizes));
        var nodes = new NodeInfo[Nodes.Length];
        for (var n = 0; n < nodes.Length; n++)
        {
            var node = Nodes[n];
            var declaration = Declare(node, Array.ConvertAll(node.Inputs, e => edges[e].Type), sizes);
            for (var port = 0; port < node.Outputs.Length; port++)
                edges[node.Outputs[port]] = edges[node.Outputs[port]].With(declaration.Outputs[port]);
            nodes[n] = new NodeInfo(node.Layer, declaration, node.Inputs, node.Outputs)
            {
                Name = node.Name,
                SharesWith = node.SharesWith,
                ReadParameter = node.ReadParameter,
                Parameters = node.Parameters,
                States = node.States,
            };
        }

        var graph = new Graph(edges, nodes, Outputs, Losses)
        {
            Parameters = Parameters,
            ParameterLength = ParameterLength,
            StateLength = StateLength,
        };
        ParameterOfEdge.CopyTo(graph.ParameterOfEdge, 0);
        return graph;
    }

    /// <summary>Sizes as messages write them: <c>time = 12, width = 7</c>.</summary>
    public string Text(ReadOnlySpan<int> sizes)
    {
        var parts = new string[FreeSizes.Length];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = $"{FreeSizes[i].Name} = {sizes[i]}";
        return string.Join(", ", parts);
    }

    private LayerDeclaration Declare(NodeInfo node, EdgeType[] inputs, int[] sizes)
    {
        var declaration = new LayerDeclaration(node.Layer.Kind, inputs);
        try
        {
            node.Layer.Declare(declaration);
            declaration.Check();
        }
        catch (ArgumentException e) when (e.GetType() == typeof(ArgumentException))
        {
            throw Refusal(node, sizes, e.WithoutParameter(), e);
        }

        var before = node.Declaration;
        if (!declaration.HasParametersOf(before))
            throw Refusal(node, sizes, "its parameters or state would have other shapes: they may not depend on a free size", null);
        var isAlike = declaration.Outputs.Length == before.Outputs.Length;
        for (var port = 0; isAlike && port < before.Outputs.Length; port++)
            isAlike = declaration.Outputs[port].Kind == before.Outputs[port].Kind;
        return isAlike ? declaration : throw Refusal(node, sizes, "it declares outputs of other kinds", null);
    }

    private ArgumentException Refusal(NodeInfo node, int[] sizes, string reason, Exception? inner) =>
        new($"With {Text(sizes)}, '{node.Name}' cannot be: {reason.TrimEnd('.')}.", nameof(sizes), inner);

    private EdgeType TypeAt(EdgeInfo edge, int[] sizes)
    {
        if (edge.Dimensions.Length == 0)
            return edge.Type;
        var dimensions = new int[edge.Dimensions.Length];
        for (var d = 0; d < dimensions.Length; d++)
        {
            var free = IndexOf(edge.Dimensions[d].Name);
            dimensions[d] = free < 0 ? edge.Dimensions[d].Largest : sizes[free];
        }

        return new(edge.Type.Kind, new Shape(dimensions));
    }

    /// <summary>The place of a free size; -1 if no free size has this name.</summary>
    public int IndexOf(string? name)
    {
        for (var i = 0; i < FreeSizes.Length; i++)
        {
            if (FreeSizes[i].Name == name)
                return i;
        }

        return -1;
    }

    private Dimension[] FindFreeSizes()
    {
        List<Dimension>? free = null;
        foreach (var edge in Edges)
        {
            foreach (var dimension in edge.Dimensions)
            {
                if (dimension.Name is not null && free?.Contains(dimension) != true)
                    (free ??= []).Add(dimension);
            }
        }

        return free is null ? [] : [.. free];
    }
}
