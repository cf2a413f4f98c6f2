using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <summary>
/// What a workspace decides before it allocates: which nodes run, which edges have gradients, what shares a buffer. Follows
/// from the definition and the options alone.
/// </summary>
internal sealed class WorkspacePlan
{
    private readonly NetworkDefinition _definition;
    private readonly bool _training;

    public WorkspacePlan(NetworkDefinition definition, WorkspaceOptions options)
    {
        _definition = definition;
        _training = options.Mode == WorkspaceMode.Training;
        var (edges, nodes) = (definition.Edges, definition.Nodes);

        Retained = new bool[edges.Length];
        foreach (var name in options.Retain.Names)
            Retained[definition.EdgeOf(name)] = true;
        for (var e = 0; e < edges.Length; e++)
            Retained[e] |= options.Retain.IsAll || edges[e].Role == EdgeRole.Input;
        IsOutput = new bool[edges.Length];
        foreach (var edge in definition.OutputEdges)
            IsOutput[edge] = true;
        IsLoss = new bool[edges.Length];
        foreach (var loss in definition.Losses)
            IsLoss[loss.Edge] = true;
        Readable = [.. edges.Select((edge, e) => Retained[e] || IsOutput[e] || IsLoss[e] || edge.Role == EdgeRole.Parameter)];

        // Inference leaves out what lies behind a loss.
        var dependsOnLoss = new bool[edges.Length];
        foreach (var node in nodes)
        {
            var depends = node.Layer is Losses.Loss || node.Inputs.Any(e => dependsOnLoss[e]);
            foreach (var e in node.Outputs)
                dependsOnLoss[e] = depends;
        }

        RunsForward = new bool[nodes.Length];
        var wanted = new bool[edges.Length];
        for (var e = 0; e < edges.Length; e++)
            wanted[e] = IsOutput[e] || IsLoss[e] && (_training || options.Losses) || Retained[e] && edges[e].Role == EdgeRole.Computed && (_training || options.Losses || !dependsOnLoss[e]);
        for (var n = nodes.Length - 1; n >= 0; n--)
        {
            RunsForward[n] = nodes[n].Outputs.Any(e => wanted[e]);
            if (!RunsForward[n])
                continue;
            foreach (var e in nodes[n].Inputs)
                wanted[e] = true;
        }

        NeedsGradient = new bool[edges.Length];
        Seeded = new bool[edges.Length];
        NeedsInputGradient = [.. nodes.Select(n => new bool[n.Inputs.Length])];
        AddsInputGradient = [.. nodes.Select(n => new bool[n.Inputs.Length])];
        RunsBackward = new bool[nodes.Length];
        HasFlow = new bool[edges.Length];
        if (_training)
            PlanBackward(options);
        ValueRoot = Aliases(IsValueShared);
        GradientRoot = Aliases(IsGradientShared);
    }

    public bool[] Retained { get; }

    public bool[] IsOutput { get; }

    public bool[] IsLoss { get; }

    /// <summary>Whether the caller may read an edge's value, and its gradient if it has one.</summary>
    public bool[] Readable { get; }

    public bool[] RunsForward { get; }

    public bool[] RunsBackward { get; }

    public bool[] NeedsGradient { get; }

    /// <summary>Edges whose gradient backward starts from: losses, and outputs where the caller gives theirs.</summary>
    public bool[] Seeded { get; }

    /// <summary>Edges that backward reaches.</summary>
    public bool[] HasFlow { get; }

    public bool[][] NeedsInputGradient { get; }

    public bool[][] AddsInputGradient { get; }

    /// <summary>The edge whose buffer an edge's value lies in: its own, or that of the input it overwrites.</summary>
    public int[] ValueRoot { get; }

    /// <summary>The same for gradients.</summary>
    public int[] GradientRoot { get; }

    private void PlanBackward(WorkspaceOptions options)
    {
        var (edges, nodes) = (_definition.Edges, _definition.Nodes);
        for (var e = 0; e < edges.Length; e++)
        {
            NeedsGradient[e] = edges[e].Role == EdgeRole.Parameter
                || edges[e].Role == EdgeRole.Input && options.InputGradients && edges[e].Type.Kind != EdgeKind.Indices;
        }

        for (var n = 0; n < nodes.Length; n++)
        {
            if (nodes[n].Declaration.Parameters.Count == 0 && !nodes[n].Inputs.Any(e => NeedsGradient[e]))
                continue;
            foreach (var e in nodes[n].Outputs)
                NeedsGradient[e] = true;
        }

        for (var e = 0; e < edges.Length; e++)
        {
            Seeded[e] = IsLoss[e] || IsOutput[e] && (options.OutputGradients || _definition.Losses.Length == 0);
            HasFlow[e] = Seeded[e];
        }

        for (var n = nodes.Length - 1; n >= 0; n--)
        {
            RunsBackward[n] = RunsForward[n] && nodes[n].Outputs.Any(e => HasFlow[e])
                && (nodes[n].Declaration.Parameters.Count > 0 || nodes[n].Inputs.Any(e => NeedsGradient[e]));
            if (!RunsBackward[n])
                continue;
            for (var i = 0; i < nodes[n].Inputs.Length; i++)
            {
                var e = nodes[n].Inputs[i];
                NeedsInputGradient[n][i] = NeedsGradient[e];
                if (!NeedsGradient[e])
                    continue;
                AddsInputGradient[n][i] = HasFlow[e];
                HasFlow[e] = true;
            }
        }
    }

    private int[] Aliases(Func<int, int, int, bool> isShared)
    {
        var roots = Enumerable.Range(0, _definition.Edges.Length).ToArray();
        for (var n = 0; n < _definition.Nodes.Length; n++)
        {
            var node = _definition.Nodes[n];
            if (!RunsForward[n] || !node.Layer.SupportsInPlace || node.Outputs.Length != 1)
                continue;
            var (input, output) = (node.Inputs[0], node.Outputs[0]);
            if (isShared(n, input, output))
                roots[output] = roots[input];
        }

        return roots;
    }

    /// <summary>
    /// An elementwise layer may overwrite what its producer computed if nobody else reads it: no other consumer, not the
    /// caller, and in training not the producer's own backward pass.
    /// </summary>
    private bool IsValueShared(int node, int input, int output)
    {
        var (edges, nodes) = (_definition.Edges, _definition.Nodes);
        return edges[input].Role == EdgeRole.Computed
            && edges[input].Type == edges[output].Type
            && !Readable[input]
            && _definition.Consumers[input].Count(c => RunsForward[c.Node]) == 1
            && (!_training || !nodes[edges[input].Producer].Layer.BackwardUsesOutput);
    }

    /// <summary>
    /// Its gradients may share as well if the caller does not read that of its output, and no second input needs it.
    /// </summary>
    private bool IsGradientShared(int node, int input, int output) =>
        RunsBackward[node] && NeedsInputGradient[node].Length == 1 && NeedsInputGradient[node][0] && !AddsInputGradient[node][0]
        && IsValueShared(node, input, output) && !Readable[output] && !Seeded[output];
}

/// <summary>Places buffers that live for an interval of steps into one block, first fit.</summary>
internal sealed class IntervalPlanner
{
    private const int Alignment = 16;

    private readonly List<(int Key, int Start, int End, long Size)> _requests = [];

    /// <summary>The elements of the block.</summary>
    public int Length { get; private set; }

    public void Add(int key, int start, int end, long size) => _requests.Add((key, start, end, (size + Alignment - 1) / Alignment * Alignment));

    /// <summary>The offset of each key. Two requests share elements only if their intervals, ends included, are apart.</summary>
    public Dictionary<int, int> Place()
    {
        var offsets = new Dictionary<int, int>();
        var placed = new List<(int Start, int End, long Offset, long Size)>();
        long length = 0;
        foreach (var (key, start, end, size) in _requests.OrderBy(r => r.Start).ThenByDescending(r => r.Size))
        {
            long offset = 0;
            foreach (var other in placed.Where(p => p.Start <= end && start <= p.End).OrderBy(p => p.Offset))
            {
                if (offset + size <= other.Offset)
                    break;
                offset = Math.Max(offset, other.Offset + other.Size);
            }

            if (offset + size > Array.MaxLength - Alignment)
                throw new ArgumentOutOfRangeException("rows", $"The buffers of this workspace would hold {offset + size} elements; a block holds at most 2^31. Use fewer rows.");
            placed.Add((start, end, offset, size));
            offsets[key] = (int)offset;
            length = Math.Max(length, offset + size);
        }

        Length = (int)length;
        return offsets;
    }
}
