namespace Backprop.Simd.Layers.Gates;

/// <summary>The k largest or smallest elements along one dimension of each row, in order, as PyTorch's <c>topk</c> and ONNX's <c>TopK</c>.</summary>
/// <remarks>
/// <para>Outputs: the elements, and their indices in the dimension as numbers, which have no gradient. Of equal elements the one of the lower
/// index comes first; NaN is the largest of all numbers.</para>
/// <para>Backward: dx of an element that was taken is its dy, of others 0.</para>
/// </remarks>
public sealed class TopK : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="count">k, 1 or more.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <param name="largest">True for the largest, in descending order; false for the smallest, in ascending order.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    public TopK(int count, int axis = -1, bool largest = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (Count, Axis, IsLargest) = (count, axis, largest);
    }

    /// <summary>How many elements are taken.</summary>
    public int Count { get; }

    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis { get; }

    /// <summary>Whether the largest are taken.</summary>
    public bool IsLargest { get; }

    /// <inheritdoc/>
    public override string Kind => "topk";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration) => Ranking.Declare(declaration, Axis, Count);

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Ranking.Forward(in context, Axis, Count, IsLargest);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Ranking.Backward(in context, Axis);
}
