using System.Globalization;

namespace Backprop.Simd.Layers;

/// <summary>
/// Layer normalization over the last dimensions: y = weight (x - mean) / sqrt(variance + epsilon) + bias, with mean and variance
/// over the last <see cref="Dimensions"/> dimensions of each row, each position on its own; weight and bias have their shape.
/// </summary>
/// <remarks>
/// <para>Ba, Kiros, Hinton, "Layer Normalization" (2016), section 3. The variance divides by the number of values, and is computed
/// about the mean, without cancellation. Training and inference are the same.</para>
/// <para>Backward, with g = dy weight and xhat = (x - mean) / sigma: dx = (g - mean(g) - xhat mean(g xhat)) / sigma,
/// dweight = sum dy xhat, dbias = sum dy. A single value gives the bias.</para>
/// <para>Squares are summed in the type of the network: inputs may be as large as 1e15 in float and 1e150 in double. Where squares
/// overflow (beyond 1.8e19 and 1.3e154 at the latest) the output is the bias and the input gradient is 0.</para>
/// </remarks>
public sealed class LayerNormalization : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="dimensions">The number of last dimensions that are normalized together, 1 to 4.</param>
    /// <param name="epsilon">The number added to the variance, 1e-30 to 1e30.</param>
    /// <param name="affine">False for no weight and no bias.</param>
    /// <param name="bias">False for no bias.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dimensions"/> or <paramref name="epsilon"/> is outside its range.</exception>
    public LayerNormalization(int dimensions = 1, double epsilon = 1e-5, bool affine = true, bool bias = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimensions, Shape.MaxRank);
        NormalizationLayers.CheckEpsilon(epsilon);
        (Dimensions, Epsilon, IsAffine, HasBias) = (dimensions, epsilon, affine, affine && bias);
    }

    /// <summary>The number of last dimensions that are normalized together.</summary>
    public int Dimensions { get; }

    /// <summary>The number added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>Whether there is a weight.</summary>
    public bool IsAffine { get; }

    /// <summary>Whether there is a bias.</summary>
    public bool HasBias { get; }

    /// <inheritdoc/>
    public override string Kind => "layernormalization";

    /// <summary>The layer with its options.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Kind} (dimensions {Dimensions}, epsilon {Epsilon}, affine {IsAffine}, bias {HasBias})");

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.DeclareRows(this, Dimensions, IsAffine, HasBias);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        RowNormalizationLayer.Forward(in context, Dimensions, IsAffine, HasBias, Epsilon, subtractsMean: true);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        RowNormalizationLayer.Backward(in context, Dimensions, IsAffine, HasBias, subtractsMean: true);
}
