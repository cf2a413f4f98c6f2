using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Networks;

/// <summary>
/// Every buffer of a step of one network: inputs, values (they are the cache that backward reuses), layer caches, gradients.
/// Nothing is allocated after it is made. One thread at a time uses a workspace.
/// </summary>
/// <remarks>
/// Packing space for matrix products belongs to the threads, not to the workspace; it is reserved here for the calling thread
/// and the team. A step on another thread reserves its own once.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed partial class Workspace<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NetworkDefinition _definition;
    private readonly WorkspacePlan _plan;
    private readonly EdgeBuffer<T>[] _edges;
    private readonly NodeBuffers<T>?[] _nodes;
    private readonly AlignedBuffer<T>? _gradients;
    private readonly AlignedBuffer<T>? _proposedState;
    private readonly AlignedBuffer<T>?[] _outputGradients;
    private readonly int[] _zeroedEdges;
    private readonly BlockRange[] _unwritten;
    private readonly bool _training;
    private readonly ThreadChoice _choice;
    private readonly FusedUpdate<T>? _fused;
    private bool _gradientsApplied;
    private PassState _pass;
    private Phase _phase;
    private bool _isRunning;
    private int _rows;

    internal Workspace(Network<T> network, int rows, WorkspaceOptions options, ComputeContext compute)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        Network = network;
        Compute = compute;
        _choice = new ThreadChoice(compute);
        Capacity = _rows = rows;
        _definition = network.Definition;
        _plan = new WorkspacePlan(_definition, options);
        _training = options.Mode == WorkspaceMode.Training;
        _pass = new PassState { Seed = network.Seed, Training = _training };
        if (_training)
        {
            _gradients = Allocate(_definition.Parameters.Length);
            _proposedState = Allocate(_definition.State.Length);
        }

        if (_training && !options.KeepGradients)
            _fused = new FusedUpdate<T>(network.ParameterBlock, _definition.Parameters.Entries.Count);
        _edges = new EdgeBuffer<T>[_definition.Edges.Length];
        for (var e = 0; e < _edges.Length; e++)
            _edges[e] = new EdgeBuffer<T>(_definition.Edges[e].Type);
        _outputGradients = new AlignedBuffer<T>?[_edges.Length];
        PlaceInputsAndParameters();
        PlaceValues();
        if (_training)
            PlaceGradients();
        _nodes = MakeNodes();
        _zeroedEdges = EdgesWithoutFlow();
        _unwritten = UnwrittenGradients();
        ReserveKernelScratch();
    }

    private enum Phase
    {
        Empty,
        Forward,
        Backward,
        Updated,
    }

    /// <summary>The network.</summary>
    public Network<T> Network { get; }

    /// <summary>The threads that steps in this workspace use, or leave idle while the caller alone proves faster.</summary>
    public ComputeContext Compute { get; }

    /// <summary>The most rows of a batch.</summary>
    public int Capacity { get; }

    /// <summary>The rows of the present batch, 1 to <see cref="Capacity"/>: a shorter last batch uses a prefix of the buffers.
    /// Another value discards the last forward pass.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside that range.</exception>
    /// <exception cref="InvalidOperationException">A layer sets it while a pass is running.</exception>
    public int Rows
    {
        get => _rows;
        set
        {
            if (value < 1 || value > Capacity)
                throw new ArgumentOutOfRangeException(nameof(Rows), value, $"Rows lie in 1 to the capacity, {Capacity}.");
            if (_isRunning)
                throw IsRunning();
            if (value != _rows)
                _phase = Phase.Empty;
            _rows = value;
        }
    }

    /// <summary>The bytes of all buffers.</summary>
    public long Bytes { get; private set; }

    /// <summary>The training step that random layers derive their numbers from; <see cref="Network{T}.Update"/> counts it on.</summary>
    public long StepNumber
    {
        get => _pass.Step;
        set => _pass.Step = value;
    }

    /// <summary>The weighted sum of the losses of the last forward pass, in double; 0 without a loss, NaN where it is not computed.</summary>
    public double Loss { get; private set; }

    /// <summary>The gradients of the loss by all parameters, laid out like <see cref="Network{T}.Parameters"/>:
    /// those of the last backward pass, zeros before the first.</summary>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public Span<T> Gradients => _gradients is { } block ? !_gradientsApplied ? block.Span : throw AppliedGradients() : throw NoGradients();

    /// <summary>The gradient by one parameter.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its elements, row-major.</returns>
    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public Span<T> ParameterGradient(string name)
    {
        var range = _definition.Parameters[name].Range;
        return Gradients.Slice(range.Start, range.Length);
    }

    /// <summary>The buffer of an input, to be filled before forward: rows x size, or size if shared. Ends a binding.</summary>
    /// <param name="name">The input's name; null for the first input of numbers.</param>
    /// <returns>The numbers of the present rows.</returns>
    /// <exception cref="ArgumentException">There is no such input, or it takes indices.</exception>
    public Span<T> Input(string? name = null)
    {
        var edge = _edges[InputEdge(name, indices: false)];
        edge.IsBound = false;
        return edge.WritableValues(0, _rows);
    }

    /// <summary>Copies an input in.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="values">Exactly rows x size numbers, or size if shared.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes indices, or the length is another.</exception>
    public void SetInput(string name, ReadOnlySpan<T> values)
    {
        CheckLength(name, _edges[InputEdge(name, indices: false)].Type.Elements(_rows), values.Length, nameof(values));
        values.CopyTo(Input(name));
    }

    /// <summary>Lets steps read an input from the caller's memory, without a copy, until the next Bind, Set or Input.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="values">At least rows x size numbers, or size if shared; unchanged until backward is done.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes indices, or the memory is too short.</exception>
    public void BindInput(string name, ReadOnlyMemory<T> values)
    {
        var edge = _edges[InputEdge(name, indices: false)];
        CheckBound(name, edge.Type.Elements(_rows), values.Length, nameof(values));
        edge.Bound = values;
        edge.IsBound = true;
    }

    /// <summary>The buffer of an input of indices, to be filled before forward, which takes a copy. Ends a binding.</summary>
    /// <param name="name">The input's name; null for the first input of indices.</param>
    /// <returns>The integers of the present rows.</returns>
    /// <exception cref="ArgumentException">There is no such input, or it takes numbers.</exception>
    public Span<int> IndexInput(string? name = null)
    {
        var edge = _edges[InputEdge(name, indices: true)];
        edge.IsBound = false;
        return edge.IndexBlock!.Span[..edge.Type.Elements(_rows)];
    }

    /// <summary>Copies an input of indices in.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="indices">Exactly rows x size integers.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes numbers, or the length is another.</exception>
    public void SetIndexInput(string name, ReadOnlySpan<int> indices)
    {
        CheckLength(name, _edges[InputEdge(name, indices: true)].Type.Elements(_rows), indices.Length, nameof(indices));
        indices.CopyTo(IndexInput(name));
    }

    /// <summary>Lets each forward pass take indices from the caller's memory, until the next Bind, Set or IndexInput.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="indices">At least rows x size integers. A forward pass reads them once, at its beginning; backward uses what
    /// forward found.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes numbers, or the memory is too short.</exception>
    public void BindIndexInput(string name, ReadOnlyMemory<int> indices)
    {
        var edge = _edges[InputEdge(name, indices: true)];
        CheckBound(name, edge.Type.Elements(_rows), indices.Length, nameof(indices));
        edge.BoundIndices = indices;
        edge.IsBound = true;
    }

    /// <summary>An output of the last forward pass.</summary>
    /// <param name="name">Its name; null for the first output.</param>
    /// <returns>rows x size numbers.</returns>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">There was no forward.</exception>
    public ReadOnlySpan<T> Output(string? name = null)
    {
        if (name is null && _definition.OutputEdges.Length == 0)
            throw new ArgumentException("The network has no output.", nameof(name));
        var edge = name is null ? _definition.OutputEdges[0] : _definition.EdgeOf(name);
        if (!_plan.IsOutput[edge])
            throw new ArgumentException($"'{name}' is not an output; the outputs are: {string.Join(", ", _definition.OutputNames)}.", nameof(name));
        return Value(_definition.Edges[edge].Name);
    }

    /// <summary>The value of a node in the last forward pass.</summary>
    /// <param name="name">The name of an input, output, loss, parameter of the graph, or retained node.</param>
    /// <returns>rows x size numbers, or size if shared.</returns>
    /// <exception cref="ArgumentException">There is no such node, or it carries indices.</exception>
    /// <exception cref="InvalidOperationException">The node is not retained, was not computed, or there was no forward.</exception>
    public ReadOnlySpan<T> Value(string name)
    {
        var edge = ReadableEdge(name);
        if (_definition.Edges[edge].Role == EdgeRole.Computed && _phase == Phase.Empty)
            throw new InvalidOperationException($"'{name}' has no value yet: run Forward first.");
        if (_edges[edge].IsBound)
            CheckBound(name, _edges[edge].Type.Elements(_rows), _edges[edge].Bound.Length);
        return _edges[edge].Values(0, _rows);
    }

    /// <summary>The gradient of the loss by the value of a node, in the last backward pass.</summary>
    /// <param name="name">The name of an input (with <see cref="WorkspaceOptions.InputGradients"/>), output, loss, parameter of
    /// the graph, or retained node.</param>
    /// <returns>rows x size numbers, or size if shared.</returns>
    /// <exception cref="ArgumentException">There is no such node, or it carries indices.</exception>
    /// <exception cref="InvalidOperationException">The node is not retained, has no gradient, or there was no backward; or a
    /// <see cref="GradientAccumulator{T}"/> ran it, which keeps the gradients of parameters alone.</exception>
    public ReadOnlySpan<T> Gradient(string name)
    {
        var edge = ReadableEdge(name);
        RequireBackward();
        if (_edges[edge].GradientBlock is null)
        {
            throw new InvalidOperationException(
                $"'{name}' has no gradient: no trained parameter and no input with gradients lies before it, or no loss behind it. Set InputGradients for the gradients of inputs.");
        }

        if (_gradientsApplied && _edges[edge].IsParameterGradient)
            throw AppliedGradients();
        if (_pass.OfParts && !_edges[edge].IsParameterGradient)
        {
            throw new InvalidOperationException(
                $"'{name}' has no gradient behind a micro-batch of a GradientAccumulator, which keeps those of parameters alone: "
                + "run Forward and Backward for it.");
        }

        return _edges[edge].Gradient(0, _rows);
    }

    /// <summary>Where the caller writes the gradient that backward starts from at an output; kept from step to step.</summary>
    /// <param name="name">The output's name; null for the first output.</param>
    /// <returns>rows x size numbers, or size if shared.</returns>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">The workspace was not made with <see cref="WorkspaceOptions.OutputGradients"/>
    /// and the network has a loss, or it is for inference.</exception>
    public Span<T> OutputGradient(string? name = null)
    {
        if (name is null && _definition.OutputEdges.Length == 0)
            throw new ArgumentException("The network has no output.", nameof(name));
        var edge = name is null ? _definition.OutputEdges[0] : _definition.EdgeOf(name);
        if (!_plan.IsOutput[edge])
            throw new ArgumentException($"'{name}' is not an output; the outputs are: {string.Join(", ", _definition.OutputNames)}.", nameof(name));
        if (_plan.IsLoss[edge])
            throw new InvalidOperationException($"'{name}' is a loss: backward starts from it with its weight.");
        if (_outputGradients[edge] is not { } block)
            throw new InvalidOperationException("Backward does not start from outputs here: make the workspace with OutputGradients.");
        return block.Span[.._edges[edge].Type.Elements(_rows)];
    }

    /// <summary>What backward differentiates: the loss, and each output times the gradient that the caller gave for it.</summary>
    internal double Objective()
    {
        var sum = Loss;
        foreach (var edge in _definition.OutputEdges)
        {
            if (_outputGradients[edge] is not { } seed)
                continue;
            var values = _edges[edge].Values(0, _rows);
            for (var i = 0; i < values.Length; i++)
                sum += double.CreateTruncating(seed.Span[i]) * double.CreateTruncating(values[i]);
        }

        return sum;
    }

    /// <summary>The inputs that have a gradient here.</summary>
    internal IEnumerable<string> InputsWithGradients() => Enumerable.Range(0, _edges.Length)
        .Where(e => _definition.Edges[e].Role == EdgeRole.Input && _plan.NeedsGradient[e] && _edges[e].GradientBlock is not null)
        .Select(e => _definition.Edges[e].Name);

    /// <summary>An input as numbers that may be changed: what is bound is copied in until <see cref="RestoreInput"/>.</summary>
    /// <returns>Whether it was bound.</returns>
    internal bool OwnInput(string name, out Span<T> values)
    {
        var edge = _edges[InputEdge(name, indices: false)];
        var wasBound = edge.IsBound;
        if (wasBound)
        {
            var elements = edge.Type.Elements(_rows);
            CheckBound(name, elements, edge.Bound.Length);
            edge.Bound.Span[..elements].CopyTo(edge.WritableValues(0, _rows));
            edge.IsBound = false;
        }

        values = edge.WritableValues(0, _rows);
        return wasBound;
    }

    /// <summary>Binds an input again that <see cref="OwnInput"/> found bound.</summary>
    internal void RestoreInput(string name, bool wasBound) => _edges[InputEdge(name, indices: false)].IsBound = wasBound;

    /// <summary>A value for a picture; empty where it cannot be told.</summary>
    internal ReadOnlySpan<T> ValueOrEmpty(int edge)
    {
        var info = _definition.Edges[edge];
        return info.Type.Kind == EdgeKind.Indices || !_plan.Readable[edge]
            || info.Role == EdgeRole.Computed && (_phase == Phase.Empty || !_plan.RunsForward[info.Producer])
            || info.Role == EdgeRole.Parameter && _definition.ParameterOfEdge[edge] is null ? [] : _edges[edge].Values(0, _rows);
    }

    /// <summary>A gradient for a picture; empty where it cannot be told.</summary>
    internal ReadOnlySpan<T> GradientOrEmpty(int edge) =>
        _phase >= Phase.Backward && _plan.Readable[edge] && _edges[edge].GradientBlock is not null
        && !(_edges[edge].IsParameterGradient ? _gradientsApplied : _pass.OfParts) ? _edges[edge].Gradient(0, _rows) : [];

    private static InvalidOperationException AppliedGradients() => new(
        "The last step applied the parameters' gradients and did not keep them: make the workspace with KeepGradients, or run Forward, Backward and Update.");

    private static InvalidOperationException NoGradients() => new("This workspace is for inference and has no gradients.");

    private static void CheckLength(string name, int expected, int actual, string parameter)
    {
        if (expected != actual)
            throw new ArgumentException($"Input '{name}' takes {expected} elements for the present rows; got {actual}.", parameter);
    }

    private static void CheckBound(string name, int expected, int actual, string? parameter = null)
    {
        if (actual < expected)
            throw new ArgumentException($"Input '{name}' takes {expected} elements for the present rows; the memory has {actual}.", parameter);
    }

    private int InputEdge(string? name, bool indices)
    {
        // Static lambdas: one that captured `indices` would be allocated on every call.
        var edge = name is not null ? _definition.FindEdge(name)
            : indices ? Array.FindIndex(_definition.Edges, static e => e.Role == EdgeRole.Input && e.Type.Kind == EdgeKind.Indices)
            : Array.FindIndex(_definition.Edges, static e => e.Role == EdgeRole.Input && e.Type.Kind != EdgeKind.Indices);
        if (edge < 0 || _definition.Edges[edge].Role != EdgeRole.Input || (_definition.Edges[edge].Type.Kind == EdgeKind.Indices) != indices)
        {
            var wanted = indices ? "input of indices" : "input of numbers";
            var inputs = string.Join(", ", _definition.Edges.Where(e => e.Role == EdgeRole.Input).Select(e => $"{e.Name} ({e.Type})"));
            throw new ArgumentException(
                name is null ? $"The network has no {wanted}; the inputs are: {inputs}." : $"'{name}' is not an {wanted}; the inputs are: {inputs}.", nameof(name));
        }

        return edge;
    }

    private int ReadableEdge(string name)
    {
        var edge = _definition.EdgeOf(name);
        if (_definition.Edges[edge].Type.Kind == EdgeKind.Indices)
            throw new ArgumentException($"'{name}' carries indices.", nameof(name));
        if (!_plan.Readable[edge])
            throw new InvalidOperationException($"'{name}' is not retained: name it in the workspace's Retain option.");
        var producer = _definition.Edges[edge].Producer;
        if (producer >= 0 && !_plan.RunsForward[producer])
            throw new InvalidOperationException($"'{name}' is not computed in this workspace.");
        return edge;
    }

    private AlignedBuffer<TElement> Allocate<TElement>(int length) where TElement : unmanaged
    {
        var block = new AlignedBuffer<TElement>(length);
        Bytes += block.Bytes;
        return block;
    }

    private AlignedBuffer<T> Allocate(int length) => Allocate<T>(length);
}
