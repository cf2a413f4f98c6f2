using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Inference;

/// <summary>
/// Computes a causal network one position at a time: each step takes a token for each row and gives the outputs of that position. Keys and values
/// of earlier positions are kept, so that a step costs as much as one position.
/// </summary>
/// <remarks>
/// <para>For networks from tokens, indices [T], to outputs [T, K], whose layers compute each position by itself, are causal attention, or carry a
/// state (<see cref="Layers.LayerDeclaration.UsePositions()"/>, <see cref="Layers.LayerDeclaration.UsePositionStates"/>).</para>
/// <para>Other inputs hold for a whole sequence: fill <see cref="Input"/> and <see cref="IndexInput"/> before its first position. What depends on
/// them alone, such as an encoder and the keys and values that cross-attention makes of it, is computed once, at the first position
/// (<see cref="Layers.LayerDeclaration.UsePositionMemory"/>).</para>
/// <para>Outputs agree with those of the whole pass within rounding; they have the same bits for
/// any number of threads. A step allocates nothing.</para>
/// <para>The generator has a copy of the parameters; <see cref="Update"/> takes those of the network again. It serves one thread at a time.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class SequenceGenerator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _source, _network;
    private readonly Network<T>? _memoryNetwork;
    private readonly Workspace<T> _workspace;
    private readonly Workspace<T>? _memory;
    private readonly T[][] _values;
    private readonly int[][] _indices;
    private readonly PositionGraph _graph;
    private readonly T[][] _memories;

    /// <summary>Makes a generator.</summary>
    /// <param name="network">The network of all positions.</param>
    /// <param name="rows">The sequences that go on side by side, 1 or more.</param>
    /// <param name="maximumLength">The longest sequence; the network's T if null. Longer is possible unless the network has learned positions.</param>
    /// <param name="output">The name of the output; the network's first if null.</param>
    /// <param name="compute">The threads to use; null for the default.</param>
    /// <param name="tokens">The name of the input of tokens; null if the output needs one input of indices [T].</param>
    /// <exception cref="ArgumentException">The network has no such output or input, needs several inputs of tokens, or has a layer that cannot compute
    /// one position at a time; the message names it.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> or <paramref name="maximumLength"/> is below 1, or too large.</exception>
    public SequenceGenerator(Network<T> network, int rows = 1, int? maximumLength = null, string? output = null, ComputeContext? compute = null,
        string? tokens = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        if (maximumLength is { } length)
            ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(maximumLength));
        output ??= network.Definition.OutputNames.FirstOrDefault() ?? throw new ArgumentException("The network has no output.", nameof(network));
        _graph = new(network.Definition, output, maximumLength, tokens);
        (_source, Rows) = (network, rows);
        foreach (var (_, _, columns) in _graph.Memories)
        {
            if ((long)rows * _graph.MaximumLength * columns > Array.MaxLength)
                throw new ArgumentOutOfRangeException(nameof(rows), rows, $"{rows} rows of {_graph.MaximumLength} positions do not fit an array.");
        }

        _network = _graph.Definition.CreateNetwork<T>();
        _workspace = _network.CreateWorkspace(rows, WorkspaceOptions.Inference, compute);
        _memoryNetwork = _graph.Memory?.CreateNetwork<T>();
        _memory = _memoryNetwork?.CreateWorkspace(rows, WorkspaceOptions.Inference, compute);
        _values = [.. _graph.Inputs.Select(i => i.Type.Kind == EdgeKind.Indices ? [] : new T[i.Type.Elements(rows)])];
        _indices = [.. _graph.Inputs.Select(i => i.Type.Kind == EdgeKind.Indices ? new int[i.Type.Elements(rows)] : [])];
        _memories = [.. _graph.Memories.Select(m => new T[rows * _graph.MaximumLength * m.Columns])];
        Update();
    }

    /// <summary>The sequences that go on side by side.</summary>
    public int Rows { get; }

    /// <summary>The longest sequence.</summary>
    public int MaximumLength => _graph.MaximumLength;

    /// <summary>The positions computed so far.</summary>
    public int Length { get; private set; }

    /// <summary>Forgets all positions: the next step is the first of new sequences.</summary>
    public void Reset() => Length = 0;

    /// <summary>Takes the parameters of the network again. What was computed before stays.</summary>
    public void Update()
    {
        Take(_network);
        if (_memoryNetwork is not null)
            Take(_memoryNetwork);
    }

    /// <summary>The numbers of an input other than the tokens: fill it before the first position of a sequence.</summary>
    /// <param name="name">The input's name.</param>
    /// <returns>Rows x size numbers, or size if the input is shared.</returns>
    /// <exception cref="ArgumentException">The output needs no such input, or it takes indices.</exception>
    public Span<T> Input(string name) => _values[InputOf(name, indices: false)];

    /// <summary>The indices of an input other than the tokens: fill it before the first position of a sequence.</summary>
    /// <param name="name">The input's name.</param>
    /// <returns>Rows x size indices.</returns>
    /// <exception cref="ArgumentException">The output needs no such input, or it takes numbers.</exception>
    public Span<int> IndexInput(string name) => _indices[InputOf(name, indices: true)];

    /// <summary>Computes the next position.</summary>
    /// <param name="tokens">A token for each row.</param>
    /// <returns>The outputs of this position, row after row; they hold until the next step.</returns>
    /// <exception cref="ArgumentException">There is not one token for each row, or a token is refused by the network.</exception>
    /// <exception cref="InvalidOperationException">The sequences have <see cref="MaximumLength"/> positions already.</exception>
    public ReadOnlySpan<T> Next(params ReadOnlySpan<int> tokens)
    {
        if (tokens.Length != Rows)
            throw new ArgumentException($"There must be {Rows} tokens, one for each row; got {tokens.Length}.", nameof(tokens));
        if (Length == MaximumLength)
            throw new InvalidOperationException($"The sequences have {MaximumLength} positions: Reset, or make a generator for longer ones.");
        if (Length == 0)
            Begin();
        _workspace.SetIndexInput(_graph.Tokens, tokens);
        if (_graph.AsksForBefore)
            _workspace.IndexInput(PositionGraph.Before).Fill(Length);
        for (var i = 0; i < _memories.Length; i++)
            _workspace.BindInput(_graph.Memories[i].Input, _memories[i]);
        _network.Forward(_workspace);
        for (var i = 0; i < _memories.Length; i++)
        {
            var (_, output, columns) = _graph.Memories[i];
            var made = _workspace.Output(output);
            for (var row = 0; row < Rows; row++)
                made.Slice(row * columns, columns).CopyTo(_memories[i].AsSpan((row * MaximumLength + Length) * columns));
        }

        foreach (var (input, output) in _graph.States)
            _workspace.SetInput(input, _workspace.Output(output));
        Length++;
        return _workspace.Output(_graph.Output);
    }

    /// <summary>Computes what holds for the whole sequence, and puts all states to their beginning.</summary>
    private void Begin()
    {
        for (var i = 0; i < _values.Length; i++)
        {
            var (_, _, inMemory, inStep) = _graph.Inputs[i];
            if (inMemory)
                Fill(_memory!, i);
            if (inStep)
                Fill(_workspace, i);
        }

        if (_memory is not null)
            _memoryNetwork!.Forward(_memory);
        foreach (var (input, from, isMade) in _graph.Starts)
        {
            if (from is null)
                _workspace.Input(input).Clear();
            else
                _workspace.SetInput(input, isMade ? _memory!.Output(from) : Input(from));
        }
    }

    private void Fill(Workspace<T> workspace, int input)
    {
        var (name, type, _, _) = _graph.Inputs[input];
        if (type.Kind == EdgeKind.Indices)
            workspace.SetIndexInput(name, _indices[input]);
        else
            workspace.SetInput(name, _values[input]);
    }

    private void Take(Network<T> network)
    {
        foreach (var entry in network.Definition.Parameters.Entries)
            _source.ParameterOf(_graph.NameInSource(entry.Name)).CopyTo(network.ParameterOf(entry.Name));
        foreach (var entry in network.Definition.State.Entries)
            _source.StateOf(_graph.NameInSource(entry.Name)).CopyTo(network.StateOf(entry.Name));
    }

    private int InputOf(string name, bool indices)
    {
        ArgumentNullException.ThrowIfNull(name);
        for (var i = 0; i < _values.Length; i++)
        {
            if (_graph.Inputs[i].Name == name && _graph.Inputs[i].Type.Kind == EdgeKind.Indices == indices)
                return i;
        }

        throw new ArgumentException(
            $"There is no input '{name}' of {(indices ? "indices" : "numbers")} beside the tokens; there are "
            + $"{string.Join(", ", _graph.Inputs.Select(i => $"{i.Name}: {i.Type}"))}.", nameof(name));
    }
}
