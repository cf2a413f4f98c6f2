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
                if (info.Type.Kind != EdgeKind.Indices)
                {
                    _edges[e].Block = Allocate(Elements(e));
                    continue;
                }

                _edges[e].IndexBlock = Allocate<int>(Elements(e));
                if (_plan.IsRead(e))
                    _edges[e].IndexSnapshot = Allocate<int>(Elements(e));
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
        var lives = new Life?[_edges.Length];
        for (var e = 0; e < _edges.Length; e++)
        {
            if (!IsComputed(e) || LiesInGivenMemory(e))
                continue;
            var start = _plan.ProducerOf(e);
            var end = _training || _plan.Readable[e] ? Forever : start;
            foreach (var consumer in _definition.Consumers[e])
            {
                if (_plan.RunsForward[consumer])
                    end = Math.Max(end, consumer);
            }

            (lives[_plan.ValueRoot[e]] ??= new Life()).Include(start, end);
        }

        var (offsets, block) = Place(lives);
        for (var e = 0; e < _edges.Length; e++)
        {
            if (!IsComputed(e))
                continue;
            var producer = _definition.Nodes[_definition.Edges[e].Producer];
            if (LiesInGivenMemory(e) || _plan.IsViewOfInput[_definition.Edges[e].Producer] && producer.Layer is Slice)
            {
                var source = producer.Inputs[0];
                _edges[e].Source = _edges[source].Source ?? _edges[source];
                var start = producer.Layer is Slice slice ? slice.Run(_definition.Edges[source].Type.Shape).Start : 0;
                _edges[e].SourceStart = _edges[source].SourceStart + start;
                continue;
            }

            _edges[e].Block = block;
            _edges[e].Offset = offsets[_plan.ValueRoot[e]];
        }
    }

    /// <summary>A gradient lives from the first of its consumers in backward order to its producer's backward pass.</summary>
    private void PlaceGradients()
    {
        var last = _definition.Nodes.Length;
        var lives = new Life?[_edges.Length];
        for (var e = 0; e < _edges.Length; e++)
        {
            if (!HasGradientBuffer(e))
                continue;
            var info = _definition.Edges[e];
            var end = info.Producer < 0 || _plan.Readable[e] ? Forever : last - _plan.ProducerOf(e);
            var start = 0;
            foreach (var consumer in _definition.Consumers[e])
            {
                // The last consumer that runs backward writes first.
                if (_plan.RunsBackward[consumer] && !_plan.Seeded[e])
                    start = last - consumer;
            }

            (lives[_plan.GradientRoot[e]] ??= new Life()).Include(start, end);
        }

        var (offsets, block) = Place(lives);
        for (var e = 0; e < _edges.Length; e++)
        {
            if (!HasGradientBuffer(e))
                continue;
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
            if (!_plan.RunsForward[n] || _plan.FusedInto[n] >= 0)
                continue;
            var info = _definition.Nodes[n];
            var fusion = _plan.Fusions[n];
            var indexCachePerRow = fusion?.IndexCachePerRow ?? info.Declaration.IndexCachePerRow;
            var declaration = info.Declaration;
            var cache = Fitting(info.Name, declaration.CachePerBatch + (long)Capacity * declaration.CachePerRow);
            scratchLength = Math.Max(scratchLength, Fitting(info.Name, declaration.ScratchPerBatch + (long)Capacity * declaration.ScratchPerRow));
            nodes[n] = new NodeBuffers<T>
            {
                Index = n,
                Inputs = EdgesOf(info.Inputs),
                Outputs = fusion is null ? EdgesOf(info.Outputs) : EdgesOf([_plan.OutputOfFusion(n)]),
                Parameters = Slots(_definition.NodeParameters[n]),
                States = Slots(_definition.NodeStates[n]),
                ParameterBlock = Network.ParameterBlock,
                StateBlock = Network.StateBlock,
                GradientBlock = _gradients,
                ProposedState = _proposedState,
                Cache = _training && cache > 0 ? Allocate(cache) : null,
                CachePerRow = declaration.CachePerRow,
                CachePerBatch = declaration.CachePerBatch,
                IndexCache = _training && indexCachePerRow > 0 ? Allocate<int>(Fitting(info.Name, (long)Capacity * indexCachePerRow)) : null,
                IndexCachePerRow = indexCachePerRow,
                ScratchPerRow = declaration.ScratchPerRow,
                ScratchPerBatch = declaration.ScratchPerBatch,
                NeedsInputGradient = _plan.NeedsInputGradient[n],
                AddsInputGradient = _plan.AddsInputGradient[n],
                RunsForward = !_plan.IsViewOfInput[n],
                RunsBackward = _plan.RunsBackward[n] && !_plan.IsGradientView[n],
                FusedUpdate = _fused,
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
    private BlockRange[] UnwrittenGradients()
    {
        var written = new HashSet<ParameterInfo>(ReferenceEqualityComparer.Instance);
        for (var n = 0; n < _definition.Nodes.Length; n++)
        {
            foreach (var parameter in _definition.NodeParameters[n])
            {
                if (_plan.RunsBackward[n])
                    written.Add(parameter);
            }
        }

        for (var e = 0; e < _edges.Length; e++)
        {
            if (_plan.HasFlow[e] && _definition.ParameterOfEdge[e] is { } parameter)
                written.Add(parameter);
        }

        var entries = _definition.Parameters.Entries;
        var ranges = new BlockRange[entries.Count + 1];
        var (count, end) = (0, 0);
        for (var i = 0; i < entries.Count; i++)
        {
            if (!written.Contains(entries[i]))
                continue;
            var range = entries[i].Range;
            if (range.Start > end)
                ranges[count++] = new BlockRange(end, range.Start - end);
            end = range.Start + range.Length;
        }

        if (_definition.Parameters.Length > end)
            ranges[count++] = new BlockRange(end, _definition.Parameters.Length - end);
        var unwritten = new BlockRange[count];
        Array.Copy(ranges, unwritten, count);
        return unwritten;
    }

    /// <summary>The outputs of nodes that run backward whose gradient nobody writes.</summary>
    private int[] EdgesWithoutFlow()
    {
        var edges = new List<int>();
        for (var n = 0; n < _definition.Nodes.Length; n++)
        {
            foreach (var e in _definition.Nodes[n].Outputs)
            {
                if (_plan.RunsBackward[n] && !_plan.HasFlow[e])
                    edges.Add(e);
            }
        }

        return edges.ToArray();
    }

    /// <summary>The operands of this network's products bound what its kernels may pack.</summary>
    private void ReserveKernelScratch()
    {
        var largest = 0L;
        var entries = _definition.Parameters.Entries;
        for (var i = 0; i < entries.Count; i++)
            largest = Math.Max(largest, entries[i].Range.Length);
        for (var e = 0; e < _edges.Length; e++)
            largest = Math.Max(largest, Elements(e));

        // What layers keep for themselves may be operands as well: the gates of a recurrence.
        var least = 0L;
        for (var n = 0; n < _nodes.Length; n++)
        {
            if (_nodes[n] is null)
                continue;
            var declaration = _definition.Nodes[n].Declaration;
            largest = Math.Max(largest, (long)Capacity * Math.Max(declaration.CachePerRow, declaration.ScratchPerRow));
            least = Math.Max(least, _plan.Fusions[n]?.ThreadScratchBytes ?? declaration.ThreadScratchBytes);
        }

        KernelScratch.Reserve<T>(Compute, largest, least);
    }

    /// <summary>Places the buffers that have a life, by the edge whose buffer it is.</summary>
    private (Dictionary<int, int> Offsets, AlignedBuffer<T> Block) Place(Life?[] lives)
    {
        var planner = new IntervalPlanner();
        for (var e = 0; e < lives.Length; e++)
        {
            if (lives[e] is { } life)
                planner.Add(e, life.Start, life.End, Elements(e));
        }

        var offsets = planner.Place();
        return (offsets, Allocate(planner.Length));
    }

    /// <summary>A view of an input or parameter, whose memory is the caller's or the network's.</summary>
    private bool LiesInGivenMemory(int edge) => _definition.Edges[_plan.ValueRoot[edge]].Role != EdgeRole.Computed;

    private bool IsComputed(int edge) => !_plan.IsInside(edge) && _definition.Edges[edge].Producer is >= 0 and var n && _plan.RunsForward[n];

    private bool HasGradientBuffer(int edge)
    {
        var info = _definition.Edges[edge];
        return info.Role != EdgeRole.Parameter && !_plan.IsInside(edge)
            && (_plan.HasFlow[edge] || info.Producer >= 0 && _plan.RunsBackward[info.Producer] || _plan.NeedsGradient[edge] && _plan.Readable[edge]);
    }

    private EdgeBuffer<T>[] EdgesOf(int[] edges)
    {
        var buffers = new EdgeBuffer<T>[edges.Length];
        for (var i = 0; i < edges.Length; i++)
            buffers[i] = _edges[edges[i]];
        return buffers;
    }

    private static BlockSlot[] Slots(ParameterInfo[] entries)
    {
        var slots = new BlockSlot[entries.Length];
        for (var i = 0; i < entries.Length; i++)
            slots[i] = new BlockSlot(entries[i].Range, entries[i].Shape);
        return slots;
    }

    private int Elements(int edge)
    {
        var type = _definition.Edges[edge].Type;
        return Fitting(_definition.Edges[edge].Name, type.Kind == EdgeKind.Shared ? type.Shape.Size : (long)Capacity * type.Shape.Size);
    }

    private int Fitting(string name, long elements) => elements <= Array.MaxLength - 64
        ? (int)elements
        : throw new ArgumentOutOfRangeException("rows", Capacity, $"'{name}' would need {elements} elements in one buffer; a buffer holds at most 2^31. Use fewer rows.");

    /// <summary>The steps through which a buffer is in use, ends included.</summary>
    private sealed class Life
    {
        public int Start = Forever, End;

        public void Include(int start, int end) => (Start, End) = (Math.Min(Start, start), Math.Max(End, end));
    }
}
