namespace Backprop.Simd.Layers;

/// <summary>
/// The inverse of <see cref="Normalize"/>, on the way out of a network: y = x / factor + offset, with a pair for all elements, for each channel
/// (the last dimension), or for each element of a row. Numbers of any shape; the output has the shape of the input.
/// </summary>
/// <remarks>
/// <para>The numbers are settings: they are not trained, and a file of the network holds them. Training and inference are the same. The chain
/// form <c>y.Denormalize(statistics)</c> takes the statistics of a column as they were fitted.</para>
/// <para>Backward: dx = dy / factor.</para>
/// <para>x is multiplied by 1 / factor. The rounding error of an offset in float is added before the offset: the result is as exact as one
/// multiplication and one addition.</para>
/// </remarks>
public sealed class Denormalize : Layer
{
    private readonly FixedScaling _scaling;

    /// <summary>Makes the layer.</summary>
    /// <param name="offsets">The numbers that were subtracted, at most 1e30 in size: one, one for each channel, or one for each element.</param>
    /// <param name="factors">The numbers that were multiplied by, as many: 1e-30 to 1e30 in size.</param>
    /// <exception cref="ArgumentException">There are no offsets, or not as many factors, or a number is outside its range. A factor of 0 has
    /// lost the numbers.</exception>
    public Denormalize(ReadOnlySpan<double> offsets, ReadOnlySpan<double> factors) => _scaling = new(offsets, factors, restores: true);

    /// <summary>The numbers that were subtracted.</summary>
    public IReadOnlyList<double> Offsets => _scaling.Offsets;

    /// <summary>The numbers that were multiplied by.</summary>
    public IReadOnlyList<double> Factors => _scaling.Factors;

    /// <inheritdoc/>
    public override string Kind => "denormalize";

    /// <summary>The layer with its numbers.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => _scaling.Describe(Kind);

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration) => _scaling.Declare(declaration);

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => _scaling.Forward(in context);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => _scaling.Backward(in context);
}
