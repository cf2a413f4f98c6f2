using Backprop.Simd.Memory;

namespace Backprop.Simd.Execution;

/// <summary>The gradients that no layer writes, so that a backward pass must clear them.</summary>
internal static class UnwrittenGradients
{
    /// <summary>The ranges of the parameters' gradients that nobody writes: padding, and parameters that no loss reaches.</summary>
    public static BlockRange[] Ranges(ExecutionPlan plan)
    {
        var graph = plan.Graph;
        var written = new HashSet<int>();
        for (var n = 0; n < plan.Nodes.Length; n++)
        {
            foreach (var slot in plan.Nodes[n].RunsBackward ? graph.Nodes[n].Parameters : [])
                written.Add(slot.Range.Start);
        }

        for (var e = 0; e < plan.Edges.Length; e++)
        {
            if (plan.Edges[e].HasFlow && graph.ParameterOfEdge[e] is { } range)
                written.Add(range.Start);
        }

        var ranges = new List<BlockRange>();
        var end = 0;
        foreach (var range in graph.Parameters)
        {
            if (!written.Contains(range.Start))
                continue;
            if (range.Start > end)
                ranges.Add(new BlockRange(end, range.Start - end));
            end = range.End;
        }

        if (graph.ParameterLength > end)
            ranges.Add(new BlockRange(end, graph.ParameterLength - end));
        return ranges.ToArray();
    }

    /// <summary>The outputs whose gradients no consumer writes, of nodes that run backward. With free sizes also what the caller may read:
    /// it would hold the numbers of another size.</summary>
    public static int[] Edges(ExecutionPlan plan)
    {
        var edges = new List<int>();
        for (var e = 0; plan.Graph.FreeSizes.Length > 0 && e < plan.Edges.Length; e++)
        {
            var edge = plan.Edges[e];
            if (!edge.HasFlow && edge.NeedsGradient && edge.Readable && !edge.IsInside && plan.Graph.Edges[e].Role != EdgeRole.Parameter)
                edges.Add(e);
        }

        foreach (var node in plan.Nodes)
        {
            foreach (var e in node is { RunsBackward: true, FusedInto: < 0 } ? node.Outputs : [])
            {
                if (!plan.Edges[e].HasFlow && !edges.Contains(e))
                    edges.Add(e);
            }
        }

        return edges.ToArray();
    }
}
