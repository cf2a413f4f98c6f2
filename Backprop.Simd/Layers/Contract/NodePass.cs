using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>One node in one pass: what the forward and the backward context have in common.</summary>
internal readonly ref struct NodePass<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NodeBuffers<T> _node;
    private readonly ref readonly PassState _state;
    private readonly int _firstRow;

    public NodePass(NodeBuffers<T> node, in PassState state, int firstRow, int rows, ComputeContext compute)
    {
        _node = node;
        _state = ref state;
        _firstRow = firstRow;
        Rows = rows;
        Compute = compute;
    }

    public int Rows { get; }

    public ComputeContext Compute { get; }

    public NodeBuffers<T> Node => _node ?? throw IsDefault();

    public ref readonly PassState State
    {
        get
        {
            if (_node is null)
                throw IsDefault();
            return ref _state;
        }
    }

    /// <summary>The pass of the layer that computes each step.</summary>
    public NodePass<T> EachStep() => Node.Step is { } step ? new(step, in _state, _firstRow * Node.Steps, Rows * Node.Steps, Compute)
        : throw new InvalidOperationException("The layer computes no steps: it did not declare UseEachStep.");

    /// <summary>Whether the node acts as in inference.</summary>
    public bool IsEvaluating => !State.Training || Rests;

    /// <summary>Whether the node acts as in inference while the network trains.</summary>
    private bool Rests => State.Evaluating is { } evaluating && evaluating[Node.Index];

    public RandomKey RandomKey => new(State.Seed, State.Step, Node.Index);

    public EdgeBuffer<T> InputEdge(int input) => At(Node.Inputs, input);

    public EdgeBuffer<T> OutputEdge(int output) => At(Node.Outputs, output);

    public ReadOnlySpan<T> Input(int input)
    {
        var edge = InputEdge(input);
        if ((Node.Traits & LayerTraits.StridedRows) != 0 && edge.Type.Kind == EdgeKind.Values)
            throw Undeclared($"input {input} as a span", "declared StridedRows", "read it as a matrix");
        return edge.Values(_firstRow, Rows);
    }

    public ReadOnlyMatrix<T> InputMatrix(int input)
    {
        var edge = InputEdge(input);
        return edge.Type.Kind == EdgeKind.Values ? edge.Matrix(_firstRow, Rows) : AsMatrix(edge.Values(_firstRow, Rows), edge.Type.Shape);
    }

    /// <summary>An input as an array, or its shape alone.</summary>
    public ShapedSpan<T> InputArray(int input, bool isRead)
    {
        var type = InputEdge(input).Type;
        return isRead ? AsArray(Input(input), type) : AsArray(default, type, isHidden: true);
    }

    /// <summary>The numbers of an edge behind the rows of the batch and sizes of 1.</summary>
    public ShapedSpan<T> AsArray(ReadOnlySpan<T> values, EdgeType type, bool isHidden = false)
    {
        Span<int> sizes = stackalloc int[1 + Shape.MaxRank];
        sizes.Fill(1);
        sizes[0] = type.Kind == EdgeKind.Values ? Rows : 1;
        for (var i = 1; i <= type.Shape.Rank; i++)
            sizes[^i] = type.Shape[type.Shape.Rank - i];
        return isHidden ? new(sizes) : new(values, sizes);
    }

    public ReadOnlySpan<int> Indices(int input) => InputEdge(input).Indices(_firstRow, Rows);

    public ReadOnlySpan<T> Output(int output) => OutputEdge(output).Values(_firstRow, Rows);

    public Span<T> WritableOutput(int output) => OutputEdge(output).WritableValues(_firstRow, Rows);

    public Span<T> Gradient(EdgeBuffer<T> edge) => edge.Gradient(_firstRow, Rows);

    public ref readonly BlockSlot ParameterSlot(int parameter) => ref At(Node.Parameters, parameter);

    public ReadOnlySpan<T> Parameter(int parameter)
    {
        ref readonly var slot = ref ParameterSlot(parameter);
        if (Node.Updates is { } updates && updates.IsDone(slot.Range))
            throw new InvalidOperationException($"This step has already updated parameter {parameter}. Read it before its gradient is written.");
        return Slice(Node.ParameterBlock, slot.Range);
    }

    public ReadOnlyMatrix<T> ParameterMatrix(int parameter) => AsMatrix(Parameter(parameter), ParameterSlot(parameter).Shape);

    public ReadOnlySpan<T> CommittedState(int state) => Slice(Node.StateBlock, At(Node.States, state).Range);

    public bool IsStateFrozen(int state)
    {
        var range = At(Node.States, state).Range;
        return Rests || State.FrozenState is { } frozen && Array.IndexOf(frozen, range) >= 0;
    }

    public Span<T> ProposedState(int state) => Node.ProposedState is { } block
        ? Slice(block, At(Node.States, state).Range)
        : throw new InvalidOperationException("There is no proposed state in inference.");

    public Span<T> Cache => Asked(in Node.Cache, "UseCache").Rows(_firstRow, Rows);

    public Span<T> BatchCache => Asked(in Node.Cache, "UseCache").Batch;

    public Span<int> IndexCache => Asked(in Node.IndexCache, "UseIndexCache").Rows(_firstRow, Rows);

    public Span<T> Scratch => Node.Scratch.Rows(_firstRow, Rows);

    /// <summary>Whether backward may read an input.</summary>
    public bool ReadsInput(int input) =>
        (Node.Traits & LayerTraits.ReadsInput) != 0 && (input != 0 || (Node.Traits & LayerTraits.InPlace) == 0);

    /// <summary>Throws unless backward may read an input.</summary>
    public void CheckReadsInput(int input)
    {
        var traits = Node.Traits;
        if ((traits & LayerTraits.ReadsInput) == 0)
            throw Undeclared($"input {input}", "did not declare ReadsInput", "declare it");
        if (input == 0 && (traits & LayerTraits.InPlace) != 0)
            throw Undeclared("input 0", "declared InPlace", "the output may lie over it");
    }

    /// <summary>Throws unless backward may read an output.</summary>
    public void CheckReadsOutput(int output)
    {
        if ((Node.Traits & LayerTraits.ReadsOutput) == 0)
            throw Undeclared($"output {output}", "did not declare ReadsOutput", "declare it");
    }

    /// <summary>A span in a shape of rank 2.</summary>
    public static ReadOnlyMatrix<T> AsMatrix(ReadOnlySpan<T> span, Shape shape) =>
        shape.Rank == 2 ? new(span, shape[0], shape[1]) : throw NoMatrix(shape);

    /// <summary>An output or its gradient: [rows, size], or a shared shape of rank 2.</summary>
    public Matrix<T> AsMatrix(Span<T> span, EdgeType type) =>
        type.Kind != EdgeKind.Shared ? new(span, Rows, type.Shape.Size)
        : type.Shape.Rank == 2 ? new(span, type.Shape[0], type.Shape[1]) : throw NoMatrix(type.Shape);

    public static Span<T> Slice(AlignedBuffer<T> block, BlockRange range) => block.Span.Slice(range.Start, range.Length);

    /// <summary>An input, output, parameter or piece of state by its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref TItem At<TItem>(TItem[] items, int index, [CallerArgumentExpression(nameof(index))] string name = "")
    {
        if ((uint)index >= (uint)items.Length)
            ContextGuard.ThrowIndex(items.Length, index, name);
        return ref items[index];
    }

    private static InvalidOperationException IsDefault() => new("This context is the default value. Only a network makes contexts.");

    private static InvalidOperationException NoMatrix(Shape shape) => new($"Only a shape of rank 2 is a matrix; this shape is {shape}.");

    private InvalidOperationException Undeclared(string what, string declared, string advice) =>
        new($"The layer '{Node.Name}' reads {what}, but {declared} in its traits: {advice}.");

    /// <summary>A cache; throws in training if the layer did not ask for it.</summary>
    private ref readonly RowBuffer<TElement> Asked<TElement>(ref readonly RowBuffer<TElement> cache, string how)
        where TElement : unmanaged
    {
        if (!cache.IsAsked && State.Training)
            throw new InvalidOperationException($"The layer '{Node.Name}' uses a cache, but did not ask for it: call {how} in Declare.");
        return ref cache;
    }
}

/// <summary>What <see cref="NodePass{T}"/> throws, outside the generic type.</summary>
internal static class ContextGuard
{
    [DoesNotReturn]
    public static void ThrowIndex(int length, int index, string name) =>
        throw new ArgumentOutOfRangeException(name, index, $"The node has {length} of these, counted from 0.");

    /// <summary>One of the inputs of a declaration.</summary>
    public static EdgeType At(EdgeType[] items, int index, [CallerArgumentExpression(nameof(index))] string name = "")
    {
        if ((uint)index >= (uint)items.Length)
            ThrowIndex(items.Length, index, name);
        return items[index];
    }
}
