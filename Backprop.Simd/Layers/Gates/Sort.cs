namespace Backprop.Simd.Layers.Gates;

/// <summary>The elements along one dimension of each row in order, as PyTorch's stable <c>sort</c>.</summary>
/// <remarks>
/// <para>Outputs: the elements, and the indices that they had in the dimension, as numbers, which have no gradient. Equal elements keep their
/// order; NaN is the largest of all numbers.</para>
/// <para>Backward: dx of an element is dy of the place that it came to.</para>
/// </remarks>
/// <param name="axis">The dimension; negative numbers count from the end.</param>
/// <param name="descending">True for the largest first.</param>
public sealed class Sort(int axis = -1, bool descending = false) : Layer
{
    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <summary>Whether the largest come first.</summary>
    public bool IsDescending => descending;

    /// <inheritdoc/>
    public override string Kind => "sort";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration) => Ranking.Declare(declaration, axis, null);

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Ranking.Forward(in context, axis, null, descending);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Ranking.Backward(in context, axis);
}
