using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>What a layer's forward pass reads and writes.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct ForwardContext<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NodeBuffers<T> _node;
    private readonly ref readonly PassState _pass;

    internal ForwardContext(NodeBuffers<T> node, in PassState pass, int firstRow, int rows, ComputeContext compute)
    {
        _node = node;
        _pass = ref pass;
        FirstRow = firstRow;
        Rows = rows;
        Compute = compute;
    }

    private NodeBuffers<T> Node => _node ?? throw ContextHelpers.IsDefault();

    private ref readonly PassState Pass
    {
        get
        {
            if (_node is null)
                throw ContextHelpers.IsDefault();
            return ref _pass;
        }
    }

    /// <summary>The rows of this call.</summary>
    public int Rows { get; }

    /// <summary>The first of them, counted in the whole batch.</summary>
    public int FirstRow { get; }

    /// <summary>The threads to hand to kernels.</summary>
    public ComputeContext Compute { get; }

    /// <summary>True in training, false in inference.</summary>
    public bool Training => Pass.Training;

    /// <summary>True if a backward pass may follow: fill the cache.</summary>
    public bool KeepsCache => Pass.Training;

    /// <summary>The key of this node's random numbers in this step.</summary>
    public RandomKey RandomKey => new(Pass.Seed, Pass.Step, Node.Index);

    /// <summary>The number of inputs.</summary>
    public int InputCount => Node.Inputs.Length;

    /// <summary>The type of an input.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>Its kind and shape.</returns>
    public EdgeType InputType(int input) => ContextHelpers.At(Node.Inputs, input).Type;

    /// <summary>The numbers of an input: rows x size, or size if shared.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The numbers.</returns>
    public ReadOnlySpan<T> Input(int input) => ContextHelpers.At(Node.Inputs, input).Values(FirstRow, Rows);

    /// <summary>An input as a matrix: [rows, size], or the shape of a shared input of rank 2.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> InputMatrix(int input) => ContextHelpers.InputMatrix(ContextHelpers.At(Node.Inputs, input), FirstRow, Rows);

    /// <summary>The integers of an input: rows x size.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The integers.</returns>
    public ReadOnlySpan<int> Indices(int input) => ContextHelpers.At(Node.Inputs, input).Indices(FirstRow, Rows);

    /// <summary>An output to write: rows x size, or size if shared. Holds anything before.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The numbers.</returns>
    public Span<T> Output(int output = 0) => ContextHelpers.At(Node.Outputs, output).WritableValues(FirstRow, Rows);

    /// <summary>An output to write, as a matrix [rows, size].</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The matrix.</returns>
    public Matrix<T> OutputMatrix(int output = 0) => ContextHelpers.AsMatrix(Output(output), ContextHelpers.At(Node.Outputs, output).Type, Rows);

    /// <summary>A parameter, in order of declaration.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<T> Parameter(int parameter) => ContextHelpers.Slice(Node.ParameterBlock, ContextHelpers.At(Node.Parameters, parameter).Range);

    /// <summary>A parameter of rank 2 as a matrix.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> ParameterMatrix(int parameter) =>
        ContextHelpers.AsMatrix(Parameter(parameter), ContextHelpers.At(Node.Parameters, parameter).Shape);

    /// <summary>The committed state, in order of declaration.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<T> State(int state) => ContextHelpers.Slice(Node.StateBlock, ContextHelpers.At(Node.States, state).Range);

    /// <summary>The state this training step proposes; committed once, with the step. Starts as the committed state.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <returns>Its elements.</returns>
    /// <exception cref="InvalidOperationException">The workspace is for inference.</exception>
    public Span<T> ProposedState(int state) => Node.ProposedState is { } block
        ? ContextHelpers.Slice(block, ContextHelpers.At(Node.States, state).Range)
        : throw new InvalidOperationException("Inference proposes no state.");

    /// <summary>The cache of these rows; empty in inference.</summary>
    public Span<T> Cache => ContextHelpers.RowCache(Node, FirstRow, Rows);

    /// <summary>The cache that the batch has once; empty in inference.</summary>
    public Span<T> BatchCache => ContextHelpers.BatchCache(Node);

    /// <summary>The integer cache of these rows; empty in inference.</summary>
    public Span<int> IndexCache => ContextHelpers.IndexCache(Node, FirstRow, Rows);

    /// <summary>Scratch space for these rows, holding anything.</summary>
    public Span<T> Scratch => ContextHelpers.Scratch(Node, FirstRow, Rows);

    /// <summary>Scratch space that the batch has once, holding anything.</summary>
    public Span<T> BatchScratch => ContextHelpers.BatchScratch(Node);

    /// <summary>Reports a loss in double, beside the output in <typeparamref name="T"/>. For losses.</summary>
    /// <param name="loss">The loss of the batch as its parts.</param>
    public void ReportLoss(LossParts loss) => Node.Loss = loss;
}

/// <summary>The slices that both contexts hand out.</summary>
internal static class ContextHelpers
{
    /// <summary>One of a node's inputs, outputs, parameters or pieces of state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TItem At<TItem>(TItem[] items, int index, [CallerArgumentExpression(nameof(index))] string name = "")
    {
        if ((uint)index >= (uint)items.Length)
            ThrowIndex(items.Length, index, name);
        return items[index];
    }

    [DoesNotReturn]
    private static void ThrowIndex(int length, int index, string name) =>
        throw new ArgumentOutOfRangeException(name, index, $"The node has {length} of these.");

    public static InvalidOperationException IsDefault() => new("This context is the default value: only a network makes contexts.");

    public static Span<T> Slice<T>(AlignedBuffer<T> block, BlockRange range) where T : unmanaged => block.Span.Slice(range.Start, range.Length);

    public static ReadOnlyMatrix<T> AsMatrix<T>(ReadOnlySpan<T> span, Shape shape) where T : unmanaged =>
        shape.Rank == 2 ? new(span, shape[0], shape[1]) : throw new InvalidOperationException($"Only a shape of rank 2 is a matrix; this is {shape}.");

    public static Matrix<T> AsMatrix<T>(Span<T> span, Shape shape) where T : unmanaged =>
        shape.Rank == 2 ? new(span, shape[0], shape[1]) : throw new InvalidOperationException($"Only a shape of rank 2 is a matrix; this is {shape}.");

    public static ReadOnlyMatrix<T> AsMatrix<T>(ReadOnlySpan<T> span, EdgeType type, int rows) where T : unmanaged =>
        type.Kind == EdgeKind.Shared ? AsMatrix(span, type.Shape) : new(span, rows, type.Shape.Size);

    public static Matrix<T> AsMatrix<T>(Span<T> span, EdgeType type, int rows) where T : unmanaged =>
        type.Kind == EdgeKind.Shared ? AsMatrix(span, type.Shape) : new(span, rows, type.Shape.Size);

    public static ReadOnlyMatrix<T> InputMatrix<T>(EdgeBuffer<T> edge, int first, int rows) where T : unmanaged, IFloatingPointIeee754<T> =>
        edge.Type.Kind == EdgeKind.Values ? edge.Matrix(first, rows) : AsMatrix(edge.Values(first, rows), edge.Type, rows);

    public static Span<T> RowCache<T>(NodeBuffers<T> node, int first, int rows) where T : unmanaged, IFloatingPointIeee754<T> =>
        node.Cache is { } cache ? cache.Span.Slice(node.CachePerBatch + first * node.CachePerRow, rows * node.CachePerRow) : [];

    public static Span<T> BatchCache<T>(NodeBuffers<T> node) where T : unmanaged, IFloatingPointIeee754<T> =>
        node.Cache is { } cache ? cache.Span[..node.CachePerBatch] : [];

    public static Span<int> IndexCache<T>(NodeBuffers<T> node, int first, int rows) where T : unmanaged, IFloatingPointIeee754<T> =>
        node.IndexCache is { } cache ? cache.Span.Slice(first * node.IndexCachePerRow, rows * node.IndexCachePerRow) : [];

    public static Span<T> Scratch<T>(NodeBuffers<T> node, int first, int rows) where T : unmanaged, IFloatingPointIeee754<T> =>
        node.Scratch is { } scratch ? scratch.Span.Slice(node.ScratchPerBatch + first * node.ScratchPerRow, rows * node.ScratchPerRow) : [];

    public static Span<T> BatchScratch<T>(NodeBuffers<T> node) where T : unmanaged, IFloatingPointIeee754<T> =>
        node.Scratch is { } scratch ? scratch.Span[..node.ScratchPerBatch] : [];
}
