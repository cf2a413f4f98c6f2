using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Execution;

/// <summary>All memory of a workspace at one choice of sizes: what each edge and each node reads and writes.</summary>
internal sealed class Buffers<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ExecutionPlan _plan;
    private readonly MemoryPlan _memory;
    private readonly AlignedBuffer<T> _parameters, _state;
    private readonly int _capacity;
    private readonly BlockStore _blocks;

    /// <param name="plan">The plan.</param>
    /// <param name="capacity">The largest number of rows.</param>
    /// <param name="parameters">The parameters of the network.</param>
    /// <param name="state">Its state.</param>
    /// <param name="largest">The buffers of the largest sizes, whose memory these take; null for those themselves.</param>
    public Buffers(ExecutionPlan plan, int capacity, AlignedBuffer<T> parameters, AlignedBuffer<T> state, Buffers<T>? largest)
    {
        _blocks = largest?._blocks ?? new BlockStore(shares: plan.Graph.FreeSizes.Length > 0);
        (_plan, _capacity, _parameters, _state) = (plan, capacity, parameters, state);
        var options = plan.Options;
        _memory = new MemoryPlan(plan, capacity);
        if (options.Training)
            ProposedState = Allocate<T>(BlockUse.State, 0, plan.Graph.StateLength);
        if (options.Training && options.ParameterGradients)
        {
            Gradients = Allocate<T>(BlockUse.ParameterGradients, 0, plan.Graph.ParameterLength);
            if (!options.KeepGradients)
            {
                Updates = largest?.Updates ?? new StepUpdates<T>(parameters, Gradients, plan.Graph.Parameters.Length, LongestOperands());
                _blocks.Bytes += largest is null ? Updates.Bytes : 0;
            }
        }

        Edges = new EdgeBuffer<T>[plan.Edges.Length];
        for (var e = 0; e < Edges.Length; e++)
            Edges[e] = new EdgeBuffer<T>(plan.Graph.Edges[e].Type);
        OutputGradients = new AlignedBuffer<T>?[Edges.Length];
        PlaceInputsAndParameters();
        PlaceValues();
        if (options.Training)
            PlaceGradients();
        Nodes = MakeNodes();
    }

    public EdgeBuffer<T>[] Edges { get; }

    /// <summary>For each node that runs; null for the others.</summary>
    public NodeBuffers<T>?[] Nodes { get; }

    /// <summary>The gradients of parameters; null if there are none.</summary>
    public AlignedBuffer<T>? Gradients { get; }

    /// <summary>The state that the forward pass proposes; null in inference.</summary>
    public AlignedBuffer<T>? ProposedState { get; }

    /// <summary>For each output that backward starts from, the gradient that the caller gives.</summary>
    public AlignedBuffer<T>?[] OutputGradients { get; }

    /// <summary>Null if a step stores all gradients.</summary>
    public StepUpdates<T>? Updates { get; }

    /// <summary>The bytes of all blocks, for all sizes.</summary>
    public long Bytes => _blocks.Bytes;

    /// <summary>Reserves packing space for this network's kernels on every thread. The operands of its products bound the size.</summary>
    public void ReserveKernelScratch(ComputeContext compute)
    {
        var largest = 0L;
        foreach (var range in _plan.Graph.Parameters)
            largest = Math.Max(largest, range.Length);
        for (var e = 0; e < Edges.Length; e++)
            largest = Math.Max(largest, _memory.Elements(e));

        // Caches and scratch of layers may be operands too, such as the gates of a recurrence.
        var least = 0L;
        for (var n = 0; n < Nodes.Length; n++)
        {
            if (Nodes[n] is null)
                continue;
            var declaration = _plan.Nodes[n].Declaration;
            largest = Math.Max(largest, (long)_capacity * Math.Max(declaration.CachePerRow, declaration.ScratchPerRow));
            least = Math.Max(least, declaration.ThreadScratchBytes);
        }

        KernelScratch.Reserve<T>(compute, largest, least);
    }

    /// <summary>The number of elements of the operands of all outer products that can be gradients of one node's parameters.</summary>
    private int LongestOperands()
    {
        var longest = 0L;
        foreach (var node in _plan.Graph.Nodes)
        {
            var sum = 0L;
            foreach (var slot in node.Parameters)
                sum += slot.Shape.Rank == 2 ? (long)slot.Shape[0] + slot.Shape[1] : 0;
            longest = Math.Max(longest, sum);
        }

        return (int)Math.Min(longest, Array.MaxLength - 64);
    }

    private void PlaceInputsAndParameters()
    {
        for (var e = 0; e < Edges.Length; e++)
        {
            var info = _plan.Graph.Edges[e];
            var edge = Edges[e];
            if (info.Role == EdgeRole.Input && info.Type.Kind != EdgeKind.Indices)
            {
                edge.Block = Allocate<T>(BlockUse.Input, e, _memory.Elements(e));
            }
            else if (info.Role == EdgeRole.Input)
            {
                edge.IndexBlock = Allocate<int>(BlockUse.Indices, e, _memory.Elements(e));
                if (_plan.Edges[e].IsRead)
                    edge.IndexSnapshot = Allocate<int>(BlockUse.IndexSnapshot, e, _memory.Elements(e));
            }
            else if (_plan.Graph.ParameterOfEdge[e] is { } range)
            {
                (edge.Block, edge.Offset) = (_parameters, range.Start);
                if (Gradients is null)
                    continue;
                (edge.GradientBlock, edge.GradientOffset, edge.IsParameterGradient) = (Gradients, range.Start, true);
            }
        }
    }

    private void PlaceValues()
    {
        var block = Allocate<T>(BlockUse.Values, 0, _memory.ValueLength);
        for (var e = 0; e < Edges.Length; e++)
        {
            if (!_memory.IsComputed(e))
                continue;
            var (edge, planned) = (Edges[e], _plan.Edges[e]);
            if (planned.ViewOf < 0)
            {
                (edge.Block, edge.Offset) = (block, _memory.Values[planned.ValueRoot]);
                continue;
            }

            var source = Edges[planned.ViewOf];
            (edge.Source, edge.SourceStart) = (source.Source ?? source, source.SourceStart + planned.ViewStart);
        }
    }

    private void PlaceGradients()
    {
        var block = Allocate<T>(BlockUse.Gradients, 0, _memory.GradientLength);
        for (var e = 0; e < Edges.Length; e++)
        {
            if (!_memory.HasGradient(e))
                continue;
            var planned = _plan.Edges[e];
            (Edges[e].GradientBlock, Edges[e].GradientOffset) = (block, _memory.Gradients[planned.GradientRoot]);
            if (!planned.Seeded || planned.IsLoss)
                continue;
            var seed = Allocate<T>(BlockUse.OutputGradient, e, _memory.Elements(e));
            if (_plan.Graph.Losses.Length == 0)
                seed.Span.Fill(T.One);
            OutputGradients[e] = seed;
        }
    }

    private NodeBuffers<T>?[] MakeNodes()
    {
        var nodes = new NodeBuffers<T>?[_plan.Nodes.Length];
        var longest = 0;
        for (var n = 0; n < nodes.Length; n++)
        {
            if (_plan.Nodes[n] is { RunsForward: true, FusedInto: < 0 } node)
                longest = Math.Max(longest, Length(n, node.Declaration.ScratchPerBatch, node.Declaration.ScratchPerRow));
        }

        var scratch = longest > 0 ? Allocate<T>(BlockUse.Scratch, 0, longest) : null;
        for (var n = 0; n < nodes.Length; n++)
        {
            if (_plan.Nodes[n] is not { RunsForward: true, FusedInto: < 0 } node)
                continue;
            var (info, declaration) = (_plan.Graph.Nodes[n], node.Declaration);
            nodes[n] = new NodeBuffers<T>
            {
                Index = n,
                Name = info.Name,
                Traits = declaration.Traits,
                Inputs = EdgesOf(info.Inputs),
                Outputs = EdgesOf(node.Outputs),
                Parameters = info.Parameters,
                States = info.States,
                ParameterBlock = _parameters,
                StateBlock = _state,
                GradientBlock = Gradients,
                ProposedState = ProposedState,
                Cache = Cache<T>(BlockUse.Cache, n, declaration.CachePerBatch, declaration.CachePerRow, declaration.AsksForCache),
                IndexCache = Cache<int>(BlockUse.IndexCache, n, 0, declaration.IndexCachePerRow, declaration.AsksForIndexCache),
                Scratch = new(scratch, declaration.ScratchPerBatch, declaration.ScratchPerRow, isAsked: true),
                NeedsInputGradient = node.NeedsInputGradient,
                AddsInputGradient = node.AddsInputGradient,
                Updates = Updates,
            };
        }

        if (Array.Exists(_plan.Graph.Nodes, static node => node.SharesWith >= 0))
            JoinSharedParameters(nodes);
        for (var n = 0; n < nodes.Length; n++)
            nodes[n]?.AddSteps(_plan.Nodes[n].Declaration);
        return nodes;
    }

    /// <summary>Several nodes may have one parameter: the places of a shared layer, and nodes that read it. The last in the graph writes its
    /// gradient, the others add. A step updates such a parameter when all have.</summary>
    private void JoinSharedParameters(NodeBuffers<T>?[] nodes)
    {
        var writer = new Dictionary<int, NodeBuffers<T>>();
        for (var n = nodes.Length - 1; n >= 0; n--)
        {
            if (nodes[n] is not { } node || !_plan.Nodes[n].RunsBackward)
                continue;
            for (var i = 0; i < node.Parameters.Length; i++)
            {
                if (writer.TryAdd(node.Parameters[i].Range.Start, node))
                    continue;
                (node.AddsParameterGradients ??= new bool[node.Parameters.Length])[i] = true;
                node.Updates = writer[node.Parameters[i].Range.Start].Updates = null;
            }
        }
    }

    /// <summary>What lives from forward to backward: nothing in inference.</summary>
    private RowBuffer<TElement> Cache<TElement>(BlockUse use, int node, int perBatch, int perRow, bool isAsked)
        where TElement : unmanaged
    {
        var length = Length(node, perBatch, perRow);
        return new(_plan.Options.Training && length > 0 ? Allocate<TElement>(use, node, length) : null, perBatch, perRow, isAsked);
    }

    private int Length(int node, int perBatch, int perRow) => _memory.Fitting(_plan.Graph.Nodes[node].Name, perBatch + (long)_capacity * perRow);

    private EdgeBuffer<T>[] EdgesOf(int[] edges)
    {
        var buffers = new EdgeBuffer<T>[edges.Length];
        for (var i = 0; i < edges.Length; i++)
            buffers[i] = Edges[edges[i]];
        return buffers;
    }

    private AlignedBuffer<TElement> Allocate<TElement>(BlockUse use, int index, int length)
        where TElement : unmanaged => _blocks.Take<TElement>(use, index, length);
}
