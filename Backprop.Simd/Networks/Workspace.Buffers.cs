using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Networks;

/// <content>Where every buffer lies.</content>
public sealed partial class Workspace<T>
{
    private const int Forever = int.MaxValue;

    private void PlaceInputsAndParameters()
    {
        for (var e = 0; e < _edges.Length; e++)
        {
            var info = _definition.Edges[e];
            if (info.Role == EdgeRole.Input)
            {
                if (info.Type.Kind == EdgeKind.Indices)
                    _edges[e].IndexBlock = Allocate<int>(Elements(e));
                else
                    _edges[e].Block = Allocate(Elements(e));
            }
            else if (info.Role == EdgeRole.Parameter && _definition.ParameterOfEdge[e] is { } parameter)
            {
                _edges[e].Block = Network.ParameterBlock;
                _edges[e].Offset = parameter.Range.Start;
                if (!_training)
                    continue;
                _edges[e].GradientBlock = _gradients;
                _edges[e].GradientOffset = parameter.Range.Start;
                _edges[e].IsParameterGradient = true;
            }
        }
    }

    /// <summary>In training every value stays for backward; in inference it lives from its producer to its last reader.</summary>
    private void PlaceValues()
    {
        var planner = new IntervalPlanner();
        var groups = ComputedEdges().GroupBy(e => _plan.ValueRoot[e]);
        foreach (var group in groups)
        {
            var start = group.Min(e => _definition.Edges[e].Producer);
            var end = _training || group.Any(e => _plan.Readable[e])
                ? Forever
                : group.Max(e => _definition.Consumers[e].Where(c => _plan.RunsForward[c.Node]).Select(c => c.Node).DefaultIfEmpty(start).Max());
            planner.Add(group.Key, start, end, Elements(group.Key));
        }

        var offsets = planner.Place();
        var block = Allocate(planner.Length);
        foreach (var e in ComputedEdges())
        {
            _edges[e].Block = block;
            _edges[e].Offset = offsets[_plan.ValueRoot[e]];
        }
    }

    /// <summary>A gradient lives from the first of its consumers in backward order to its producer's backward pass.</summary>
    private void PlaceGradients()
    {
        var last = _definition.Nodes.Length;
        var planner = new IntervalPlanner();
        var edges = Enumerable.Range(0, _edges.Length)
            .Where(e => !_edges[e].IsParameterGradient && _definition.Edges[e].Role != EdgeRole.Parameter)
            .Where(e => _plan.HasFlow[e] || _definition.Edges[e].Producer is >= 0 and var n && _plan.RunsBackward[n]
                || _plan.NeedsGradient[e] && _plan.Readable[e])
            .ToArray();
        foreach (var group in edges.GroupBy(e => _plan.GradientRoot[e]))
        {
            var (start, end) = (Forever, 0);
            foreach (var e in group)
            {
                var info = _definition.Edges[e];
                var produced = info.Producer < 0 || _plan.Readable[e] ? Forever : last - info.Producer;
                var firstWritten = _plan.Seeded[e] ? 0
                    : _definition.Consumers[e].Where(c => _plan.RunsBackward[c.Node]).Select(c => last - c.Node).DefaultIfEmpty(0).Min();
                (start, end) = (Math.Min(start, firstWritten), Math.Max(end, produced));
            }

            planner.Add(group.Key, start, end, Elements(group.Key));
        }

        var offsets = planner.Place();
        var block = Allocate(planner.Length);
        foreach (var e in edges)
        {
            _edges[e].GradientBlock = block;
            _edges[e].GradientOffset = offsets[_plan.GradientRoot[e]];
            if (!_plan.Seeded[e] || _plan.IsLoss[e])
                continue;
            _outputGradients[e] = Allocate(Elements(e));
            if (_definition.Losses.Length == 0)
                _outputGradients[e]!.Span.Fill(T.One);
        }
    }

    private NodeBuffers<T>?[] MakeNodes()
    {
        var nodes = new NodeBuffers<T>?[_definition.Nodes.Length];
        var scratchLength = 0;
        for (var n = 0; n < nodes.Length; n++)
        {
            if (!_plan.RunsForward[n])
                continue;
            var info = _definition.Nodes[n];
            var declaration = info.Declaration;
            var cache = Fitting(info.Name, declaration.CachePerBatch + (long)Capacity * declaration.CachePerRow);
            scratchLength = Math.Max(scratchLength, Fitting(info.Name, declaration.ScratchPerBatch + (long)Capacity * declaration.ScratchPerRow));
            nodes[n] = new NodeBuffers<T>
            {
                Index = n,
                Inputs = [.. info.Inputs.Select(e => _edges[e])],
                Outputs = [.. info.Outputs.Select(e => _edges[e])],
                Parameters = [.. _definition.NodeParameters[n].Select(p => new BlockSlot(p.Range, p.Shape))],
                States = [.. _definition.NodeStates[n].Select(s => new BlockSlot(s.Range, s.Shape))],
                ParameterBlock = Network.ParameterBlock,
                StateBlock = Network.StateBlock,
                GradientBlock = _gradients,
                ProposedState = _proposedState,
                Cache = _training && cache > 0 ? Allocate(cache) : null,
                CachePerRow = declaration.CachePerRow,
                CachePerBatch = declaration.CachePerBatch,
                IndexCache = _training && declaration.IndexCachePerRow > 0 ? Allocate<int>(Fitting(info.Name, (long)Capacity * declaration.IndexCachePerRow)) : null,
                IndexCachePerRow = declaration.IndexCachePerRow,
                ScratchPerRow = declaration.ScratchPerRow,
                ScratchPerBatch = declaration.ScratchPerBatch,
                NeedsInputGradient = _plan.NeedsInputGradient[n],
                AddsInputGradient = _plan.AddsInputGradient[n],
                RunsBackward = _plan.RunsBackward[n],
            };
        }

        if (scratchLength > 0)
        {
            var scratch = Allocate(scratchLength);
            foreach (var node in nodes)
            {
                if (node is not null)
                    node.Scratch = scratch;
            }
        }

        return nodes;
    }

    /// <summary>The ranges of the gradient block that no backward pass writes: padding, and parameters that no loss reaches.</summary>
    private IEnumerable<BlockRange> UnwrittenGradients()
    {
        var written = new HashSet<int>();
        for (var n = 0; n < _definition.Nodes.Length; n++)
        {
            if (_plan.RunsBackward[n])
                written.UnionWith(_definition.NodeParameters[n].Select(p => p.Range.Start));
        }

        written.UnionWith(Enumerable.Range(0, _edges.Length).Where(e => _plan.HasFlow[e])
            .Select(e => _definition.ParameterOfEdge[e]).Where(p => p is not null).Select(p => p!.Range.Start));
        var end = 0;
        foreach (var entry in _definition.Parameters.Entries.Where(e => written.Contains(e.Range.Start)))
        {
            if (entry.Range.Start > end)
                yield return new BlockRange(end, entry.Range.Start - end);
            end = entry.Range.Start + entry.Range.Length;
        }

        if (_definition.Parameters.Length > end)
            yield return new BlockRange(end, _definition.Parameters.Length - end);
    }

    /// <summary>The operands of this network's products bound what its kernels may pack.</summary>
    private void ReserveKernelScratch()
    {
        var largest = Math.Max(
            _definition.Parameters.Entries.Select(p => (long)p.Range.Length).DefaultIfEmpty(0).Max(),
            Enumerable.Range(0, _edges.Length).Select(e => (long)Elements(e)).DefaultIfEmpty(0).Max());
        KernelScratch.Reserve<T>(Compute, largest);
    }

    private IEnumerable<int> ComputedEdges() => Enumerable.Range(0, _edges.Length)
        .Where(e => _definition.Edges[e].Producer is >= 0 and var n && _plan.RunsForward[n]);

    private int Elements(int edge)
    {
        var type = _definition.Edges[edge].Type;
        return Fitting(_definition.Edges[edge].Name, type.Kind == EdgeKind.Shared ? type.Shape.Size : (long)Capacity * type.Shape.Size);
    }

    private int Fitting(string name, long elements) => elements <= Array.MaxLength - 64
        ? (int)elements
        : throw new ArgumentOutOfRangeException("rows", Capacity, $"'{name}' would need {elements} elements in one buffer; a buffer holds at most 2^31. Use fewer rows.");
}
