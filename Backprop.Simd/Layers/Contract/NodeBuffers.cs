using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>One named range of the parameter or state block.</summary>
internal readonly record struct BlockSlot(BlockRange Range, Shape Shape);

/// <summary>A buffer with a part for the whole batch and a part for each row; empty where there is no block.</summary>
/// <param name="block">The memory.</param>
/// <param name="perBatch">The elements of the batch.</param>
/// <param name="perRow">The elements of a row.</param>
/// <param name="isAsked">Whether the layer asked for it, be it for no elements.</param>
internal readonly struct RowBuffer<T>(AlignedBuffer<T>? block, int perBatch, int perRow, bool isAsked)
    where T : unmanaged
{
    public bool IsAsked => isAsked;

    public Span<T> Batch => block is null ? [] : block.Span[..perBatch];

    public Span<T> Rows(int first, int rows) => block is null ? [] : block.Span.Slice(perBatch + first * perRow, rows * perRow);

    /// <summary>The same buffer for the steps of the rows, so many of each.</summary>
    public RowBuffer<T> OfSteps(int steps) => new(block, perBatch, perRow / steps, isAsked);
}

/// <summary>All memory that the passes of one node use in one workspace.</summary>
internal sealed class NodeBuffers<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public required int Index;

    /// <summary>The name of the node, for messages.</summary>
    public required string Name;

    /// <summary>What the layer declared to read.</summary>
    public required LayerTraits Traits;

    public required EdgeBuffer<T>[] Inputs;

    public required EdgeBuffer<T>[] Outputs;

    public required BlockSlot[] Parameters;

    public required BlockSlot[] States;

    public required AlignedBuffer<T> ParameterBlock;

    public required AlignedBuffer<T> StateBlock;

    /// <summary>Null where parameters get no gradients.</summary>
    public AlignedBuffer<T>? GradientBlock;

    /// <summary>Null in inference.</summary>
    public AlignedBuffer<T>? ProposedState;

    public RowBuffer<T> Cache;

    public RowBuffer<int> IndexCache;

    /// <summary>All nodes of a workspace share this block, because they run one after the other.</summary>
    public RowBuffer<T> Scratch;

    /// <summary>Per input: whether its gradient is wanted, and whether another consumer has already written it.</summary>
    public required bool[] NeedsInputGradient;

    public required bool[] AddsInputGradient;

    /// <summary>Per parameter: whether another node that has it too has already written its gradient; null if there is no such node.</summary>
    public bool[]? AddsParameterGradients;

    /// <summary>Updates parameters without storing their gradients; null if all gradients are kept.</summary>
    public StepUpdates<T>? Updates;

    public LossParts Loss;

    /// <summary>The same memory for the layer that computes each step; null for other layers.</summary>
    public NodeBuffers<T>? Step { get; private set; }

    /// <summary>The steps of a row.</summary>
    public int Steps { get; private set; }

    /// <summary>Gives the layer of each step, if there is one, its view of the memory. Called when the rest is in place.</summary>
    public void AddSteps(LayerDeclaration declaration)
    {
        if (declaration.EachStep is not { } each)
            return;
        Steps = each.Steps;
        Step = new NodeBuffers<T>
        {
            Index = Index,
            Name = Name,
            Traits = each.Declaration.Traits,
            Inputs = OfSteps(Inputs, each.Declaration.Inputs),
            Outputs = OfSteps(Outputs, each.Declaration.Outputs),
            Parameters = Parameters,
            States = States,
            ParameterBlock = ParameterBlock,
            StateBlock = StateBlock,
            GradientBlock = GradientBlock,
            ProposedState = ProposedState,
            Cache = Cache.OfSteps(Steps),
            IndexCache = IndexCache.OfSteps(Steps),
            Scratch = Scratch.OfSteps(Steps),
            NeedsInputGradient = NeedsInputGradient,
            AddsInputGradient = AddsInputGradient,
            AddsParameterGradients = AddsParameterGradients,
            Updates = Updates,
        };
        Step.AddSteps(each.Declaration);
    }

    private EdgeBuffer<T>[] OfSteps(EdgeBuffer<T>[] edges, IReadOnlyList<EdgeType> types)
    {
        var steps = new EdgeBuffer<T>[types.Count];
        for (var i = 0; i < steps.Length; i++)
            steps[i] = types[i].Kind == EdgeKind.Shared ? edges[i] : new EdgeBuffer<T>(types[i]) { Whole = edges[i], Steps = Steps };
        return steps;
    }
}
