using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Networks;

/// <summary>
/// All buffers for the steps of one network: inputs, values, layer caches, gradients. They are allocated when the workspace is made,
/// and nothing is allocated later. Only one thread at a time may use a workspace.
/// </summary>
/// <remarks>
/// Packing space for matrix products belongs to the threads, not to the workspace. The constructor reserves it for the calling thread
/// and the team; a step that another thread calls reserves it once for that thread.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed partial class Workspace<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The sets of columns whose bindings are kept: with free sizes, each size has a set of its own.</summary>
    private const int MostBindings = 256;

    private readonly Graph _graph;
    private readonly List<BatchBinding<T>> _bindings = [];

    internal Workspace(Network<T> network, int rows, WorkspaceOptions options, ComputeContext compute)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        Network = network;
        _graph = network.Definition.Graph;
        Executor = new Executor<T>(network.Blocks, options.ToPlan(network.Definition), rows, compute);
    }

    /// <summary>The network.</summary>
    public Network<T> Network { get; }

    /// <summary>The threads that steps in this workspace may use. A step uses the calling thread alone where that has proved faster.</summary>
    public ComputeContext Compute => Executor.Compute;

    /// <summary>The largest number of rows of a batch.</summary>
    public int Capacity => Executor.Capacity;

    /// <summary>The number of rows of the current batch, 1 to <see cref="Capacity"/>. A shorter last batch uses the start of the buffers.
    /// Setting a different number discards the last forward pass.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside that range.</exception>
    /// <exception cref="InvalidOperationException">A layer sets it while a pass is running.</exception>
    public int Rows
    {
        get => Executor.Rows;
        set
        {
            CheckRows(value);
            Executor.SetRows(value);
        }
    }

    /// <summary>The bytes of all buffers.</summary>
    public long Bytes => Executor.Bytes;

    /// <summary>The number of the training step. Random layers derive their numbers from it; <see cref="Network{T}.Update"/> adds 1.</summary>
    public long StepNumber
    {
        get => Executor.StepNumber;
        set => Executor.StepNumber = value;
    }

    /// <summary>The weighted sum of the losses of the last forward pass, in double; 0 for a network without a loss, NaN if losses are not computed.</summary>
    public double Loss => Executor.Loss;

    /// <summary>The gradients of all parameters from the last backward pass, laid out like <see cref="Network{T}.Parameters"/>;
    /// zeros before the first pass.</summary>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public Span<T> Gradients => Executor.Gradients;

    internal Executor<T> Executor { get; }

    /// <summary>The gradient of one parameter.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its elements, row-major.</returns>
    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public Span<T> ParameterGradientOf(string name)
    {
        var range = Network.Definition.Parameters[name].Range;
        return Gradients.Slice(range.Start, range.Length);
    }

    /// <summary>The buffer of an input: fill it before a forward pass. Ends a binding of this input.</summary>
    /// <param name="name">The input's name; null for the first input of numbers.</param>
    /// <returns>rows x size numbers, or size if shared.</returns>
    /// <exception cref="ArgumentException">There is no such input, or it takes indices.</exception>
    public Span<T> Input(string? name = null)
    {
        var edge = Executor.Edges[InputEdge(name, indices: false)];
        edge.IsBound = false;
        return edge.WritableValues(0, Rows);
    }

    /// <summary>Copies numbers into an input.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="values">Exactly rows x size numbers, or size if shared.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes indices, or the length is wrong.</exception>
    public void SetInput(string name, ReadOnlySpan<T> values)
    {
        CheckLength(name, Executor.Edges[InputEdge(name, indices: false)].Type.Elements(Rows), values.Length, nameof(values));
        values.CopyTo(Input(name));
    }

    /// <summary>Lets steps read an input from the caller's memory, without a copy, until the next Bind, Set or Input.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="values">At least rows x size numbers, or size if shared. Do not change them until backward is done.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes indices, or the memory is too short.</exception>
    public void BindInput(string name, ReadOnlyMemory<T> values)
    {
        var edge = Executor.Edges[InputEdge(name, indices: false)];
        CheckBound(name, edge.Type.Elements(Rows), values.Length, nameof(values));
        edge.Bound = values;
        edge.IsBound = true;
    }

    /// <summary>
    /// Lets passes read a batch without copying it: sets <see cref="Rows"/> to the rows of the batch, and binds each input that the
    /// passes read to the column with the same name. Free sizes become those of the columns. Call this again for each batch.
    /// </summary>
    /// <param name="batch">A batch of a loader, with at most <see cref="Capacity"/> rows and a column for each input.</param>
    /// <exception cref="ArgumentException">An input has no column, or a column of another type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The batch has no rows, or more than the capacity.</exception>
    public void Bind(Batch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        foreach (var known in _bindings)
        {
            if (!known.Suits(batch))
                continue;
            known.Bind(this, batch);
            return;
        }

        var read = new bool[_graph.Edges.Length];
        for (var e = 0; e < read.Length; e++)
            read[e] = Executor.Plan.Edges[e].IsRead;
        var binding = new BatchBinding<T>(Network.Definition, batch.Columns, Liveness.Inputs(_graph, read), nameof(batch));
        if (_bindings.Count == MostBindings)
            _bindings.RemoveAt(0);
        _bindings.Add(binding);
        binding.Bind(this, batch);
    }

    /// <summary>The buffer of an input of indices: fill it before a forward pass, which copies it. Ends a binding of this input.</summary>
    /// <param name="name">The input's name; null for the first input of indices.</param>
    /// <returns>rows x size integers.</returns>
    /// <exception cref="ArgumentException">There is no such input, or it takes numbers.</exception>
    public Span<int> IndexInput(string? name = null)
    {
        var edge = Executor.Edges[InputEdge(name, indices: true)];
        edge.IsBound = false;
        return edge.IndexBlock!.Span[..edge.Type.Elements(Rows)];
    }

    /// <summary>Copies integers into an input of indices.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="indices">Exactly rows x size integers.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes numbers, or the length is wrong.</exception>
    public void SetIndexInput(string name, ReadOnlySpan<int> indices)
    {
        CheckLength(name, Executor.Edges[InputEdge(name, indices: true)].Type.Elements(Rows), indices.Length, nameof(indices));
        indices.CopyTo(IndexInput(name));
    }

    /// <summary>Lets each forward pass take indices from the caller's memory, until the next Bind, Set or IndexInput.</summary>
    /// <param name="name">The input's name.</param>
    /// <param name="indices">At least rows x size integers. A forward pass copies them when it begins; backward uses the
    /// copy.</param>
    /// <exception cref="ArgumentException">There is no such input, it takes numbers, or the memory is too short.</exception>
    public void BindIndexInput(string name, ReadOnlyMemory<int> indices)
    {
        var edge = Executor.Edges[InputEdge(name, indices: true)];
        CheckBound(name, edge.Type.Elements(Rows), indices.Length, nameof(indices));
        edge.BoundIndices = indices;
        edge.IsBound = true;
    }

    /// <summary>An output of the last forward pass.</summary>
    /// <param name="name">Its name; null for the first output.</param>
    /// <returns>rows x size numbers.</returns>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">There was no forward pass.</exception>
    public ReadOnlySpan<T> Output(string? name = null)
    {
        if (name is null && _graph.Outputs.Length == 0)
            throw new ArgumentException("The network has no output.", nameof(name));
        var edge = name is null ? _graph.Outputs[0] : Network.Definition.EdgeOf(name);
        if (!Executor.Plan.Edges[edge].IsOutput)
            throw new ArgumentException($"'{name}' is not an output; the outputs are: {string.Join(", ", Network.Definition.OutputNames)}.", nameof(name));
        return ValueOf(_graph.Edges[edge].Name);
    }

    /// <summary>The value of a node in the last forward pass.</summary>
    /// <param name="name">The name of an input, output, loss, parameter of the graph, or retained node.</param>
    /// <returns>rows x size numbers, or size if shared.</returns>
    /// <exception cref="ArgumentException">There is no such node, or it carries indices.</exception>
    /// <exception cref="InvalidOperationException">The node is not retained or was not computed, or there was no forward pass.</exception>
    public ReadOnlySpan<T> ValueOf(string name)
    {
        var edge = ReadableEdge(name);
        if (_graph.Edges[edge].Role == EdgeRole.Computed && !Executor.HasForward)
            throw new InvalidOperationException($"'{name}' has no value yet. Run Forward first.");
        if (Executor.Edges[edge].IsBound)
            CheckBound(name, Executor.Edges[edge].Type.Elements(Rows), Executor.Edges[edge].Bound.Length);
        return Executor.Edges[edge].Values(0, Rows);
    }

    /// <summary>The gradient of the loss with respect to the value of a node, from the last backward pass.</summary>
    /// <param name="name">The name of an input (with <see cref="WorkspaceOptions.InputGradients"/>), output, loss, parameter of
    /// the graph, or retained node.</param>
    /// <returns>rows x size numbers, or size if shared.</returns>
    /// <exception cref="ArgumentException">There is no such node, or it carries indices.</exception>
    /// <exception cref="InvalidOperationException">The node is not retained or has no gradient, or there was no backward pass; or a
    /// <see cref="GradientAccumulator{T}"/> ran the pass: it keeps the gradients of parameters only.</exception>
    public ReadOnlySpan<T> GradientOf(string name)
    {
        var edge = ReadableEdge(name);
        Executor.RequireBackward();
        if (Executor.Edges[edge].GradientBlock is null)
        {
            throw new InvalidOperationException(
                $"'{name}' has no gradient: it depends on no trained parameter and on no input with gradients, or no loss depends on it. "
                + "Set InputGradients to get the gradients of inputs.");
        }

        if (Executor.HasAppliedGradients && Executor.Edges[edge].IsParameterGradient)
            throw Executor<T>.AppliedGradients();
        if (Executor.IsOfParts && !Executor.Edges[edge].IsParameterGradient)
        {
            throw new InvalidOperationException(
                $"'{name}' has no gradient after a micro-batch of a GradientAccumulator, which keeps the gradients of parameters only. "
                + "Run Forward and Backward to get it.");
        }

        return Executor.Edges[edge].Gradient(0, Rows);
    }

    /// <summary>One loss of the last forward pass, without its weight, in double.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The loss.</returns>
    /// <exception cref="ArgumentException">There is no such loss.</exception>
    /// <exception cref="InvalidOperationException">There was no forward pass, or this workspace does not compute losses.</exception>
    public double LossOf(string name) => PartsOf(name).Value;

    /// <summary>One loss of the last forward pass, without its weight, as parts that add up over batches.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The parts.</returns>
    /// <exception cref="ArgumentException">There is no such loss.</exception>
    /// <exception cref="InvalidOperationException">There was no forward pass, or this workspace does not compute losses.</exception>
    public LossParts PartsOf(string name)
    {
        var edge = Network.Definition.EdgeOf(name);
        if (!Executor.Plan.Edges[edge].IsLoss)
            throw new ArgumentException($"'{name}' is not a loss; the losses are: {string.Join(", ", Network.Definition.LossNames)}.", nameof(name));
        return Executor.HasForward && Executor.PartsOf(edge) is { } parts ? parts
            : throw new InvalidOperationException($"'{name}' was not computed. Run Forward in a training workspace, or in one made with Losses.");
    }

    /// <summary>The gradient that backward starts from at an output. The caller writes it; it stays the same until written again.</summary>
    /// <param name="name">The output's name; null for the first output.</param>
    /// <returns>rows x size numbers, or size if shared.</returns>
    /// <exception cref="ArgumentException">There is no such output.</exception>
    /// <exception cref="InvalidOperationException">The network has a loss and the workspace was not made with
    /// <see cref="WorkspaceOptions.OutputGradients"/>, or it is for inference.</exception>
    public Span<T> OutputGradient(string? name = null)
    {
        if (name is null && _graph.Outputs.Length == 0)
            throw new ArgumentException("The network has no output.", nameof(name));
        var edge = name is null ? _graph.Outputs[0] : Network.Definition.EdgeOf(name);
        if (!Executor.Plan.Edges[edge].IsOutput)
            throw new ArgumentException($"'{name}' is not an output; the outputs are: {string.Join(", ", Network.Definition.OutputNames)}.", nameof(name));
        if (Executor.Plan.Edges[edge].IsLoss)
            throw new InvalidOperationException($"'{name}' is a loss. Backward starts from it with its weight.");
        if (Executor.OutputGradients[edge] is not { } block)
            throw new InvalidOperationException("Backward does not start from outputs in this workspace. Make the workspace with OutputGradients.");
        return block.Span[..Executor.Edges[edge].Type.Elements(Rows)];
    }

    /// <summary>What backward differentiates: the loss, plus each output times the gradient that the caller wrote for it.</summary>
    internal double Objective()
    {
        var sum = Loss;
        foreach (var edge in _graph.Outputs)
        {
            if (Executor.OutputGradients[edge] is not { } seed)
                continue;
            var values = Executor.Edges[edge].Values(0, Rows);
            for (var i = 0; i < values.Length; i++)
                sum += double.CreateTruncating(seed.Span[i]) * double.CreateTruncating(values[i]);
        }

        return sum;
    }

    /// <summary>The inputs whose gradients this workspace computes.</summary>
    internal IEnumerable<string> InputsWithGradients() => Enumerable.Range(0, _graph.Edges.Length)
        .Where(e => _graph.Edges[e].Role == EdgeRole.Input && Executor.Plan.Edges[e].NeedsGradient && Executor.Edges[e].GradientBlock is not null)
        .Select(e => _graph.Edges[e].Name);

    /// <summary>The numbers of an input, to be changed. Bound memory is copied, and the copy used until <see cref="RestoreInput"/>.</summary>
    /// <returns>Whether it was bound.</returns>
    internal bool OwnInput(string name, out Span<T> values)
    {
        var edge = Executor.Edges[InputEdge(name, indices: false)];
        var wasBound = edge.IsBound;
        if (wasBound)
        {
            var elements = edge.Type.Elements(Rows);
            CheckBound(name, elements, edge.Bound.Length);
            edge.Bound.Span[..elements].CopyTo(edge.WritableValues(0, Rows));
            edge.IsBound = false;
        }

        values = edge.WritableValues(0, Rows);
        return wasBound;
    }

    /// <summary>Throws unless a batch may have so many rows.</summary>
    internal void CheckRows(int rows)
    {
        if (rows < 1 || rows > Capacity)
            throw new ArgumentOutOfRangeException(nameof(Rows), rows, $"The rows must be between 1 and the capacity, {Capacity}.");
    }

    /// <summary>Binds an input again, if <see cref="OwnInput"/> ended its binding.</summary>
    internal void RestoreInput(string name, bool wasBound) => Executor.Edges[InputEdge(name, indices: false)].IsBound = wasBound;

    /// <summary>A value for a picture; empty if it is not known.</summary>
    internal ReadOnlySpan<T> ValueOrEmpty(int edge)
    {
        var info = _graph.Edges[edge];
        return info.Type.Kind == EdgeKind.Indices || !Executor.Plan.Edges[edge].Readable
            || info.Role == EdgeRole.Computed && (!Executor.HasForward || !Executor.Runs(info.Producer))
            || info.Role == EdgeRole.Parameter && _graph.ParameterOfEdge[edge] is null ? [] : Executor.Edges[edge].Values(0, Rows);
    }

    /// <summary>A gradient for a picture; empty if it is not known.</summary>
    internal ReadOnlySpan<T> GradientOrEmpty(int edge) =>
        Executor.HasBackward && Executor.Plan.Edges[edge].Readable && Executor.Edges[edge].GradientBlock is not null
        && !(Executor.Edges[edge].IsParameterGradient ? Executor.HasAppliedGradients : Executor.IsOfParts) ? Executor.Edges[edge].Gradient(0, Rows) : [];

    private static void CheckLength(string name, int expected, int actual, string parameter)
    {
        if (expected != actual)
            throw new ArgumentException($"Input '{name}' takes {expected} elements for the current rows; got {actual}.", parameter);
    }

    private static void CheckBound(string name, int expected, int actual, string? parameter = null) =>
        Executor<T>.CheckBound(name, expected, actual, parameter);

    private int InputEdge(string? name, bool indices)
    {
        // The lambdas are static: a lambda that captures `indices` is allocated on every call.
        var edge = name is not null ? Network.Definition.FindEdge(name)
            : indices ? Array.FindIndex(_graph.Edges, static e => e.Role == EdgeRole.Input && e.Type.Kind == EdgeKind.Indices)
            : Array.FindIndex(_graph.Edges, static e => e.Role == EdgeRole.Input && e.Type.Kind != EdgeKind.Indices);
        if (edge < 0 || _graph.Edges[edge].Role != EdgeRole.Input || (_graph.Edges[edge].Type.Kind == EdgeKind.Indices) != indices)
        {
            var wanted = indices ? "input of indices" : "input of numbers";
            var inputs = string.Join(", ", _graph.Edges.Where(e => e.Role == EdgeRole.Input).Select(e => $"{e.Name} ({e.Type})"));
            throw new ArgumentException(
                name is null ? $"The network has no {wanted}; the inputs are: {inputs}."
                    : $"'{name}' is not an {wanted}; the inputs are: {inputs}.", nameof(name));
        }

        return edge;
    }

    private int ReadableEdge(string name)
    {
        var edge = Network.Definition.EdgeOf(name);
        if (_graph.Edges[edge].Type.Kind == EdgeKind.Indices)
            throw new ArgumentException($"'{name}' carries indices.", nameof(name));
        if (!Executor.Plan.Edges[edge].Readable)
            throw new InvalidOperationException($"'{name}' is not retained. Name it in the workspace's Retain option.");
        var producer = _graph.Edges[edge].Producer;
        if (producer >= 0 && !Executor.Runs(producer))
            throw new InvalidOperationException($"'{name}' is not computed in this workspace.");
        return edge;
    }
}
