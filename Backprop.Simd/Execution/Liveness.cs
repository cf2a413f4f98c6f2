namespace Backprop.Simd.Execution;

/// <summary>Finds the nodes that a pass must run to compute what is wanted.</summary>
internal static class Liveness
{
    /// <summary>Finds the nodes that compute some edges.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="wanted">For each edge whether it is wanted. Afterwards the edges that these depend on are marked too.</param>
    /// <returns>For each node whether it runs.</returns>
    public static bool[] Find(Graph graph, bool[] wanted)
    {
        var runs = new bool[graph.Nodes.Length];
        for (var n = runs.Length - 1; n >= 0; n--)
        {
            runs[n] = Any(graph.Nodes[n].Outputs, wanted);
            foreach (var e in runs[n] ? graph.Nodes[n].Inputs : [])
                wanted[e] = true;
        }

        return runs;
    }

    /// <summary>The edges that the options ask for: outputs, losses if they are computed, and retained edges.</summary>
    public static bool[] Wanted(Graph graph, PlanOptions options)
    {
        var losses = options.Training || options.Losses;
        var wanted = new bool[graph.Edges.Length];
        foreach (var e in graph.Outputs)
            wanted[e] = true;
        foreach (var loss in graph.Losses)
            wanted[loss.Edge] |= losses;

        // Inference without losses skips everything that depends on a loss.
        var behindLoss = new bool[wanted.Length];
        foreach (var node in graph.Nodes)
        {
            var isBehind = !losses && (node.Layer.IsLoss || Any(node.Inputs, behindLoss));
            foreach (var e in node.Outputs)
            {
                behindLoss[e] = isBehind;
                wanted[e] |= options.Retained[e] && !isBehind;
            }
        }

        return wanted;
    }

    /// <summary>The names of the inputs among the edges that have a flag.</summary>
    public static IEnumerable<string> Inputs(Graph graph, bool[] flags)
    {
        for (var e = 0; e < flags.Length; e++)
        {
            if (flags[e] && graph.Edges[e].Role == EdgeRole.Input)
                yield return graph.Edges[e].Name;
        }
    }

    /// <summary>Whether any of some edges has a flag.</summary>
    public static bool Any(int[] edges, bool[] flags)
    {
        foreach (var e in edges)
        {
            if (flags[e])
                return true;
        }

        return false;
    }
}
