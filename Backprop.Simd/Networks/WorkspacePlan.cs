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
        Readable = new bool[edges.Length];
        for (var e = 0; e < edges.Length; e++)
            Readable[e] = Retained[e] || IsOutput[e] || IsLoss[e] || edges[e].Role == EdgeRole.Parameter;

        // Inference leaves out what lies behind a loss.
        var dependsOnLoss = new bool[edges.Length];
        foreach (var node in nodes)
        {
            var depends = node.Layer is Losses.Loss || Any(node.Inputs, dependsOnLoss);
            foreach (var e in node.Outputs)
                dependsOnLoss[e] = depends;
        }

        RunsForward = new bool[nodes.Length];
        var wanted = new bool[edges.Length];
        for (var e = 0; e < edges.Length; e++)
            wanted[e] = IsOutput[e] || IsLoss[e] && (_training || options.Losses) || Retained[e] && edges[e].Role == EdgeRole.Computed && (_training || options.Losses || !dependsOnLoss[e]);
        for (var n = nodes.Length - 1; n >= 0; n--)
        {
            RunsForward[n] = Any(nodes[n].Outputs, wanted);
            if (!RunsForward[n])
                continue;
            foreach (var e in nodes[n].Inputs)
                wanted[e] = true;
        }

        NeedsGradient = new bool[edges.Length];
        Seeded = new bool[edges.Length];
        NeedsInputGradient = new bool[nodes.Length][];
        AddsInputGradient = new bool[nodes.Length][];
        for (var n = 0; n < nodes.Length; n++)
        {
            NeedsInputGradient[n] = new bool[nodes[n].Inputs.Length];
            AddsInputGradient[n] = new bool[nodes[n].Inputs.Length];
        }

        RunsBackward = new bool[nodes.Length];
        HasFlow = new bool[edges.Length];
        if (_training)
            PlanBackward(options);
        ValueRoot = new int[edges.Length];
        GradientRoot = new int[edges.Length];
        IsViewOfInput = new bool[nodes.Length];
        IsGradientView = new bool[nodes.Length];
        Fusions = new FusedConvolution?[nodes.Length];
        FusedInto = new int[nodes.Length];
        Array.Fill(FusedInto, -1);
        FindFusions();
        FindAliases();
    }

    public readonly bool[] Retained;

    public readonly bool[] IsOutput;

    public readonly bool[] IsLoss;

    /// <summary>Whether the caller may read an edge's value, and its gradient if it has one.</summary>
    public readonly bool[] Readable;

    public readonly bool[] RunsForward;

    public readonly bool[] RunsBackward;

    public readonly bool[] NeedsGradient;

    /// <summary>Edges whose gradient backward starts from: losses, and outputs where the caller gives theirs.</summary>
    public readonly bool[] Seeded;

    /// <summary>Edges that backward reaches.</summary>
    public readonly bool[] HasFlow;

    public readonly bool[][] NeedsInputGradient;

    public readonly bool[][] AddsInputGradient;

    /// <summary>The edge whose buffer an edge's value lies in: its own, or that of the input it overwrites.</summary>
    public readonly int[] ValueRoot;

    /// <summary>The same for gradients.</summary>
    public readonly int[] GradientRoot;

    /// <summary>Nodes whose output is read in their input's memory: they do not run forward.</summary>
    public readonly bool[] IsViewOfInput;

    /// <summary>Views whose gradient is their input's: they do not run backward.</summary>
    public readonly bool[] IsGradientView;

    /// <summary>Per node the operation that it and the nodes behind it make together, if they do.</summary>
    public readonly FusedConvolution?[] Fusions;

    /// <summary>Per node the one before it whose operation does its work; -1 for none.</summary>
    public readonly int[] FusedInto;

    /// <summary>The node whose operation computes an edge; -1 for none.</summary>
    public int ProducerOf(int edge) => _definition.Edges[edge].Producer is >= 0 and var n && FusedInto[n] >= 0 ? FusedInto[n] : _definition.Edges[edge].Producer;

    /// <summary>Whether an edge lies inside a fused operation and is never stored.</summary>
    public bool IsInside(int edge)
    {
        var producer = _definition.Edges[edge].Producer;
        return producer >= 0 && (Fusions[producer] is not null || FusedInto[producer] >= 0) && _definition.Consumers[edge] is [var consumer]
            && FusedInto[consumer] == ProducerOf(edge);
    }

    /// <summary>Whether a node that runs reads an edge.</summary>
    public bool IsRead(int edge) => _definition.Consumers[edge].Exists(n => RunsForward[n]);

    /// <summary>The edge that a fused operation writes.</summary>
    public int OutputOfFusion(int node)
    {
        var edge = _definition.Nodes[node].Outputs[0];
        while (IsInside(edge))
            edge = _definition.Nodes[_definition.Consumers[edge][0]].Outputs[0];
        return edge;
    }

    private void FindFusions()
    {
        var nodes = _definition.Nodes;
        for (var n = 0; n < nodes.Length; n++)
        {
            if (!RunsForward[n] || nodes[n].Layer is not Convolution2D || NextInside(n) is not { } next)
                continue;
            var between = nodes[next].Layer is MaxPooling2D ? -1 : next;
            if (between >= 0)
            {
                if (NextInside(between) is not { } behind)
                    continue;
                next = behind;
            }

            Fusions[n] = FusedConvolution.Of(nodes[n].Layer, _definition.Edges[nodes[n].Inputs[0]].Type, between < 0 ? null : nodes[between].Layer, nodes[next].Layer);
            if (Fusions[n] is null)
                continue;
            FusedInto[next] = n;
            if (between >= 0)
                FusedInto[between] = n;
        }
    }

    /// <summary>The only consumer of a node's output, if nobody else, the caller included, can see that output or its gradient.</summary>
    private int? NextInside(int node)
    {
        if (_definition.Nodes[node].Outputs is not [var output] || _definition.Consumers[output] is not [var consumer])
            return null;
        return RunsForward[consumer] && RunsBackward[consumer] == RunsBackward[node] && !Readable[output] && !Seeded[output]
            && _definition.Nodes[consumer].Inputs.Length == 1 ? consumer : null;
    }

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
            if (nodes[n].Declaration.Parameters.Count == 0 && !Any(nodes[n].Inputs, NeedsGradient))
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
            RunsBackward[n] = RunsForward[n] && Any(nodes[n].Outputs, HasFlow)
                && (nodes[n].Declaration.Parameters.Count > 0 || Any(nodes[n].Inputs, NeedsGradient));
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

    /// <summary>Whether any of some edges has a flag.</summary>
    private static bool Any(int[] edges, bool[] flags)
    {
        foreach (var e in edges)
        {
            if (flags[e])
                return true;
        }

        return false;
    }

    private void FindAliases()
    {
        var readers = new int[ValueRoot.Length];
        for (var n = 0; n < _definition.Nodes.Length; n++)
        {
            foreach (var e in _definition.Nodes[n].Inputs)
                readers[e] += RunsForward[n] ? 1 : 0;
        }

        for (var e = 0; e < ValueRoot.Length; e++)
            ValueRoot[e] = GradientRoot[e] = e;
        for (var n = 0; n < _definition.Nodes.Length; n++)
        {
            var node = _definition.Nodes[n];
            if (!RunsForward[n] || node.Outputs.Length != 1 || FusedInto[n] >= 0)
                continue;
            var (input, output) = (node.Inputs[0], node.Outputs[0]);
            if (node.Layer.IsView)
            {
                IsViewOfInput[n] = true;
                ValueRoot[output] = ValueRoot[input];
                IsGradientView[n] = IsGradientOfView(n, input, output);
                if (IsGradientView[n])
                    GradientRoot[output] = GradientRoot[input];
                continue;
            }

            if (node.Layer is Slice)
            {
                IsViewOfInput[n] = IsReadInPlace(output);
                if (IsViewOfInput[n])
                    ValueRoot[output] = ValueRoot[input];
                continue;
            }

            if (!node.Layer.SupportsInPlace)
                continue;
            if (readers[input] != 1 || !IsValueShared(input, output))
                continue;
            ValueRoot[output] = ValueRoot[input];
            if (IsGradientShared(n, output))
                GradientRoot[output] = GradientRoot[input];
        }
    }

    /// <summary>
    /// An elementwise layer may overwrite what its producer computed if nobody else reads it: no other consumer, not the
    /// caller, and in training not the producer's own backward pass.
    /// </summary>
    private bool IsValueShared(int input, int output)
    {
        var (edges, nodes) = (_definition.Edges, _definition.Nodes);
        return edges[input].Role == EdgeRole.Computed
            && !IsViewOfInput[edges[input].Producer]
            && edges[input].Type == edges[output].Type
            && !Readable[input]
            && (!_training || FusedInto[edges[input].Producer] < 0 && !nodes[edges[input].Producer].Layer.BackwardUsesOutput);
    }

    /// <summary>
    /// A view's gradient is that of its input where nobody else adds to the latter: no other consumer, not the caller. That of a
    /// parameter lies elsewhere, and may be accumulated. One that a layer overwrites with its own is not what the caller reads.
    /// </summary>
    private bool IsGradientOfView(int node, int input, int output) =>
        RunsBackward[node] && NeedsInputGradient[node][0] && !Seeded[input] && _definition.Edges[input].Role != EdgeRole.Parameter
        && HasFlow[output] && _definition.Consumers[input].Count == 1 && (!Readable[output] || GradientRoot[input] == input);

    /// <summary>All consumers of a slice take rows with gaps between them, and the caller does not read it.</summary>
    private bool IsReadInPlace(int output)
    {
        if (Readable[output] || _definition.Edges[output].Type.Kind != EdgeKind.Values)
            return false;
        var shape = _definition.Edges[_definition.Nodes[_definition.Edges[output].Producer].Inputs[0]].Type.Shape;
        var slice = (Slice)_definition.Nodes[_definition.Edges[output].Producer].Layer;
        if (slice.Run(shape).Step != shape.Size)
            return false; // Several runs in a row.
        foreach (var consumer in _definition.Consumers[output])
        {
            if (!_definition.Nodes[consumer].Layer.AcceptsRowStrides)
                return false;
        }

        return true;
    }

    /// <summary>
    /// Where values share, gradients may as well if the caller does not read that of its output, and no second input needs it.
    /// </summary>
    private bool IsGradientShared(int node, int output) =>
        RunsBackward[node] && NeedsInputGradient[node].Length == 1 && NeedsInputGradient[node][0] && !AddsInputGradient[node][0]
        && !Readable[output] && !Seeded[output];
}
