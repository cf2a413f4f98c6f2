using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Execution;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Networks;

/// <summary>
/// A finished graph: layers, edges, outputs, losses, and where each parameter lies. It has no element type and holds no numbers:
/// networks made from it do.
/// </summary>
public sealed class NetworkDefinition
{
    private readonly Dictionary<string, int> _edgeByName = [];
    private readonly List<Start> _starts = [];

    internal NetworkDefinition(Graph graph)
    {
        Graph = graph;
        for (var e = 0; e < graph.Edges.Length; e++)
            _edgeByName[graph.Edges[e].Name] = e;
        Parameters = new ParameterLayout();
        State = new ParameterLayout();
        foreach (var node in graph.Nodes)
        {
            PlaceParametersOfGraph(node);
            if (node.SharesWith >= 0)
            {
                var first = graph.Nodes[node.SharesWith];
                (node.Parameters, node.States) = node.ReadParameter >= 0 ? ([first.Parameters[node.ReadParameter]], []) : (first.Parameters, first.States);
                continue;
            }

            PlaceParametersOfLayer(node);
            var states = node.Declaration.States;
            node.States = new BlockSlot[states.Count];
            for (var i = 0; i < states.Count; i++)
                node.States[i] = new(State.Add(node.Name + "." + states[i].Name, states[i].Shape).Range, states[i].Shape);
        }

        graph.Parameters = new BlockRange[Parameters.Entries.Count];
        for (var i = 0; i < graph.Parameters.Length; i++)
            graph.Parameters[i] = Parameters.Entries[i].Range;
        (graph.ParameterLength, graph.StateLength) = (Parameters.Length, State.Length);
        CheckSmallest();
    }

    /// <summary>The sizes that are free until run time, in the order of the inputs. Types and <see cref="Network{T}.Summary"/> show the largest.</summary>
    public IReadOnlyList<Dimension> FreeSizes => Graph.FreeSizes;

    /// <summary>Where each parameter lies in <see cref="Network{T}.Parameters"/>.</summary>
    public ParameterLayout Parameters { get; }

    /// <summary>Where each piece of state lies in <see cref="Network{T}.State"/>.</summary>
    public ParameterLayout State { get; }

    /// <summary>The names of the inputs, in order.</summary>
    public IEnumerable<string> InputNames => Graph.Edges.Where(e => e.Role == EdgeRole.Input).Select(e => e.Name);

    /// <summary>The names of the outputs, in order.</summary>
    public IEnumerable<string> OutputNames => Graph.Outputs.Select(e => Graph.Edges[e].Name);

    /// <summary>The names of the losses, in order.</summary>
    public IEnumerable<string> LossNames => Graph.Losses.Select(l => Graph.Edges[l.Edge].Name);

    /// <summary>The names of all edges that a layer computes, in execution order.</summary>
    public IEnumerable<string> ComputedNames => Graph.Edges.Where(e => e.Role == EdgeRole.Computed).Select(e => e.Name);

    /// <summary>The placed layers, in execution order.</summary>
    public IReadOnlyList<GraphNode> Nodes => field ??= Array.AsReadOnly(Array.ConvertAll(Graph.Nodes, Describe));

    internal Graph Graph { get; }

    /// <summary>The type of a named edge.</summary>
    /// <param name="name">The name of an input, a parameter of the graph, or a node.</param>
    /// <returns>Its kind and shape.</returns>
    /// <exception cref="ArgumentException">There is no such edge.</exception>
    public EdgeType TypeOf(string name) => Graph.Edges[EdgeOf(name)].Type;

    /// <summary>The dimensions of a row of an input, with the names of those that are free.</summary>
    /// <param name="input">The name of an input.</param>
    /// <returns>The dimensions.</returns>
    /// <exception cref="ArgumentException">There is no such input.</exception>
    public IReadOnlyList<Dimension> DimensionsOf(string input)
    {
        var edge = Graph.Edges[EdgeOf(input)];
        if (edge.Role != EdgeRole.Input)
            throw new ArgumentException($"'{input}' is no input; the inputs are: {string.Join(", ", InputNames)}.", nameof(input));
        var dimensions = new Dimension[edge.Type.Shape.Rank];
        for (var d = 0; d < dimensions.Length; d++)
            dimensions[d] = edge.Dimensions.Length > 0 ? edge.Dimensions[d] : edge.Type.Shape[d];
        return dimensions;
    }

    /// <summary>The inputs that the passes of a workspace read: the inputs of its outputs, of the nodes it retains, and of the losses
    /// if it computes them. Other inputs may be left empty.</summary>
    /// <param name="options">The options of the workspace; training if null.</param>
    /// <returns>The names, in order.</returns>
    /// <exception cref="ArgumentException">A retained name does not exist.</exception>
    public IEnumerable<string> RequiredInputs(WorkspaceOptions? options = null)
    {
        var wanted = Liveness.Wanted(Graph, (options ?? WorkspaceOptions.Training).ToPlan(this));
        Liveness.Find(Graph, wanted);
        return Liveness.Inputs(Graph, wanted);
    }

    /// <summary>Makes a network with new parameters.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="seed">The seed. It gives the same parameters on every machine, and in float and double up to rounding.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public Network<T> CreateNetwork<T>(ulong seed = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = new Network<T>(this, seed);
        Span<int> shape = stackalloc int[Shape.MaxRank];
        for (var i = 0; i < Parameters.Entries.Count; i++)
        {
            // Each tensor has its own stream, so that adding a layer does not change the numbers of the others.
            var random = new Philox(seed, (ulong)i);
            var entry = Parameters.Entries[i];
            var start = _starts[i];
            var values = network.Parameters.Slice(entry.Range.Start, entry.Range.Length);
            start.Initializer.Fill(values, entry.Shape.CopyTo(shape), start.FanIn, start.FanOut, ref random);
        }

        foreach (var node in Graph.Nodes)
        {
            for (var i = 0; i < node.States.Length; i++)
            {
                var range = node.States[i].Range;
                network.State.Slice(range.Start, range.Length).Fill(T.CreateChecked(node.Declaration.States[i].Initial));
            }
        }

        return network;
    }

    /// <summary>Throws if the graph cannot be with the smallest of its free sizes, so that this is known before the first batch.</summary>
    private void CheckSmallest()
    {
        if (Graph.FreeSizes.Length == 0)
            return;
        try
        {
            Graph.At(Array.ConvertAll(Graph.FreeSizes, static size => size.Smallest));
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException($"The graph cannot have the smallest of its free sizes. {e.WithoutParameter()}", e);
        }
    }

    internal int EdgeOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _edgeByName.TryGetValue(name, out var edge)
            ? edge
            : throw new ArgumentException($"The network has no '{name}'; it has: {string.Join(", ", Graph.Edges.Select(e => e.Name))}.", nameof(name));
    }

    /// <summary>What the numbers of an edge mean.</summary>
    internal OutputMeaning MeaningOf(string name) => Origins.Of(Graph.Edges, Graph.Nodes, EdgeOf(name))?.Declaration.Meaning ?? OutputMeaning.Anything;

    /// <summary>The edge of a name; -1 if there is none.</summary>
    internal int FindEdge(string name) => _edgeByName.TryGetValue(name, out var edge) ? edge : -1;

    /// <summary>Places each parameter of the graph at the first node that takes it.</summary>
    private void PlaceParametersOfGraph(NodeInfo node)
    {
        foreach (var e in node.Inputs)
        {
            var edge = Graph.Edges[e];
            if (edge.Role != EdgeRole.Parameter || Graph.ParameterOfEdge[e] is not null)
                continue;
            var shape = edge.Type.Shape;
            Graph.ParameterOfEdge[e] = Parameters.Add(edge.Name, shape).Range;
            var first = shape.Rank == 0 ? 1 : shape[0];
            _starts.Add(new(edge.Initializer ?? Initialize.Xavier, first, shape.Size / first));
        }
    }

    private void PlaceParametersOfLayer(NodeInfo node)
    {
        var parameters = node.Declaration.Parameters;
        node.Parameters = new BlockSlot[parameters.Count];
        for (var i = 0; i < parameters.Count; i++)
        {
            var p = parameters[i];
            node.Parameters[i] = new(Parameters.Add(node.Name + "." + p.Name, p.Shape).Range, p.Shape);
            _starts.Add(new(p.Initializer ?? Preferred(node), p.FanIn, p.FanOut));
        }
    }

    private GraphNode Describe(NodeInfo node)
    {
        var owner = node.SharesWith >= 0 ? Graph.Nodes[node.SharesWith] : node;
        var parameters = Declared(owner, owner.Declaration.Parameters.Count, i => owner.Declaration.Parameters[i].Name);
        return new(node.Name, node.Layer, NamesOf(node.Inputs), NamesOf(node.Outputs),
            node.ReadParameter >= 0 ? [parameters[node.ReadParameter]] : parameters,
            node.ReadParameter >= 0 ? [] : Declared(owner, owner.Declaration.States.Count, i => owner.Declaration.States[i].Name));
    }

    private string[] NamesOf(int[] edges) => Array.ConvertAll(edges, e => Graph.Edges[e].Name);

    private static string[] Declared(NodeInfo owner, int count, Func<int, string> name) =>
        [.. Enumerable.Range(0, count).Select(i => $"{owner.Name}.{name(i)}")];

    private Initializer Preferred(NodeInfo node)
    {
        var consumers = Graph.Consumers[node.Outputs[0]];
        return (consumers.Count == 1 ? Graph.Nodes[consumers[0]].Layer.PreferredInitializer : null) ?? Initialize.Xavier;
    }

    /// <summary>How a parameter starts.</summary>
    private sealed class Start(Initializer initializer, int fanIn, int fanOut)
    {
        public readonly Initializer Initializer = initializer;

        public readonly int FanIn = fanIn, FanOut = fanOut;
    }
}
