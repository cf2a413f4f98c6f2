using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>A gradient to write: the span, and whether to add to what it holds.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct GradientTarget<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _rows;
    private readonly int _columns;

    internal GradientTarget(Span<T> span, bool adds, int rows, int columns)
    {
        Span = span;
        Adds = adds;
        _rows = rows;
        _columns = columns;
    }

    /// <summary>The gradient; empty where none is needed.</summary>
    public Span<T> Span { get; }

    /// <summary>True: add to the span. False: overwrite it, whatever it holds.</summary>
    public bool Adds { get; }

    /// <summary>True where no gradient is needed: skip the work.</summary>
    public bool IsEmpty => Span.IsEmpty;

    /// <summary>The gradient as a matrix: [rows, size] of values, or the shape of a parameter or shared edge of rank 2.</summary>
    /// <exception cref="InvalidOperationException">A shared edge or parameter is not of rank 2.</exception>
    public Matrix<T> Matrix => _columns < 0
        ? throw new InvalidOperationException("Only a parameter of rank 2 is a matrix.")
        : new Matrix<T>(Span, _rows, _columns);

    /// <summary>The gradient as kernels take it.</summary>
    /// <param name="target">The gradient.</param>
    public static implicit operator Destination<T>(GradientTarget<T> target) => target.ToDestination();

    /// <summary>The gradient as kernels take it.</summary>
    /// <returns>Where to write, and how; nowhere if no gradient is needed.</returns>
    public Destination<T> ToDestination() => IsEmpty ? default : new(Span, Adds);

    /// <summary>Adds or stores one element.</summary>
    /// <param name="index">The element.</param>
    /// <param name="value">The gradient by it.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    public void Put(int index, T value)
    {
        if ((uint)index >= (uint)Span.Length)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The gradient has {Span.Length} elements.");
        Span[index] = Adds ? Span[index] + value : value;
    }
}

/// <summary>What a layer's backward pass reads and writes.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct BackwardContext<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NodeBuffers<T> _node;
    private readonly ref readonly PassState _pass;

    internal BackwardContext(NodeBuffers<T> node, in PassState pass, int firstRow, int rows, ComputeContext compute)
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

    /// <summary>The key of this node's random numbers in this step: the same as in forward.</summary>
    public RandomKey RandomKey => new(Pass.Seed, Pass.Step, Node.Index);

    /// <summary>True where a mean whose denominator is 0 gives the gradient of its numerator: more parts of it follow.</summary>
    internal bool OfParts => Pass.OfParts;

    /// <summary>The number of inputs.</summary>
    public int InputCount => Node.Inputs.Length;

    /// <summary>The type of an input.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>Its kind and shape.</returns>
    public EdgeType InputType(int input) => ContextHelpers.At(Node.Inputs, input).Type;

    /// <summary>The numbers of an input, as forward saw them.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>rows x size, or size if shared.</returns>
    public ReadOnlySpan<T> Input(int input) => ContextHelpers.At(Node.Inputs, input).Values(FirstRow, Rows);

    /// <summary>An input as a matrix: [rows, size], or the shape of a shared input of rank 2.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> InputMatrix(int input) => ContextHelpers.InputMatrix(ContextHelpers.At(Node.Inputs, input), FirstRow, Rows);

    /// <summary>The integers of an input: rows x size.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The integers.</returns>
    public ReadOnlySpan<int> Indices(int input) => ContextHelpers.At(Node.Inputs, input).Indices(FirstRow, Rows);

    /// <summary>An output, as forward wrote it. Only for layers whose <see cref="Layer.BackwardUsesOutput"/> is true.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The numbers.</returns>
    public ReadOnlySpan<T> Output(int output = 0) => ContextHelpers.At(Node.Outputs, output).Values(FirstRow, Rows);

    /// <summary>The gradient of the loss by an output.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>rows x size, or size if shared.</returns>
    public ReadOnlySpan<T> OutputGradient(int output = 0) => ContextHelpers.At(Node.Outputs, output).Gradient(FirstRow, Rows);

    /// <summary>The gradient of the loss by an output, as a matrix [rows, size].</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> OutputGradientMatrix(int output = 0) =>
        ContextHelpers.AsMatrix(OutputGradient(output), ContextHelpers.At(Node.Outputs, output).Type, Rows);

    /// <summary>Where the gradient by an input goes; empty where none is needed.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The target.</returns>
    public GradientTarget<T> InputGradient(int input)
    {
        if (!ContextHelpers.At(Node.NeedsInputGradient, input))
            return default;
        var edge = ContextHelpers.At(Node.Inputs, input);
        var adds = ContextHelpers.At(Node.AddsInputGradient, input) || edge.IsParameterGradient && Pass.Accumulate;
        var shape = edge.Type.Shape;
        if (edge.Type.Kind == EdgeKind.Values)
            return new(edge.Gradient(FirstRow, Rows), adds, Rows, shape.Size);
        if (edge.IsParameterGradient && IsFrozen(edge.GradientOffset))
            return default;
        return new(edge.Gradient(FirstRow, Rows), adds, shape.Rank == 2 ? shape[0] : -1, shape.Rank == 2 ? shape[1] : -1);
    }

    /// <summary>A parameter, in order of declaration.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<T> Parameter(int parameter) => ContextHelpers.Slice(Node.ParameterBlock, ContextHelpers.At(Node.Parameters, parameter).Range);

    /// <summary>A parameter of rank 2 as a matrix.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> ParameterMatrix(int parameter) =>
        ContextHelpers.AsMatrix(Parameter(parameter), ContextHelpers.At(Node.Parameters, parameter).Shape);

    /// <summary>Where the gradient by a parameter goes; empty where it is frozen.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>The target.</returns>
    public GradientTarget<T> ParameterGradient(int parameter)
    {
        var slot = ContextHelpers.At(Node.Parameters, parameter);
        if (IsFrozen(slot.Range.Start))
            return default;
        var (rows, columns) = slot.Shape.Rank == 2 ? (slot.Shape[0], slot.Shape[1]) : (-1, -1);
        return new(ContextHelpers.Slice(Node.GradientBlock!, slot.Range), Pass.Accumulate, rows, columns);
    }

    /// <summary>
    /// In a batch of one row, updates a parameter that is a matrix by its gradient x^T dy and does not store that gradient, if
    /// this is a step that may. Not to be called for a frozen parameter, and after the parameter's last use in this pass.
    /// </summary>
    internal bool TryUpdateOuter(int parameter, ReadOnlySpan<T> x, ReadOnlySpan<T> dy) =>
        Rows == 1 && Node.FusedUpdate is { } fused && fused.TryOuter(ContextHelpers.At(Node.Parameters, parameter).Range, x, dy, Compute);

    /// <summary>
    /// Updates the rows of a parameter that an input of indices names, by their gradients dy, and neither stores a gradient nor
    /// touches other rows, if this is a step that may. Not to be called for a frozen parameter, and after the parameter's last use
    /// in this pass.
    /// </summary>
    internal bool TryUpdateRows(int parameter, ReadOnlySpan<int> indices, ReadOnlySpan<T> dy, int columns, int skippedIndex, Span<ulong> order) =>
        Node.FusedUpdate is { } fused && fused.TryRows(ContextHelpers.At(Node.Parameters, parameter).Range, dy, indices, columns, skippedIndex, order, Compute);

    /// <summary>The committed state, in order of declaration.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <returns>Its elements.</returns>
    public ReadOnlySpan<T> State(int state) => ContextHelpers.Slice(Node.StateBlock, ContextHelpers.At(Node.States, state).Range);

    /// <summary>The cache of these rows.</summary>
    public Span<T> Cache => ContextHelpers.RowCache(Node, FirstRow, Rows);

    /// <summary>The cache that the batch has once.</summary>
    public Span<T> BatchCache => ContextHelpers.BatchCache(Node);

    /// <summary>The integer cache of these rows.</summary>
    public Span<int> IndexCache => ContextHelpers.IndexCache(Node, FirstRow, Rows);

    /// <summary>Scratch space for these rows, holding anything.</summary>
    public Span<T> Scratch => ContextHelpers.Scratch(Node, FirstRow, Rows);

    /// <summary>Scratch space that the batch has once, holding anything.</summary>
    public Span<T> BatchScratch => ContextHelpers.BatchScratch(Node);

    private bool IsFrozen(int start)
    {
        // In ascending order.
        var frozen = Pass.Frozen ?? [];
        var (low, high) = (0, frozen.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (frozen[middle].Start < start)
                low = middle + 1;
            else
                high = middle;
        }

        return low < frozen.Length && frozen[low].Start == start;
    }
}
