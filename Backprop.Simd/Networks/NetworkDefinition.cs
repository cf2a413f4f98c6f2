using System.Numerics;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <summary>
/// A fixed graph: layers, edges, outputs, losses, and where each parameter lies. It knows no element type and holds no numbers;
/// networks are made from it.
/// </summary>
public sealed class NetworkDefinition
{
    private readonly Dictionary<string, int> _edgeByName = [];
    private readonly List<Start> _starts = [];

    internal NetworkDefinition(EdgeInfo[] edges, NodeInfo[] nodes, int[] outputs, WeightedLoss[] losses)
    {
        Edges = edges;
        Nodes = nodes;
        OutputEdges = outputs;
        Losses = losses;
        for (var i = 0; i < edges.Length; i++)
            _edgeByName[edges[i].Name] = i;
        Consumers = new List<int>[edges.Length];
        for (var i = 0; i < edges.Length; i++)
            Consumers[i] = [];
        for (var n = 0; n < nodes.Length; n++)
        {
            for (var i = 0; i < nodes[n].Inputs.Length; i++)
                Consumers[nodes[n].Inputs[i]].Add(n);
        }

        Parameters = new ParameterLayout();
        State = new ParameterLayout();
        ParameterOfEdge = new ParameterInfo?[edges.Length];
        NodeParameters = new ParameterInfo[nodes.Length][];
        NodeStates = new ParameterInfo[nodes.Length][];
        for (var n = 0; n < nodes.Length; n++)
        {
            foreach (var edge in nodes[n].Inputs)
            {
                if (edges[edge].Role != EdgeRole.Parameter || ParameterOfEdge[edge] is not null)
                    continue;
                var shape = edges[edge].Type.Shape;
                ParameterOfEdge[edge] = Parameters.Add(edges[edge].Name, shape);
                var first = shape.Rank == 0 ? 1 : shape[0];
                _starts.Add(new(edges[edge].Initializer ?? Initialize.Xavier, first, shape.Size / first));
            }

            var node = nodes[n];
            var (parameters, states) = (node.Declaration.Parameters, node.Declaration.States);
            NodeParameters[n] = new ParameterInfo[parameters.Count];
            for (var i = 0; i < parameters.Count; i++)
            {
                var p = parameters[i];
                NodeParameters[n][i] = Parameters.Add(node.Name + "." + p.Name, p.Shape);
                _starts.Add(new(p.Initializer ?? Preferred(node), p.FanIn, p.FanOut));
            }

            NodeStates[n] = new ParameterInfo[states.Count];
            for (var i = 0; i < states.Count; i++)
                NodeStates[n][i] = State.Add(node.Name + "." + states[i].Name, states[i].Shape);
        }
    }

    /// <summary>Where each parameter lies in <see cref="Network{T}.Parameters"/>.</summary>
    public ParameterLayout Parameters { get; }

    /// <summary>Where each piece of state lies in <see cref="Network{T}.State"/>.</summary>
    public ParameterLayout State { get; }

    /// <summary>The names of the inputs, in order.</summary>
    public IEnumerable<string> InputNames => Edges.Where(e => e.Role == EdgeRole.Input).Select(e => e.Name);

    /// <summary>The names of the outputs, in order.</summary>
    public IEnumerable<string> OutputNames => OutputEdges.Select(e => Edges[e].Name);

    /// <summary>The names of the losses, in order.</summary>
    public IEnumerable<string> LossNames => Losses.Select(l => Edges[l.Edge].Name);

    /// <summary>The names of all edges that a layer computes, in execution order.</summary>
    public IEnumerable<string> ComputedNames => Edges.Where(e => e.Role == EdgeRole.Computed).Select(e => e.Name);

    internal EdgeInfo[] Edges { get; }

    internal NodeInfo[] Nodes { get; }

    internal int[] OutputEdges { get; }

    internal WeightedLoss[] Losses { get; }

    /// <summary>Per edge the nodes that take it, in execution order; one that takes it twice is there twice.</summary>
    internal List<int>[] Consumers { get; }

    internal ParameterInfo?[] ParameterOfEdge { get; }

    internal ParameterInfo[][] NodeParameters { get; }

    internal ParameterInfo[][] NodeStates { get; }

    /// <summary>The type of a named edge.</summary>
    /// <param name="name">The name of an input, a parameter of the graph, or a node.</param>
    /// <returns>Its kind and shape.</returns>
    /// <exception cref="ArgumentException">There is no such edge.</exception>
    public EdgeType TypeOf(string name) => Edges[EdgeOf(name)].Type;

    /// <summary>Makes a network with freshly initialized parameters.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="seed">The seed: the same parameters on every machine, and the same for float and double up to rounding.</param>
    /// <returns>The network.</returns>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public Network<T> CreateNetwork<T>(ulong seed = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = new Network<T>(this, seed);
        for (var i = 0; i < Parameters.Entries.Count; i++)
        {
            // Each tensor has its own stream, so that one more layer leaves the others' numbers alone.
            var random = new Philox(seed, (ulong)i);
            var entry = Parameters.Entries[i];
            var start = _starts[i];
            start.Initializer.Fill(network.Parameters.Slice(entry.Range.Start, entry.Range.Length), start.FanIn, start.FanOut, ref random);
        }

        for (var n = 0; n < Nodes.Length; n++)
        {
            for (var s = 0; s < NodeStates[n].Length; s++)
                network.StateOf(NodeStates[n][s].Name).Fill(T.CreateChecked(Nodes[n].Declaration.States[s].Initial));
        }

        return network;
    }

    internal int EdgeOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _edgeByName.TryGetValue(name, out var edge)
            ? edge
            : throw new ArgumentException($"The network has no '{name}'; it has: {string.Join(", ", Edges.Select(e => e.Name))}.", nameof(name));
    }

    /// <summary>The layer that makes the numbers of an edge; null for an input or a parameter.</summary>
    internal Layer? OriginOf(string name) => Origins.Of(Edges, Nodes, EdgeOf(name))?.Layer;

    /// <summary>The edge of a name; -1 if there is none.</summary>
    internal int FindEdge(string name) => _edgeByName.TryGetValue(name, out var edge) ? edge : -1;

    private Initializer Preferred(NodeInfo node)
    {
        var consumers = Consumers[node.Outputs[0]];
        return (consumers.Count == 1 ? Nodes[consumers[0]].Layer.PreferredInitializer : null) ?? Initialize.Xavier;
    }

    /// <summary>How a parameter starts.</summary>
    private sealed class Start(Initializer initializer, int fanIn, int fanOut)
    {
        public readonly Initializer Initializer = initializer;

        public readonly int FanIn = fanIn, FanOut = fanOut;
    }
}
