using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Execution;

/// <summary>Where the numbers of an edge come from.</summary>
internal enum EdgeRole
{
    /// <summary>The caller.</summary>
    Input,

    /// <summary>The parameter block.</summary>
    Parameter,

    /// <summary>A layer.</summary>
    Computed,
}

/// <summary>An edge of a graph: an input, a parameter, or the output of a layer.</summary>
/// <remarks>The types of a graph and of a plan have fields, and plain loops use them. Each accessor, closure or query operator would be
/// another method to compile before the first step.</remarks>
internal sealed class EdgeInfo(EdgeType type, EdgeRole role)
{
    public readonly EdgeType Type = type;

    public readonly EdgeRole Role = role;

    public required string Name;

    /// <summary>The node that computes it, or -1.</summary>
    public int Producer = -1;

    public Initializer? Initializer;

    /// <summary>While the graph is built: whether it is an output, and its place among the losses, or -1.</summary>
    public bool IsOutput;

    public int LossPlace = -1;

    /// <summary>For an input with free sizes, its dimensions; empty for others.</summary>
    public Dimension[] Dimensions = [];

    public EdgeInfo Clone() => With(Type);

    /// <summary>The same edge with another type.</summary>
    public EdgeInfo With(EdgeType type) => new(type, Role) { Name = Name, Producer = Producer, Initializer = Initializer, Dimensions = Dimensions };
}

/// <summary>A placed layer.</summary>
internal sealed class NodeInfo(Layer layer, LayerDeclaration declaration, int[] inputs, int[] outputs)
{
    public readonly Layer Layer = layer;

    public readonly LayerDeclaration Declaration = declaration;

    public readonly int[] Inputs = inputs;

    public readonly int[] Outputs = outputs;

    public required string Name;

    /// <summary>The first node of a shared layer, whose parameters and states this node uses; -1 for its own.</summary>
    public int SharesWith = -1;

    /// <summary>For a node that reads one parameter of the layer that it shares with, which; -1 for others.</summary>
    public int ReadParameter = -1;

    /// <summary>Where the parameters and states that the layer declared lie in their blocks.</summary>
    public BlockSlot[] Parameters = [];

    public BlockSlot[] States = [];

    public NodeInfo Clone() => new(Layer, Declaration, Inputs, Outputs) { Name = Name, SharesWith = SharesWith, ReadParameter = ReadParameter };
}

/// <summary>A loss and its weight in the sum.</summary>
internal sealed class WeightedLoss(int edge, double weight)
{
    public readonly int Edge = edge;

    public readonly double Weight = weight;
}

/// <summary>A fixed graph in execution order.</summary>
internal sealed partial class Graph
{
    public readonly EdgeInfo[] Edges;

    public readonly NodeInfo[] Nodes;

    public readonly int[] Outputs;

    public readonly WeightedLoss[] Losses;

    /// <summary>For each edge the nodes that take it, in execution order. A node that takes it twice is listed twice.</summary>
    public readonly List<int>[] Consumers;

    /// <summary>For each edge that is a parameter, where it lies; null for the others.</summary>
    public readonly BlockRange?[] ParameterOfEdge;

    /// <summary>The free sizes, in the order of the inputs.</summary>
    public readonly Dimension[] FreeSizes;

    /// <summary>All parameters in ascending order, and the lengths of the two blocks.</summary>
    public BlockRange[] Parameters = [];

    public int ParameterLength, StateLength;

    public Graph(EdgeInfo[] edges, NodeInfo[] nodes, int[] outputs, WeightedLoss[] losses)
    {
        (Edges, Nodes, Outputs, Losses) = (edges, nodes, outputs, losses);
        ParameterOfEdge = new BlockRange?[edges.Length];
        FreeSizes = FindFreeSizes();
        Consumers = new List<int>[edges.Length];
        for (var e = 0; e < edges.Length; e++)
            Consumers[e] = [];
        for (var n = 0; n < nodes.Length; n++)
        {
            foreach (var e in nodes[n].Inputs)
                Consumers[e].Add(n);
        }
    }
}
