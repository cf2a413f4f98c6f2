using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// One-dimensional convolution over sequences: [L, C] to [L', F] with filters [k, C / groups, F] and a bias per filter.
/// </summary>
/// <remarks>
/// L' = (L + left + right - dilation (k - 1) - 1) / stride + 1, rounded down: <see cref="Convolution2D"/> on images of height 1.
/// With padding (k - 1) dilation on the left and none on the right, an output depends on its own and earlier positions only.
/// </remarks>
public sealed class Convolution1D : Layer
{
    private readonly Convolution2D _layer;

    /// <summary>Makes the layer.</summary>
    /// <param name="filters">The number of filters, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">The length of a filter.</param>
    /// <param name="stride">From one position of the filter to the next.</param>
    /// <param name="padding">Zeros around the sequence: <see cref="Kernels.Padding.Left"/> before it, <see cref="Kernels.Padding.Right"/> after it;
    /// the other sides are ignored. None by default; <see cref="Kernels.Padding.Sides"/> sets both,
    /// <see cref="Kernels.Padding.Same"/> keeps the length.</param>
    /// <param name="dilation">From one cell of the filter to the next.</param>
    /// <param name="groups">The filters of a group see only the channels of that group.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows. The bias starts at zero.</param>
    /// <param name="bias">False for no bias.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, or <paramref name="filters"/> is not a multiple of
    /// <paramref name="groups"/>.</exception>
    public Convolution1D(int filters, int kernel, int stride = 1, Padding padding = default, int dilation = 1, int groups = 1,
        Initializer? initializer = null, bool bias = true)
    {
        _layer = new Convolution2D(filters, new Extent(1, kernel), new Extent(1, stride), Padding.Sides(padding.Left, padding.Right),
            new Extent(1, dilation), groups, initializer, bias);
    }

    /// <summary>The number of filters.</summary>
    public int Filters => _layer.Filters;

    /// <summary>The length of a filter.</summary>
    public int Kernel => _layer.Kernel.Width;

    /// <summary>From one position of the filter to the next.</summary>
    public int Stride => _layer.Stride.Width;

    /// <summary>Zeros before and after the sequence.</summary>
    public Padding Padding => _layer.Padding;

    /// <summary>From one cell of the filter to the next.</summary>
    public int Dilation => _layer.Dilation.Width;

    /// <summary>The number of groups.</summary>
    public int Groups => _layer.Groups;

    /// <summary>How the filters start; null to choose by the layer that follows.</summary>
    public Initializer? Initializer => _layer.Initializer;

    /// <summary>Whether there is a bias per filter.</summary>
    public bool HasBias => _layer.HasBias;

    /// <inheritdoc/>
    public override string Kind => "convolution1d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var shape = ShapeOf(declaration.RequireSequence(0));
        declaration.DeclareConvolution(in shape, Initializer, HasBias ? Filters : 0, filterRank: 3);
        declaration.AddOutput(new Shape(shape.OutputWidth, Filters));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Convolution.Forward(
        ShapeOf(context.InputType(0).Shape), context.Input(0), context.Parameter(0), HasBias ? context.Parameter(1) : [],
        context.Output(), context.BatchScratch, context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        ConvolutionLayers.Backward(in context, ShapeOf(context.InputType(0).Shape), HasBias);

    private ConvolutionShape ShapeOf(Shape input) => _layer.ShapeOf(new Shape(1, input[0], input[1]));
}
