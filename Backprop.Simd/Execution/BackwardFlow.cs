using Backprop.Simd.Layers;

namespace Backprop.Simd.Execution;

/// <summary>Decides which edges have gradients, which consumer writes each, and which add to it.</summary>
internal static class BackwardFlow
{
    public static void Find(ExecutionPlan plan)
    {
        FindNeeds(plan);
        var (graph, options) = (plan.Graph, plan.Options);
        foreach (var edge in plan.Edges)
        {
            edge.Seeded = edge.IsLoss || edge.IsOutput && (options.OutputGradients || graph.Losses.Length == 0);
            edge.HasFlow = edge.Seeded;
        }

        for (var n = plan.Nodes.Length - 1; n >= 0; n--)
        {
            var (info, node) = (graph.Nodes[n], plan.Nodes[n]);
            node.RunsBackward = node.RunsForward && HasFlow(plan, info.Outputs) && HasUse(plan, info);
            if (!node.RunsBackward)
                continue;
            for (var i = 0; i < info.Inputs.Length; i++)
            {
                var edge = plan.Edges[info.Inputs[i]];
                node.NeedsInputGradient[i] = edge.NeedsGradient;
                if (!edge.NeedsGradient)
                    continue;
                var first = Array.IndexOf(info.Inputs, info.Inputs[i]);
                if (first < i && !node.AddsInputGradient[first])
                {
                    node.AddsInputGradient[first] = true;
                    node.ClearedGradients.Add(info.Inputs[i]);
                }

                node.AddsInputGradient[i] = edge.HasFlow;
                edge.HasFlow = true;
            }
        }
    }

    /// <summary>Parameters need gradients, inputs do if wanted, and so does all that is computed from them.</summary>
    private static void FindNeeds(ExecutionPlan plan)
    {
        var (graph, options) = (plan.Graph, plan.Options);
        for (var e = 0; e < plan.Edges.Length; e++)
        {
            var info = graph.Edges[e];
            plan.Edges[e].NeedsGradient = info.Role == EdgeRole.Parameter && options.ParameterGradients
                || info.Role == EdgeRole.Input && options.InputGradients && info.Type.Kind != EdgeKind.Indices;
        }

        foreach (var node in graph.Nodes)
        {
            if (!HasUse(plan, node))
                continue;
            foreach (var e in node.Outputs)
                plan.Edges[e].NeedsGradient = true;
        }
    }

    /// <summary>Whether somebody needs what a node's backward pass writes.</summary>
    private static bool HasUse(ExecutionPlan plan, NodeInfo node)
    {
        if ((node.Declaration.Traits & LayerTraits.StopsGradient) != 0)
            return false;
        if (plan.Options.ParameterGradients && node.Parameters.Length > 0)
            return true;
        foreach (var e in node.Inputs)
        {
            if (plan.Edges[e].NeedsGradient)
                return true;
        }

        return false;
    }

    private static bool HasFlow(ExecutionPlan plan, int[] edges)
    {
        foreach (var e in edges)
        {
            if (plan.Edges[e].HasFlow)
                return true;
        }

        return false;
    }
}
