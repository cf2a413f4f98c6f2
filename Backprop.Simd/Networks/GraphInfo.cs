using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

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

/// <summary>An edge of a graph.</summary>
/// <remarks>Here and in the other records of a graph and a workspace: fields, and loops over them. Each accessor, closure and
/// query operator is one more method that the compiler meets before the first step.</remarks>
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

    public EdgeInfo Clone() => new(Type, Role) { Name = Name, Producer = Producer, Initializer = Initializer };
}

/// <summary>A placed layer.</summary>
internal sealed class NodeInfo(Layer layer, LayerDeclaration declaration, int[] inputs, int[] outputs)
{
    public readonly Layer Layer = layer;

    public readonly LayerDeclaration Declaration = declaration;

    public readonly int[] Inputs = inputs;

    public readonly int[] Outputs = outputs;

    public required string Name;

    public NodeInfo Clone() => new(Layer, Declaration, Inputs, Outputs) { Name = Name };
}

/// <summary>A loss and its weight in the sum.</summary>
internal sealed class WeightedLoss(int edge, double weight)
{
    public readonly int Edge = edge;

    public readonly double Weight = weight;
}
