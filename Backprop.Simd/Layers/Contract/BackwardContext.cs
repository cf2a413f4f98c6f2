using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>What a layer's backward pass reads and writes.</summary>
/// <typeparam name="T">float or double.</typeparam>
public readonly ref struct BackwardContext<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NodePass<T> _pass;

    internal BackwardContext(NodeBuffers<T> node, in PassState pass, int firstRow, int rows, ComputeContext compute) =>
        _pass = new(node, in pass, firstRow, rows, compute);

    private BackwardContext(NodePass<T> pass) => _pass = pass;

    /// <inheritdoc cref="ForwardContext{T}.Rows"/>
    public int Rows => _pass.Rows;

    /// <inheritdoc cref="ForwardContext{T}.Compute"/>
    public ComputeContext Compute => _pass.Compute;

    /// <summary>True if forward drew nothing and moved no statistics: see <see cref="ForwardContext{T}.Evaluating"/>.</summary>
    public bool Evaluating => _pass.IsEvaluating;

    /// <summary>The key of this node's random numbers in this step: the same as in forward.</summary>
    public RandomKey RandomKey => _pass.RandomKey;

    /// <summary>
    /// True if this batch is one of several whose losses are combined. If a mean divides by 0 here, it then gives the gradient of its
    /// numerator, because the other batches may have a larger denominator. For losses.
    /// </summary>
    public bool IsPartOfLoss => _pass.State.OfParts;

    /// <inheritdoc cref="ForwardContext{T}.InputCount"/>
    public int InputCount => _pass.Node.Inputs.Length;

    /// <inheritdoc cref="ForwardContext{T}.InputType"/>
    public EdgeType InputType(int input) => _pass.InputEdge(input).Type;

    /// <summary>The numbers of an input, as forward saw them.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>rows x size, or size if shared.</returns>
    /// <exception cref="InvalidOperationException">The layer's traits do not let backward read this input, or do not let it read a span.</exception>
    public ReadOnlySpan<T> Input(int input)
    {
        _pass.CheckReadsInput(input);
        return _pass.Input(input);
    }

    /// <summary>An input as a matrix: [rows, size], or the shape of a shared input of rank 2.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The matrix.</returns>
    /// <exception cref="InvalidOperationException">The layer's traits do not let backward read this input.</exception>
    public ReadOnlyMatrix<T> InputMatrix(int input)
    {
        _pass.CheckReadsInput(input);
        return _pass.InputMatrix(input);
    }

    /// <inheritdoc cref="ForwardContext{T}.InputArray"/>
    /// <remarks>Where the layer's traits do not let backward read the input, the array has a shape, and its numbers throw.</remarks>
    public ShapedSpan<T> InputArray(int input) => _pass.InputArray(input, _pass.ReadsInput(input));

    /// <inheritdoc cref="ForwardContext{T}.Indices"/>
    public ReadOnlySpan<int> Indices(int input) => _pass.Indices(input);

    /// <summary>An output, as forward wrote it.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The numbers.</returns>
    /// <exception cref="InvalidOperationException">The layer did not declare <see cref="LayerTraits.ReadsOutput"/>.</exception>
    public ReadOnlySpan<T> Output(int output = 0)
    {
        _pass.CheckReadsOutput(output);
        return _pass.Output(output);
    }

    /// <summary>The gradient of the loss with respect to an output.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>rows x size, or size if shared.</returns>
    public ReadOnlySpan<T> OutputGradient(int output = 0) => _pass.Gradient(_pass.OutputEdge(output));

    /// <summary>The gradient of the loss with respect to an output, as a matrix [rows, size].</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The matrix.</returns>
    public ReadOnlyMatrix<T> OutputGradientMatrix(int output = 0)
    {
        var edge = _pass.OutputEdge(output);
        return _pass.AsMatrix(_pass.Gradient(edge), edge.Type);
    }

    /// <summary>The gradient of the loss with respect to an output, as an array like <see cref="InputArray"/>.</summary>
    /// <param name="output">The output, from 0.</param>
    /// <returns>The array.</returns>
    public ShapedSpan<T> OutputGradientArray(int output = 0)
    {
        var edge = _pass.OutputEdge(output);
        return _pass.AsArray(_pass.Gradient(edge), edge.Type);
    }

    /// <summary>Where the gradient of an input goes; empty if it is not needed.</summary>
    /// <param name="input">The input, from 0.</param>
    /// <returns>The target.</returns>
    public GradientTarget<T> InputGradient(int input)
    {
        var node = _pass.Node;
        if (!NodePass<T>.At(node.NeedsInputGradient, input))
            return default;
        var edge = _pass.InputEdge(input);
        if (edge.IsParameterGradient && IsFrozen(edge.GradientOffset))
            return default;
        var adds = node.AddsInputGradient[input] || edge.IsParameterGradient && _pass.State.Accumulate;
        var (rows, columns) = edge.Type.Kind == EdgeKind.Values ? (Rows, edge.Type.Shape.Size) : Sizes(edge.Type.Shape);
        return new(_pass.Gradient(edge), adds, rows, columns, _pass.Compute);
    }

    /// <inheritdoc cref="ForwardContext{T}.Parameter"/>
    /// <exception cref="InvalidOperationException">This step has already updated the parameter.</exception>
    public ReadOnlySpan<T> Parameter(int parameter) => _pass.Parameter(parameter);

    /// <inheritdoc cref="ForwardContext{T}.ParameterMatrix"/>
    /// <exception cref="InvalidOperationException">This step has already updated the parameter.</exception>
    public ReadOnlyMatrix<T> ParameterMatrix(int parameter) => _pass.ParameterMatrix(parameter);

    /// <summary>Where the gradient of a parameter goes; empty if the parameter is frozen.</summary>
    /// <param name="parameter">The parameter, from 0.</param>
    /// <returns>The target.</returns>
    public GradientTarget<T> ParameterGradient(int parameter)
    {
        var node = _pass.Node;
        ref readonly var slot = ref _pass.ParameterSlot(parameter);
        if (node.GradientBlock is not { } block || IsFrozen(slot.Range.Start))
            return default;
        var (rows, columns) = Sizes(slot.Shape);
        var adds = _pass.State.Accumulate || node.AddsParameterGradients is { } shared && shared[parameter];
        return new(NodePass<T>.Slice(block, slot.Range), adds, rows, columns, _pass.Compute, node.Updates, slot.Range);
    }

    /// <inheritdoc cref="ForwardContext{T}.State"/>
    public ReadOnlySpan<T> State(int state) => _pass.CommittedState(state);

    /// <inheritdoc cref="ForwardContext{T}.IsStateFrozen"/>
    public bool IsStateFrozen(int state) => _pass.IsStateFrozen(state);

    /// <summary>The cache of these rows.</summary>
    public Span<T> Cache => _pass.Cache;

    /// <summary>The cache of the whole batch.</summary>
    public Span<T> BatchCache => _pass.BatchCache;

    /// <summary>The integer cache of these rows.</summary>
    public Span<int> IndexCache => _pass.IndexCache;

    /// <inheritdoc cref="ForwardContext{T}.Scratch"/>
    public Span<T> Scratch => _pass.Scratch;

    /// <inheritdoc cref="ForwardContext{T}.BatchScratch"/>
    public Span<T> BatchScratch => _pass.Node.Scratch.Batch;

    /// <inheritdoc cref="ForwardContext{T}.EachStep"/>
    /// <returns>What that layer's backward pass reads and writes.</returns>
    public BackwardContext<T> EachStep() => new(_pass.EachStep());

    private static (int Rows, int Columns) Sizes(Shape shape) => shape.Rank == 2 ? (shape[0], shape[1]) : (-1, -1);

    private bool IsFrozen(int start)
    {
        // In ascending order.
        var frozen = _pass.State.Frozen ?? [];
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
