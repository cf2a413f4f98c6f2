using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>
/// Transposed convolution: [H, W, C] to [H', W', F], with filters [kh, kw, F / groups, C] and a bias. It computes the input gradient
/// of a convolution from [H', W', F] to [H, W, C], and adds the bias.
/// </summary>
/// <remarks>
/// H' = (H - 1) stride - top - bottom + dilation (kh - 1) + 1 + extra rows; W' likewise. The same as
/// PyTorch's ConvTranspose2d: the extra rows and columns are its output padding. They lie at the end, and choose H' where several
/// sizes give the same H.
/// </remarks>
public sealed class ConvolutionTranspose2D : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="filters">The channels of the output, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">The size of a filter.</param>
    /// <param name="stride">From one position of the filter in the output to the next; 1 by default.</param>
    /// <param name="padding">What is cut off around the output; none by default.</param>
    /// <param name="outputPadding">Extra rows and columns at the end of the output, each below the stride; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="groups">The channels of a group reach only the filters of that group; 1 by default.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows. The bias starts at zero.</param>
    /// <param name="bias">False for no bias.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, the output padding is not below the stride, or
    /// <paramref name="filters"/> is not a multiple of <paramref name="groups"/>.</exception>
    // More than eight parameters: each is an independent option with a default, as in PyTorch's ConvTranspose2d.
    public ConvolutionTranspose2D(int filters, Extent kernel, Extent? stride = null, Padding padding = default, Extent? outputPadding = null,
        Extent? dilation = null, int groups = 1, Initializer? initializer = null, bool bias = true)
    {
        // Checks the arguments that do not depend on the image.
        _ = new Convolution2D(filters, kernel, stride, padding, dilation, groups);
        (Filters, Kernel, Stride, Padding, Dilation, Groups) = (filters, kernel, stride ?? 1, padding, dilation ?? 1, groups);
        OutputPadding = outputPadding ?? 0;
        if (OutputPadding.Height < 0 || OutputPadding.Width < 0 || OutputPadding.Height >= Stride.Height || OutputPadding.Width >= Stride.Width)
            throw new ArgumentException($"The output padding is 0 or more and below the stride, {Stride}; it is {OutputPadding}.", nameof(outputPadding));
        (Initializer, HasBias) = (initializer, bias);
    }

    /// <summary>The channels of the output.</summary>
    public int Filters { get; }

    /// <summary>The size of a filter.</summary>
    public Extent Kernel { get; }

    /// <summary>From one position of the filter in the output to the next.</summary>
    public Extent Stride { get; }

    /// <summary>What is cut off around the output.</summary>
    public Padding Padding { get; }

    /// <summary>Extra rows and columns at the end of the output.</summary>
    public Extent OutputPadding { get; }

    /// <summary>From one cell of the filter to the next.</summary>
    public Extent Dilation { get; }

    /// <summary>The number of groups.</summary>
    public int Groups { get; }

    /// <summary>How the filters start; null to choose by the layer that follows.</summary>
    public Initializer? Initializer { get; }

    /// <summary>Whether there is a bias per filter.</summary>
    public bool HasBias { get; }

    /// <inheritdoc/>
    public override string Kind => "convolutiontranspose2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var shape = CheckedShape(declaration.RequireImage(0), declaration.Kind);
        declaration.DeclareConvolution(in shape, Initializer, HasBias ? Filters : 0, isTransposed: true);
        declaration.AddOutput(new Shape(shape.Height, shape.Width, Filters));
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

    /// <summary>The convolution whose gradient this is, if the output has a size.</summary>
    internal ConvolutionShape CheckedShape(Shape input, string kind)
    {
        var (height, width) = OutputSize(input);
        return height is >= 1 and <= int.MaxValue && width is >= 1 and <= int.MaxValue ? ShapeOf(input)
            : throw new ArgumentException(
                $"{kind} with kernel {Kernel}, stride {Stride} and padding {Padding} would turn {input} into [{height}, {width}, {Filters}].", "inputs");
    }

    /// <summary>The convolution whose gradient this is: its image is the output here.</summary>
    internal ConvolutionShape ShapeOf(Shape input)
    {
        var (height, width) = OutputSize(input);
        return new((int)height, (int)width, Filters, input[2], Kernel, Stride, Padding, Dilation, Groups);
    }

    private (long Height, long Width) OutputSize(Shape input) => (
        (input[0] - 1L) * Stride.Height - Padding.Top - Padding.Bottom + (Kernel.Height - 1L) * Dilation.Height + 1 + OutputPadding.Height,
        (input[1] - 1L) * Stride.Width - Padding.Left - Padding.Right + (Kernel.Width - 1L) * Dilation.Width + 1 + OutputPadding.Width);
}
