using Backprop.Simd.Execution;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>The inputs of a graph.</content>
public sealed partial class GraphBuilder
{
    /// <summary>The free sizes by name.</summary>
    private readonly Dictionary<string, Dimension> _freeSizes = [];

    /// <summary>Adds an input of values.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="shape">Its shape per row; nothing for a scalar.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken, or the shape is not valid.</exception>
    public Node Input(string name, params ReadOnlySpan<int> shape) => Input(name, new Shape(shape));

    /// <summary>Adds an input of values.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="shape">Its shape per row.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken.</exception>
    public Node Input(string name, Shape shape) => AddEdge(name, new EdgeType(EdgeKind.Values, shape), EdgeRole.Input);

    /// <summary>Adds an input of 32-bit integers: labels, embedding indices, lengths.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="shape">Its shape per row; nothing for one integer.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken, or the shape is not valid.</exception>
    public Node IndexInput(string name, params ReadOnlySpan<int> shape) => IndexInput(name, new Shape(shape));

    /// <summary>Adds an input of 32-bit integers: labels, embedding indices, lengths.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="shape">Its shape per row.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken.</exception>
    public Node IndexInput(string name, Shape shape) => AddEdge(name, new EdgeType(EdgeKind.Indices, shape), EdgeRole.Input);

    /// <summary>Adds an input without a batch dimension: a constant given at run time.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="shape">Its shape; nothing for a scalar.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken, or the shape is not valid.</exception>
    public Node SharedInput(string name, params ReadOnlySpan<int> shape) =>
        AddEdge(name, new EdgeType(EdgeKind.Shared, new Shape(shape)), EdgeRole.Input);

    /// <summary>Adds an input of values with sizes that are free until run time: <c>graph.Input("x", Dimension.Free("time", 512), 64)</c>.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="first">The first dimension of its rows.</param>
    /// <param name="others">The others.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken, the shape is not valid, or a free size has other bounds elsewhere.</exception>
    public Node Input(string name, Dimension first, params ReadOnlySpan<Dimension> others) => Sized(name, EdgeKind.Values, [first, .. others]);

    /// <summary>Adds an input of 32-bit integers with sizes that are free until run time.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="first">The first dimension of its rows.</param>
    /// <param name="others">The others.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken, the shape is not valid, or a free size has other bounds elsewhere.</exception>
    public Node IndexInput(string name, Dimension first, params ReadOnlySpan<Dimension> others) => Sized(name, EdgeKind.Indices, [first, .. others]);

    /// <summary>Adds an input without a batch dimension whose sizes are free until run time.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="first">Its first dimension.</param>
    /// <param name="others">The others.</param>
    /// <returns>The input.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken, the shape is not valid, or a free size has other bounds elsewhere.</exception>
    public Node SharedInput(string name, Dimension first, params ReadOnlySpan<Dimension> others) => Sized(name, EdgeKind.Shared, [first, .. others]);

    private Node Sized(string name, EdgeKind kind, Dimension[] dimensions)
    {
        foreach (var dimension in dimensions)
        {
            if (dimension.Name is not { } free)
                continue;
            var known = _freeSizes.TryGetValue(free, out var before) ? before : Array.Find(dimensions, d => d.Name == free);
            if (known != dimension)
                throw new ArgumentException($"The graph has the free size {known} already; got {dimension}.", nameof(dimensions));
        }

        var node = AddEdge(name, new EdgeType(kind, new Shape(Array.ConvertAll(dimensions, d => d.Largest))), EdgeRole.Input);
        foreach (var dimension in dimensions)
        {
            if (dimension.Name is { } free)
                (_freeSizes[free], _edges[node.Edge].Dimensions) = (dimension, dimensions);
        }

        return node;
    }
}
