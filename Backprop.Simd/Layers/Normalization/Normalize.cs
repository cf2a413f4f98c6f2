namespace Backprop.Simd.Layers;

/// <summary>
/// Fixed statistics on the way into a network: y = (x - offset) factor, with a pair for all elements, for each channel (the last dimension), or
/// for each element of a row. Numbers of any shape; the output has the shape of the input.
/// </summary>
/// <remarks>
/// <para>The numbers are settings: they are not trained, and a file of the network holds them. Training and inference are the same. The chain
/// form <c>x.Normalize(statistics)</c> takes the statistics of a column as they were fitted.</para>
/// <para>Backward: dx = dy factor. So the gradient by an input is in the units of the input.</para>
/// <para>The rounding error of an offset in float is added back: with an offset of 1e4 no digits of x - offset are lost.</para>
/// </remarks>
public sealed class Normalize : Layer
{
    private readonly FixedScaling _scaling;

    /// <summary>Makes the layer.</summary>
    /// <param name="offsets">The numbers to subtract, at most 1e30 in size: one, one for each channel, or one for each element.</param>
    /// <param name="factors">The numbers to multiply by, as many: 0, or 1e-30 to 1e30 in size.</param>
    /// <exception cref="ArgumentException">There are no offsets, or not as many factors, or a number is outside its range.</exception>
    public Normalize(ReadOnlySpan<double> offsets, ReadOnlySpan<double> factors) => _scaling = new(offsets, factors, restores: false);

    /// <summary>The numbers to subtract.</summary>
    public IReadOnlyList<double> Offsets => _scaling.Offsets;

    /// <summary>The numbers to multiply by.</summary>
    public IReadOnlyList<double> Factors => _scaling.Factors;

    /// <inheritdoc/>
    public override string Kind => "normalize";

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
