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
internal sealed class EdgeInfo(EdgeType type, EdgeRole role)
{
    public required string Name { get; set; }

    public EdgeType Type => type;

    public EdgeRole Role => role;

    /// <summary>The node that computes it, or -1.</summary>
    public int Producer { get; set; } = -1;

    public Initializer? Initializer { get; set; }

    public EdgeInfo Clone() => new(type, role) { Name = Name, Producer = Producer, Initializer = Initializer };
}

/// <summary>A placed layer.</summary>
internal sealed class NodeInfo(Layer layer, LayerDeclaration declaration, int[] inputs, int[] outputs)
{
    public required string Name { get; set; }

    public Layer Layer => layer;

    public LayerDeclaration Declaration => declaration;

    public int[] Inputs => inputs;

    public int[] Outputs => outputs;

    public NodeInfo Clone() => new(layer, declaration, inputs, outputs) { Name = Name };
}

/// <summary>A loss and its weight in the sum.</summary>
internal readonly record struct WeightedLoss(int Edge, double Weight);
