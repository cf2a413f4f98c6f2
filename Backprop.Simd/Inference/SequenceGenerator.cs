using System.Numerics;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Inference;

/// <summary>
/// Computes a causal network one position at a time: each step takes a token for each row and gives the outputs of that position. Keys and values
/// of earlier positions are kept, so that a step costs as much as one position.
/// </summary>
/// <remarks>
/// <para>For networks from tokens, indices [T], to outputs [T, K], whose layers compute each position by itself or are causal attention
/// (<see cref="Layers.LayerDeclaration.UsePositions()"/>). Outputs agree with those of the whole pass within rounding; they have the same bits for
/// any number of threads. A step allocates nothing.</para>
/// <para>The generator has a copy of the parameters; <see cref="Update"/> takes those of the network again. It serves one thread at a time.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class SequenceGenerator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _source, _network;
    private readonly Workspace<T> _workspace;
    private readonly PositionGraph _graph;
    private readonly T[][] _memories;

    /// <summary>Makes a generator.</summary>
    /// <param name="network">The network of all positions.</param>
    /// <param name="rows">The sequences that go on side by side, 1 or more.</param>
    /// <param name="maximumLength">The longest sequence; the network's T if null. Longer is possible unless the network has learned positions.</param>
    /// <param name="output">The name of the output; the network's first if null.</param>
    /// <param name="compute">The threads to use; null for the default.</param>
    /// <exception cref="ArgumentException">The network has no such output, needs more than tokens, or has a layer that cannot compute one position at
    /// a time; the message names it.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> or <paramref name="maximumLength"/> is below 1, or too large.</exception>
    public SequenceGenerator(Network<T> network, int rows = 1, int? maximumLength = null, string? output = null, ComputeContext? compute = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        if (maximumLength is { } length)
            ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(maximumLength));
        output ??= network.Definition.OutputNames.FirstOrDefault() ?? throw new ArgumentException("The network has no output.", nameof(network));
        _graph = new(network.Definition, output, maximumLength);
        (_source, Rows) = (network, rows);
        foreach (var (_, _, columns) in _graph.Memories)
        {
            if ((long)rows * _graph.MaximumLength * columns > Array.MaxLength)
                throw new ArgumentOutOfRangeException(nameof(rows), rows, $"{rows} rows of {_graph.MaximumLength} positions do not fit an array.");
        }

        _network = _graph.Definition.CreateNetwork<T>();
        _workspace = _network.CreateWorkspace(rows, WorkspaceOptions.Inference, compute);
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
        foreach (var entry in _network.Definition.Parameters.Entries)
            _source.ParameterOf(entry.Name).CopyTo(_network.ParameterOf(entry.Name));
    }

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

        Length++;
        return _workspace.Output(_graph.Output);
    }
}
