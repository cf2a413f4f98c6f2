using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>Where the values and the gradient of one edge lie in a workspace.</summary>
internal sealed class EdgeBuffer<T>(EdgeType type)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public readonly EdgeType Type = type;

    /// <summary>The block that holds the values, and where in it. A bound input holds the caller's memory instead.</summary>
    public AlignedBuffer<T>? Block;

    public int Offset;

    public ReadOnlyMemory<T> Bound;

    public bool IsBound;

    /// <summary>Set where the values are those of another edge, which has memory of its own, from this element of each row on.</summary>
    public EdgeBuffer<T>? Source;

    public int SourceStart;

    public AlignedBuffer<int>? IndexBlock;

    public ReadOnlyMemory<int> BoundIndices;

    /// <summary>What the present pass reads of the indices, whatever the caller writes meanwhile; null where no node reads them.</summary>
    public AlignedBuffer<int>? IndexSnapshot;

    public AlignedBuffer<T>? GradientBlock;

    public int GradientOffset;

    /// <summary>True for a parameter of the graph: its gradient lies in the parameter gradient block.</summary>
    public bool IsParameterGradient;

    /// <summary>Rows [first, first + rows); all of a shared edge.</summary>
    public ReadOnlySpan<T> Values(int first, int rows)
    {
        if (Source is not null)
            return SourceRows(first, rows, RowStride == Type.Shape.Size || rows == 1);
        var (start, length) = Slice(first, rows);
        return IsBound ? Bound.Span.Slice(start, length) : (Block ?? throw Lacks("numbers")).Span.Slice(Offset + start, length);
    }

    /// <summary>From one row of values to the next.</summary>
    public int RowStride => Source is null || Type.Kind == EdgeKind.Shared ? Type.Shape.Size : Source.RowStride;

    /// <summary>The values as a matrix [rows, size], which may have gaps between its rows.</summary>
    public ReadOnlyMatrix<T> Matrix(int first, int rows) =>
        Source is null ? new(Values(first, rows), rows, Type.Shape.Size) : new(SourceRows(first, rows, true), rows, Type.Shape.Size, rows == 1 ? Type.Shape.Size : RowStride);

    public Span<T> WritableValues(int first, int rows)
    {
        var (start, length) = Slice(first, rows);
        return (Block ?? throw Lacks("numbers")).Span.Slice(Offset + start, length);
    }

    /// <summary>The indices as forward found them, checked by the nodes that read them.</summary>
    public ReadOnlySpan<int> Indices(int first, int rows)
    {
        var (start, length) = Slice(first, rows);
        return (IndexSnapshot ?? throw Lacks("integers")).Span.Slice(start, length);
    }

    /// <summary>Takes the indices that forward and backward read.</summary>
    public void TakeIndices(int rows)
    {
        if (IndexSnapshot is not { } snapshot)
            return;
        var (start, length) = Slice(0, rows);
        (IsBound ? BoundIndices.Span : IndexBlock!.Span).Slice(start, length).CopyTo(snapshot.Span);
    }

    public Span<T> Gradient(int first, int rows)
    {
        var (start, length) = Slice(first, rows);
        return (GradientBlock ?? throw Lacks("gradient")).Span.Slice(GradientOffset + start, length);
    }

    private ReadOnlySpan<T> SourceRows(int first, int rows, bool allowed)
    {
        if (!allowed)
            throw new InvalidOperationException("These rows have gaps between them: a layer that AcceptsRowStrides reads its inputs as matrices.");
        var size = Type.Shape.Size;
        if (Type.Kind == EdgeKind.Shared)
            return Source!.Values(first, rows).Slice(SourceStart, size);
        return Source!.Values(first, rows).Slice(SourceStart, (rows - 1) * RowStride + size);
    }

    private InvalidOperationException Lacks(string what) => new($"This edge, {Type}, holds no {what} here.");

    private (int Start, int Length) Slice(int first, int rows)
    {
        var size = Type.Shape.Size;
        return Type.Kind == EdgeKind.Shared ? (0, size) : (first * size, rows * size);
    }
}

/// <summary>One named range of the parameter or state block.</summary>
internal readonly record struct BlockSlot(BlockRange Range, Shape Shape);

/// <summary>All that the passes of one node touch in one workspace.</summary>
internal sealed class NodeBuffers<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public required int Index;

    /// <summary>False where the output lies in the input's memory already.</summary>
    public bool RunsForward;

    public required EdgeBuffer<T>[] Inputs;

    public required EdgeBuffer<T>[] Outputs;

    public required BlockSlot[] Parameters;

    public required BlockSlot[] States;

    public required AlignedBuffer<T> ParameterBlock;

    public required AlignedBuffer<T> StateBlock;

    /// <summary>Null in inference.</summary>
    public AlignedBuffer<T>? GradientBlock;

    public AlignedBuffer<T>? ProposedState;

    public AlignedBuffer<T>? Cache;

    public int CachePerRow;

    public int CachePerBatch;

    public AlignedBuffer<int>? IndexCache;

    public int IndexCachePerRow;

    /// <summary>Shared by the nodes of a workspace, which run one after the other.</summary>
    public AlignedBuffer<T>? Scratch;

    public int ScratchPerRow;

    public int ScratchPerBatch;

    /// <summary>Per input: whether its gradient is wanted, and whether another consumer has already written it.</summary>
    public required bool[] NeedsInputGradient;

    public required bool[] AddsInputGradient;

    /// <summary>Whether backward visits this node.</summary>
    public bool RunsBackward;

    /// <summary>Where parameters may be updated instead of having gradients written; null where all gradients are kept.</summary>
    public FusedUpdate<T>? FusedUpdate;

    public LossParts Loss;
}

/// <summary>What a random layer derives its numbers from; the same for every thread and shard.</summary>
/// <param name="Seed">The network's seed.</param>
/// <param name="Step">The training step.</param>
/// <param name="Node">The node's index in the network.</param>
public readonly record struct RandomKey(ulong Seed, long Step, int Node);

/// <summary>What is the same for all nodes of one pass.</summary>
internal struct PassState
{
    public ulong Seed;
    public long Step;
    public bool Training;
    public bool Accumulate;

    /// <summary>True where a mean whose denominator is 0 gives the gradient of its numerator: more parts of it follow.</summary>
    public bool OfParts;

    public BlockRange[]? Frozen;
}
