using System.Globalization;

namespace Backprop.Simd.Layers;

/// <summary>
/// Root mean square normalization over the last dimensions: y = weight x / sqrt(mean(x^2) + epsilon), with the mean over the last
/// <see cref="Dimensions"/> dimensions of each row, each position on its own; the weight has their shape.
/// </summary>
/// <remarks>
/// <para>Zhang, Sennrich, "Root Mean Square Layer Normalization" (2019), equation 4, with epsilon inside the root. Training and
/// inference are the same.</para>
/// <para>Backward, with g = dy weight, r = 1 / sqrt(mean(x^2) + epsilon) and xhat = x r: dx = r (g - xhat mean(g xhat)),
/// dweight = sum dy xhat.</para>
/// <para>Squares are summed in the type of the network: inputs may be as large as 1e15 in float and 1e150 in double. Where squares
/// overflow (beyond 1.8e19 and 1.3e154 at the latest) the output and the input gradient are 0.</para>
/// </remarks>
public sealed class RmsNormalization : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="dimensions">The number of last dimensions that are normalized together, 1 to 4.</param>
    /// <param name="epsilon">The number added to the mean square, 1e-30 to 1e30.</param>
    /// <param name="affine">False for no weight.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dimensions"/> or <paramref name="epsilon"/> is outside its range.</exception>
    public RmsNormalization(int dimensions = 1, double epsilon = 1e-5, bool affine = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimensions, Shape.MaxRank);
        NormalizationLayers.CheckEpsilon(epsilon);
        (Dimensions, Epsilon, IsAffine) = (dimensions, epsilon, affine);
    }

    /// <summary>The number of last dimensions that are normalized together.</summary>
    public int Dimensions { get; }

    /// <summary>The number added to the mean square.</summary>
    public double Epsilon { get; }

    /// <summary>Whether there is a weight.</summary>
    public bool IsAffine { get; }

    /// <inheritdoc/>
    public override string Kind => "rmsnormalization";

    /// <summary>The layer with its options.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Kind} (dimensions {Dimensions}, epsilon {Epsilon}, affine {IsAffine})");

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.DeclareRows(this, Dimensions, IsAffine, bias: false);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        RowNormalizationLayer.Forward(in context, Dimensions, IsAffine, bias: false, Epsilon, subtractsMean: false);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        RowNormalizationLayer.Backward(in context, Dimensions, IsAffine, bias: false, subtractsMean: false);
}
