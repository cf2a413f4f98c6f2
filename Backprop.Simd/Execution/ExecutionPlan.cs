using Backprop.Simd.Layers;

namespace Backprop.Simd.Execution;

/// <summary>What a plan decides about an edge.</summary>
internal sealed class EdgePlan
{
    /// <summary>Whether the caller may read the value, and the gradient if there is one.</summary>
    public bool Readable;

    public bool IsOutput, IsLoss;

    /// <summary>Whether backward needs the gradient, starts from it, reaches it.</summary>
    public bool NeedsGradient, Seeded, HasFlow;

    /// <summary>Whether a node that runs reads the value.</summary>
    public bool IsRead;

    /// <summary>True for an edge between the parts of a fused operation, which is never stored.</summary>
    public bool IsInside;

    /// <summary>The node whose operation computes the edge; -1 for none.</summary>
    public int Producer;

    /// <summary>The edges in whose buffers the value and the gradient lie: the edge itself, or an input whose memory it shares.</summary>
    public int ValueRoot, GradientRoot;

    /// <summary>For a value in its input's memory: the input, and the element of the input's rows where it starts.</summary>
    public int ViewOf = -1, ViewStart;

    /// <summary>Whether other elements lie between the rows of the value, because it lies inside of longer rows.</summary>
    public bool HasGaps;
}

/// <summary>What a plan decides about a node.</summary>
internal sealed class NodePlan(NodeInfo info)
{
    /// <summary>What runs for the node: its layer, or the operation that the node and those after it are fused into.</summary>
    public Layer Layer = info.Layer;

    public LayerDeclaration Declaration = info.Declaration;

    public int[] Outputs = info.Outputs;

    public bool RunsForward, RunsBackward;

    /// <summary>The node whose operation does this node's work; -1 for none.</summary>
    public int FusedInto = -1;

    /// <summary>Whether output and input share memory, so that forward has nothing to do; the same for gradients and backward.</summary>
    public bool IsView, IsGradientView;

    /// <summary>Per input: whether its gradient is needed, and whether another consumer has written to it before.</summary>
    public readonly bool[] NeedsInputGradient = new bool[info.Inputs.Length];

    public readonly bool[] AddsInputGradient = new bool[info.Inputs.Length];

    /// <summary>The edges that feed several inputs of the node and that no other consumer has written. Their gradients are cleared, so that
    /// the node adds to them in any order.</summary>
    public readonly List<int> ClearedGradients = [];
}

/// <summary>
/// All decisions made before memory is allocated: which nodes run, which edges have gradients, what is fused, what shares a buffer. They
/// depend only on the graph and the options.
/// </summary>
internal sealed class ExecutionPlan
{
    public readonly Graph Graph;

    public readonly PlanOptions Options;

    public readonly EdgePlan[] Edges;

    public readonly NodePlan[] Nodes;

    public ExecutionPlan(Graph graph, PlanOptions options)
    {
        (Graph, Options) = (graph, options);
        Edges = new EdgePlan[graph.Edges.Length];
        for (var e = 0; e < Edges.Length; e++)
        {
            var info = graph.Edges[e];
            Edges[e] = new EdgePlan
            {
                Readable = options.Retained[e] || info.Role != EdgeRole.Computed,
                Producer = info.Producer,
                ValueRoot = e,
                GradientRoot = e,
            };
        }

        foreach (var e in graph.Outputs)
            Edges[e].IsOutput = Edges[e].Readable = true;
        foreach (var loss in graph.Losses)
            Edges[loss.Edge].IsLoss = Edges[loss.Edge].Readable = true;

        var runs = Liveness.Find(graph, Liveness.Wanted(graph, options));
        Nodes = new NodePlan[graph.Nodes.Length];
        for (var n = 0; n < Nodes.Length; n++)
        {
            Nodes[n] = new NodePlan(graph.Nodes[n]) { RunsForward = runs[n] };
            foreach (var e in runs[n] ? graph.Nodes[n].Inputs : [])
                Edges[e].IsRead = true;
        }

        if (options.Training)
            BackwardFlow.Find(this);
        FusionRules.Apply(this);
        Aliasing.Find(this);
    }
}
