using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// Transposed convolution of sequences: [L, C] to [L', F], with filters [k, F / groups, C] and a bias. It computes the input gradient of a
/// <see cref="Convolution1D"/> from [L', F] to [L, C], and adds the bias.
/// </summary>
/// <remarks>L' = (L - 1) stride - left - right + dilation (k - 1) + 1 + extra steps: <see cref="ConvolutionTranspose2D"/> on images of
/// height 1. The same as PyTorch's ConvTranspose1d; the extra steps are its output padding.</remarks>
public sealed class ConvolutionTranspose1D : Layer
{
    private readonly ConvolutionTranspose2D _layer;

    /// <summary>Makes the layer.</summary>
    /// <param name="filters">The channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">The length of a filter.</param>
    /// <param name="stride">From one position of the filter in the output to the next.</param>
    /// <param name="padding">What is cut off: <see cref="Kernels.Padding.Left"/> at the start of the output, <see cref="Kernels.Padding.Right"/> at
    /// its end; the other sides are ignored. None by default.</param>
    /// <param name="outputPadding">Extra steps at the end of the output, below the stride.</param>
    /// <param name="dilation">From one cell of the filter to the next.</param>
    /// <param name="groups">The channels of a group reach only the filters of that group.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows. The bias starts at zero.</param>
    /// <param name="bias">False for no bias.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, the output padding is not below the stride, or
    /// <paramref name="filters"/> is not a multiple of <paramref name="groups"/>.</exception>
    // More than eight parameters: each is an independent option with a default, as in PyTorch's ConvTranspose1d.
    public ConvolutionTranspose1D(int filters, int kernel, int stride = 1, Padding padding = default, int outputPadding = 0, int dilation = 1,
        int groups = 1, Initializer? initializer = null, bool bias = true)
    {
        _layer = new ConvolutionTranspose2D(filters, new Extent(1, kernel), new Extent(1, stride), Padding.Sides(padding.Left, padding.Right),
            new Extent(0, outputPadding), new Extent(1, dilation), groups, initializer, bias);
    }

    /// <summary>The channels of the output.</summary>
    public int Filters => _layer.Filters;

    /// <summary>The length of a filter.</summary>
    public int Kernel => _layer.Kernel.Width;

    /// <summary>From one position of the filter in the output to the next.</summary>
    public int Stride => _layer.Stride.Width;

    /// <summary>What is cut off at the start and the end of the output.</summary>
    public Padding Padding => _layer.Padding;

    /// <summary>Extra steps at the end of the output.</summary>
    public int OutputPadding => _layer.OutputPadding.Width;

    /// <summary>From one cell of the filter to the next.</summary>
    public int Dilation => _layer.Dilation.Width;

    /// <summary>The number of groups.</summary>
    public int Groups => _layer.Groups;

    /// <summary>How the filters start; null to choose by the layer that follows.</summary>
    public Initializer? Initializer => _layer.Initializer;

    /// <summary>Whether there is a bias per filter.</summary>
    public bool HasBias => _layer.HasBias;

    /// <inheritdoc/>
    public override string Kind => "convolutiontranspose1d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var input = declaration.RequireSequence(0);
        var shape = _layer.CheckedShape(new Shape(1, input[0], input[1]), Kind);
        declaration.DeclareConvolution(in shape, Initializer, HasBias ? Filters : 0, isTransposed: true, filterRank: 3);
        declaration.AddOutput(new Shape(shape.Width, Filters));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Convolution.BackwardInput(
        ShapeOf(context.InputType(0).Shape), context.Input(0), context.Parameter(0), HasBias ? context.Parameter(1) : [], context.Output(),
        context.BatchScratch, context.Compute, SimdWidth.Widest);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        ConvolutionLayers.BackwardTransposed(in context, ShapeOf(context.InputType(0).Shape), HasBias);

    private ConvolutionShape ShapeOf(Shape input) => _layer.ShapeOf(new Shape(1, input[0], input[1]));
}
