using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Execution;

/// <summary>The numbers of a network: parameters and state, each in one block, and which parameters are frozen.</summary>
internal sealed class NetworkBlocks<T>(Graph graph, ulong seed)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Where frozen parameters start.</summary>
    private readonly HashSet<int> _frozenStarts = [];
    private BlockRange[]? _frozen;
    private BlockRange[] _trainable = [];

    public Graph Graph => graph;

    public ulong Seed => seed;

    public AlignedBuffer<T> Parameters { get; } = new(graph.ParameterLength);

    public AlignedBuffer<T> State { get; } = new(graph.StateLength);

    /// <summary>The frozen parameters, in ascending order.</summary>
    public BlockRange[] Frozen
    {
        get
        {
            MakeRanges();
            return _frozen!;
        }
    }

    /// <summary>Everything else, padding included.</summary>
    public BlockRange[] Trainable
    {
        get
        {
            MakeRanges();
            return _trainable;
        }
    }

    /// <summary>Pieces of state that stay as they are, in ascending order.</summary>
    public BlockRange[] FrozenState { get; private set; } = [];

    public bool IsStateFrozen(BlockRange state) => Array.IndexOf(FrozenState, state) >= 0;

    public void FreezeState(BlockRange state, bool isFrozen)
    {
        var others = Array.FindAll(FrozenState, range => range != state);
        FrozenState = isFrozen ? [.. others.Append(state).OrderBy(range => range.Start)] : others;
    }

    /// <summary>For each node, whether it acts in training as in inference; null if no node does. A pass keeps the array that it began with.</summary>
    public bool[]? Evaluating { get; private set; }

    /// <summary>The state that only evaluating nodes have, in ascending order. A pass keeps the array that it began with.</summary>
    public BlockRange[] RestingState { get; private set; } = [];

    public void Evaluate(bool[] nodes)
    {
        Evaluating = Array.IndexOf(nodes, true) >= 0 ? nodes : null;
        FindRestingState();
    }

    /// <summary>Makes the proposed state the state of the network, except for what is frozen now and what rested in the pass.</summary>
    public void CommitState(ReadOnlySpan<T> proposed, BlockRange[] resting)
    {
        int start = 0, f = 0, r = 0;
        while (f < FrozenState.Length || r < resting.Length)
        {
            var isFrozen = r == resting.Length || f < FrozenState.Length && FrozenState[f].Start < resting[r].Start;
            var kept = isFrozen ? FrozenState[f++] : resting[r++];
            if (kept.Start < start)
                continue;
            proposed[start..kept.Start].CopyTo(State.Span[start..]);
            start = kept.End;
        }

        proposed[start..].CopyTo(State.Span[start..]);
    }

    private void FindRestingState()
    {
        // The places of a shared layer have one state: it moves if one of them trains.
        var (kept, moved) = (new HashSet<BlockRange>(), new HashSet<BlockRange>());
        for (var n = 0; n < Evaluating?.Length; n++)
        {
            foreach (var slot in graph.Nodes[n].States)
                _ = Evaluating[n] ? kept.Add(slot.Range) : moved.Add(slot.Range);
        }

        kept.ExceptWith(moved);
        RestingState = [.. kept.OrderBy(range => range.Start)];
    }

    public bool IsFrozen(BlockRange parameter) => _frozenStarts.Contains(parameter.Start);

    public void Freeze(BlockRange parameter, bool isFrozen)
    {
        if (isFrozen ? _frozenStarts.Add(parameter.Start) : _frozenStarts.Remove(parameter.Start))
            _frozen = null;
    }

    /// <summary>Computes the ranges when they are first read after a change, because parameters are frozen one by one.</summary>
    private void MakeRanges()
    {
        if (_frozen is not null)
            return;
        var frozen = new List<BlockRange>();
        var trainable = new List<BlockRange>();
        var start = 0;
        foreach (var range in _frozenStarts.Count == 0 ? [] : graph.Parameters)
        {
            if (!_frozenStarts.Contains(range.Start))
                continue;
            frozen.Add(range);
            if (range.Start > start)
                trainable.Add(new BlockRange(start, range.Start - start));
            start = range.End;
        }

        if (start < Parameters.Length || start == 0)
            trainable.Add(new BlockRange(start, Parameters.Length - start));
        (_frozen, _trainable) = (frozen.ToArray(), trainable.ToArray());
    }
}
