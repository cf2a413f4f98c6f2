using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <summary>A placed layer of a finished graph: what a program needs to write the graph in another form.</summary>
public sealed class GraphNode
{
    internal GraphNode(string name, Layer layer, string[] inputs, string[] outputs, string[] parameters, string[] states) =>
        (Name, Layer, Inputs, Outputs, Parameters, States) = (name, layer, inputs, outputs, parameters, states);

    /// <summary>The name of the node.</summary>
    public string Name { get; }

    /// <summary>The layer, with its settings. Nodes that share a layer have the same object.</summary>
    public Layer Layer { get; }

    /// <summary>The names of the edges that it takes: inputs, parameters of the graph, and outputs of nodes before it.</summary>
    public IReadOnlyList<string> Inputs { get; }

    /// <summary>The names of the edges that it computes; the first is <see cref="Name"/>.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>The names of its parameters, as <see cref="Network{T}.ParameterOf"/> takes them, in the order in which the layer declares them.
    /// A layer that is shared has those of its first place.</summary>
    public IReadOnlyList<string> Parameters { get; }

    /// <summary>The names of its state, as <see cref="Network{T}.StateOf"/> takes them, in the order in which the layer declares them.</summary>
    public IReadOnlyList<string> States { get; }

    /// <summary>Name and kind.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{Name}: {Layer.Kind}({string.Join(", ", Inputs)})";
}
