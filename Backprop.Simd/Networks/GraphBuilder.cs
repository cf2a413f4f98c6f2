using System.Globalization;
using Backprop.Simd.Execution;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Networks;

/// <summary>Builds a graph of layers: inputs, parameters, layers, outputs and losses, in any arrangement without cycles.</summary>
/// <remarks>
/// A node can be used only after it is made. So every graph is in execution order, and cycles cannot be built.
/// </remarks>
public sealed partial class GraphBuilder
{
    private readonly List<EdgeInfo> _edges = [];
    private readonly List<NodeInfo> _nodes = [];
    private readonly List<int> _outputs = [];
    private readonly List<WeightedLoss> _losses = [];
    private readonly HashSet<string> _names = [];

    /// <summary>The loss that was placed on an edge.</summary>
    private readonly Dictionary<int, int> _lossOfExpression = [];

    /// <summary>The layers with parameters or state that were placed, with their first node, and those that may be placed again.</summary>
    private readonly Dictionary<Layer, int> _firstNodes = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Layer> _shared = new(ReferenceEqualityComparer.Instance);

    /// <summary>For each kind of layer, the lowest number whose automatic name may be free.</summary>
    private readonly Dictionary<string, int> _firstFree = [];

    internal bool HasEnd => _outputs.Count + _losses.Count > 0;

    /// <summary>Starts a chain: a new graph with one input of values.</summary>
    /// <param name="size">The size of a row.</param>
    /// <param name="name">The name of the input.</param>
    /// <returns>The input.</returns>
    public static Node Chain(int size, string name = "x") => new GraphBuilder().Input(name, size);

    /// <summary>Starts a chain: a new graph with one input of values.</summary>
    /// <param name="shape">The shape of a row: <c>new Shape(28, 28, 1)</c> for images, channels last.</param>
    /// <param name="name">The name of the input.</param>
    /// <returns>The input.</returns>
    public static Node Chain(Shape shape, string name = "x") => new GraphBuilder().Input(name, shape);

    /// <summary>Adds a trained parameter that layers take as an input. Layers that take the same parameter share it: the weights are tied.</summary>
    /// <param name="name">Its name, unique in the graph.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="initializer">How it starts; null for Xavier, with the first dimension as fan-in and the rest as fan-out.</param>
    /// <returns>The parameter.</returns>
    /// <exception cref="ArgumentException">The name is empty or taken.</exception>
    public Node Parameter(string name, Shape shape, Initializer? initializer = null)
    {
        var node = AddEdge(name, new EdgeType(EdgeKind.Shared, shape), EdgeRole.Parameter);
        _edges[node.Edge].Initializer = initializer;
        return node;
    }

    /// <summary>Lets a layer be placed several times in this graph with one set of parameters and state: two branches that compute the same
    /// function, a layer that is applied again to its own output.</summary>
    /// <remarks>The parameters have the name of the first place. The gradients of all places add up; state, such as running statistics,
    /// moves once for each. Without this, a layer object that has parameters or state can be placed once.</remarks>
    /// <typeparam name="TLayer">The type of the layer.</typeparam>
    /// <param name="layer">The layer.</param>
    /// <returns>The same layer.</returns>
    public TLayer Share<TLayer>(TLayer layer) where TLayer : Layer
    {
        ArgumentNullException.ThrowIfNull(layer);
        _shared.Add(layer);
        return layer;
    }

    /// <summary>Places a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Its inputs, all from this graph.</param>
    /// <returns>Its first output.</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer, or belong to another graph.</exception>
    public Node Apply(Layer layer, params ReadOnlySpan<Node> inputs) => new(this, Place(layer, Own(inputs))[0]);

    /// <summary>Places a layer and returns all its outputs.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Its inputs, all from this graph.</param>
    /// <returns>Its outputs, in order of declaration.</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer, or belong to another graph.</exception>
    public IReadOnlyList<Node> ApplyAll(Layer layer, params ReadOnlySpan<Node> inputs)
    {
        var outputs = Place(layer, Own(inputs));
        return [.. outputs.Select(e => new Node(this, e))];
    }

    /// <summary>Makes a node an output of the network: its value is kept for the caller.</summary>
    /// <param name="node">The node.</param>
    /// <exception cref="ArgumentException">The node belongs to another graph, carries indices or is a parameter.</exception>
    public void Output(Node node)
    {
        var edge = Own(node, nameof(node));
        if (_edges[edge].Type.Kind == EdgeKind.Indices)
            throw new ArgumentException($"An output must carry numbers; {node} carries indices.", nameof(node));
        if (_edges[edge].Role == EdgeRole.Parameter)
            throw new ArgumentException($"An output must be an input or the result of a layer; {node} is a parameter.", nameof(node));
        if (_edges[edge].IsOutput)
            return;
        _edges[edge].IsOutput = true;
        _outputs.Add(edge);
    }

    /// <summary>Adds a loss. Training minimizes the weighted sum of all losses. If the node is a loss already, as it is when a chain
    /// ends in a loss, this sets its weight.</summary>
    /// <param name="node">The output of a <see cref="Losses.Loss"/> layer; or any node with one number for each row, whose mean over the
    /// batch is the loss, or with one number that all rows share. See <see cref="ExpressionLoss"/>, which this places.</param>
    /// <param name="weight">Its weight: 0, or 1e-30 to 1e30 in size.</param>
    /// <returns>The loss, one number for the batch.</returns>
    /// <exception cref="ArgumentException">The node belongs to another graph, has more than one number for a row, is an input or parameter
    /// or the output of a loss without reduction, or the weight is out of range.</exception>
    public Node Loss(Node node, double weight = 1)
    {
        var edge = Own(node, nameof(node));
        SpanGuard.InFloatRange(weight);
        var type = _edges[edge].Type;
        if (_edges[edge].Producer < 0 || type.Kind == EdgeKind.Indices || type.Shape != Shape.Scalar)
        {
            throw new ArgumentException(
                $"A loss is computed, and is one number for each row or for the batch, such as x.Mean() gives; {node} is not.", nameof(node));
        }

        if (_nodes[_edges[edge].Producer].Layer.IsLoss && type.Kind != EdgeKind.Shared)
            throw new ArgumentException($"A loss must be one number for the batch, shared []; {node} is not.", nameof(node));
        if (!_nodes[_edges[edge].Producer].Layer.IsLoss)
        {
            // Said again, an expression is the loss that it was.
            if (!_lossOfExpression.TryGetValue(edge, out var loss))
                _lossOfExpression[edge] = loss = Place(new ExpressionLoss(), [edge])[0];
            edge = loss;
        }

        return Weighted(edge, weight);
    }

    private Node Weighted(int edge, double weight)
    {
        var weighted = new WeightedLoss(edge, weight);
        if (_edges[edge].LossPlace is >= 0 and var place)
        {
            _losses[place] = weighted;
            return new(this, edge);
        }

        _edges[edge].LossPlace = _losses.Count;
        _losses.Add(weighted);
        return new(this, edge);
    }

    /// <summary>Finishes the graph.</summary>
    /// <returns>The definition. Networks of any element type can be made from it.</returns>
    /// <exception cref="InvalidOperationException">The graph has neither an output nor a loss, or no layer takes one of its parameters, or a
    /// layer does not take the smallest of the free sizes.</exception>
    public NetworkDefinition Build()
    {
        if (!HasEnd)
            throw new InvalidOperationException("The graph has neither an output nor a loss: call Output or Loss on a node first.");
        var isTaken = new bool[_edges.Count];
        foreach (var node in _nodes)
        {
            foreach (var e in node.Inputs)
                isTaken[e] = true;
        }

        for (var e = 0; e < _edges.Count; e++)
        {
            if (_edges[e].Role == EdgeRole.Parameter && !isTaken[e])
                throw new InvalidOperationException($"No layer takes the parameter '{_edges[e].Name}'.");
        }

        var edges = new EdgeInfo[_edges.Count];
        for (var e = 0; e < edges.Length; e++)
            edges[e] = _edges[e].Clone();
        var nodes = new NodeInfo[_nodes.Count];
        for (var n = 0; n < nodes.Length; n++)
            nodes[n] = _nodes[n].Clone();
        return new NetworkDefinition(new Graph(edges, nodes, _outputs.ToArray(), _losses.ToArray()));
    }

    /// <summary>Places a layer on a node and others, and returns its first output.</summary>
    internal Node Apply(Layer layer, Node first, ReadOnlySpan<Node> others)
    {
        var edges = new int[1 + others.Length];
        edges[0] = first.Edge;
        for (var i = 0; i < others.Length; i++)
            edges[1 + i] = Own(others[i], "inputs");
        return new(this, Place(layer, edges)[0]);
    }

    /// <summary>Places a layer on edges of this graph.</summary>
    /// <returns>The edges of its outputs.</returns>
    private int[] Place(Layer layer, int[] inputs)
    {
        ArgumentNullException.ThrowIfNull(layer);
        var types = new EdgeType[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            types[i] = _edges[inputs[i]].Type;
        var declaration = new LayerDeclaration(layer.Kind, types);
        try
        {
            layer.Declare(declaration);
        }
        catch (ArgumentException e) when (e.GetType() == typeof(ArgumentException))
        {
            throw new ArgumentException($"{e.WithoutParameter()} The graph so far: {Nodes()}.", e.ParamName, e);
        }

        declaration.Check();
        var first = FirstNode(layer, declaration);
        var name = AutomaticName(layer.Kind, declaration.Outputs.Length);
        var index = _nodes.Count;
        var outputs = new int[declaration.Outputs.Length];
        for (var port = 0; port < outputs.Length; port++)
        {
            outputs[port] = AddEdge(PortName(name, port), declaration.Outputs[port], EdgeRole.Computed).Edge;
            _edges[outputs[port]].Producer = index;
        }

        _nodes.Add(new NodeInfo(layer, declaration, inputs, outputs) { Name = name, SharesWith = first });
        return outputs;
    }

    /// <summary>The node whose parameters and state a layer uses; -1 if it gets its own.</summary>
    private int FirstNode(Layer layer, LayerDeclaration declaration)
    {
        var owner = declaration.OwnerOf(layer);
        if (declaration.Parameters.Count + declaration.States.Count == 0 || _firstNodes.TryAdd(owner, _nodes.Count))
            return -1;
        var first = _nodes[_firstNodes[owner]];
        if (!_shared.Contains(layer) && !_shared.Contains(owner))
        {
            throw new ArgumentException($"This {layer.Kind} layer is placed already, as '{first.Name}': "
                + "make another one, or call Share first for one set of parameters.", nameof(layer));
        }

        if (!declaration.HasParametersOf(first.Declaration))
        {
            throw new ArgumentException($"The inputs {string.Join(", ", declaration.Inputs)} give this shared {layer.Kind} layer other parameters "
                + $"than '{first.Name}' has, whose inputs are {string.Join(", ", first.Declaration.Inputs)}.", "inputs");
        }

        return _firstNodes[owner];
    }

    /// <summary>The name and type of every input and node, in order.</summary>
    private string Nodes() => string.Join("; ", _edges.Select(e => $"{e.Name}: {e.Type}"));

    /// <summary>The node whose layer computes the numbers of another node; null for an input or a parameter.</summary>
    internal NodeInfo? OriginOf(Node node) => Origins.Of(_edges, _nodes, node.Edge);

    internal string EdgeName(int edge) => _edges[edge].Name;

    internal EdgeType EdgeType(int edge) => _edges[edge].Type;

    internal void Rename(int edge, string name)
    {
        var info = _edges[edge];
        if (name == info.Name)
            return;

        // The other outputs of a node follow the name of its first output, unless they have names of their own.
        var renamed = new List<(EdgeInfo Edge, string Name)> { (info, name) };
        var node = info.Producer >= 0 && _nodes[info.Producer].Outputs[0] == edge ? _nodes[info.Producer] : null;
        for (var port = 1; port < node?.Outputs.Length; port++)
        {
            var other = _edges[node.Outputs[port]];
            if (other.Name == PortName(node.Name, port))
                renamed.Add((other, PortName(name, port)));
        }

        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        foreach (var (_, next) in renamed)
        {
            if (_names.Contains(next))
                throw new ArgumentException($"The graph already has a node named '{next}'.", nameof(name));
        }

        foreach (var (changed, next) in renamed)
        {
            _names.Remove(changed.Name);
            Free(changed.Name);
            _names.Add(next);
            changed.Name = next;
        }

        if (node is not null)
            node.Name = name;
    }

    private Node AddEdge(string name, EdgeType type, EdgeRole role)
    {
        TakeName(name);
        _edges.Add(new EdgeInfo(type, role) { Name = name });
        return new Node(this, _edges.Count - 1);
    }

    private int[] Own(ReadOnlySpan<Node> inputs)
    {
        var edges = new int[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            edges[i] = Own(inputs[i], nameof(inputs));
        return edges;
    }

    private int Own(Node node, string parameter)
    {
        if (!ReferenceEquals(node.Graph, this))
            throw new ArgumentException($"{node} belongs to another graph.", parameter);
        return node.Edge;
    }

    private void TakeName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!_names.Add(name))
            throw new ArgumentException($"The graph already has a node named '{name}'.", nameof(name));
    }

    /// <summary>The first output has the node's name; the others have the name and a number.</summary>
    private static string PortName(string name, int port) =>
        port == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}:{port}");

    private string AutomaticName(string kind, int ports)
    {
        // Numbers become free again only by renaming, which resets this start. So the search need not begin at 1 each time.
        if (!_firstFree.TryGetValue(kind, out var first))
            first = 1;
        while (IsTaken(Numbered(kind, first)))
            first++;
        _firstFree[kind] = first;
        for (var i = first; ; i++)
        {
            var name = Numbered(kind, i);
            var port = 0;
            while (port < ports && !IsTaken(PortName(name, port)))
                port++;
            if (port == ports)
                return name;
        }
    }

    /// <summary>Lets automatic names take a name again. A kind may end in digits, so every split into kind and number counts.</summary>
    private void Free(string name)
    {
        for (var end = name.Length - 1; end > 0 && char.IsAsciiDigit(name[end]); end--)
        {
            if (int.TryParse(name.AsSpan(end), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && _firstFree.TryGetValue(name[..end], out var first) && number < first)
            {
                _firstFree[name[..end]] = Math.Max(number, 1);
            }
        }
    }

    private static string Numbered(string kind, int number) => kind + number.ToString(CultureInfo.InvariantCulture);
}
