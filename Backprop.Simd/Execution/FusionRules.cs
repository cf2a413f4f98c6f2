using Backprop.Simd.Activations;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Execution;

/// <summary>
/// The table of fusions: chains of layers that one operation can replace. Only this table tests the types of layers.
/// </summary>
internal static class FusionRules
{
    /// <summary>Replaces each chain that matches a rule, if nobody reads the edges inside it.</summary>
    public static void Apply(ExecutionPlan plan)
    {
        for (var n = 0; n < plan.Nodes.Length; n++)
        {
            if (!plan.Nodes[n].RunsForward || plan.Graph.Nodes[n].Layer is not Convolution2D || Next(plan, n) is not (>= 0 and var second))
                continue;
            if (Fuse(plan, n, second) is { } pair)
                Take(plan, pair, n, second);
            else if (Next(plan, second) is >= 0 and var third && Fuse(plan, n, second, third) is { } triple)
                Take(plan, triple, n, second, third);
        }
    }

    /// <summary>The operation of a chain; null if no rule matches.</summary>
    private static FusedConvolution? Fuse(ExecutionPlan plan, params ReadOnlySpan<int> chain)
    {
        var nodes = plan.Graph.Nodes;
        var input = plan.Graph.Edges[nodes[chain[0]].Inputs[0]].Type;
        return (nodes[chain[0]].Layer, nodes[chain[1]].Layer, chain.Length > 2 ? nodes[chain[2]].Layer : null) switch
        {
            (Convolution2D convolution, MaxPooling2D pooling, null) => FusedConvolution.Of(convolution, input, relu: false, pooling),
            (Convolution2D convolution, Activation<Relu>, MaxPooling2D pooling) => FusedConvolution.Of(convolution, input, relu: true, pooling),
            _ => null,
        };
    }

    /// <summary>The only consumer of a node's output, if nobody else, and not the caller, reads the output or its gradient.</summary>
    private static int Next(ExecutionPlan plan, int node)
    {
        if (plan.Graph.Nodes[node].Outputs is not [var output] || plan.Graph.Consumers[output] is not [var consumer])
            return -1;
        var next = plan.Nodes[consumer];
        return next.RunsForward && next.RunsBackward == plan.Nodes[node].RunsBackward && !plan.Edges[output].Readable && !plan.Edges[output].Seeded
            && plan.Graph.Nodes[consumer].Inputs.Length == 1 ? consumer : -1;
    }

    private static void Take(ExecutionPlan plan, Layer operation, params ReadOnlySpan<int> chain)
    {
        var (first, last) = (plan.Nodes[chain[0]], plan.Graph.Nodes[chain[^1]]);
        var declaration = new LayerDeclaration(operation.Kind, [plan.Graph.Edges[plan.Graph.Nodes[chain[0]].Inputs[0]].Type]);
        operation.Declare(declaration);
        (first.Layer, first.Declaration, first.Outputs) = (operation, declaration, last.Outputs);
        foreach (var n in chain)
        {
            if (n == chain[0])
                continue;
            plan.Nodes[n].FusedInto = chain[0];
            plan.Edges[plan.Graph.Nodes[n].Inputs[0]].IsInside = true;
            foreach (var e in plan.Graph.Nodes[n].Outputs)
                plan.Edges[e].Producer = chain[0];
        }
    }
}
