using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// Two-dimensional convolution: [H, W, C] to [H', W', F] with filters [kh, kw, C / groups, F] and a bias per filter; channels last.
/// </summary>
/// <remarks>
/// H' = (H + top + bottom - dilation (kh - 1) - 1) / stride + 1, rounded down; W' likewise. Formulas: <see cref="Kernels.Convolution"/>.
/// With as many groups as channels and filters, the convolution is depthwise.
/// </remarks>
public sealed class Convolution2D : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="filters">The number of filters, a multiple of <paramref name="groups"/>.</param>
    /// <param name="kernel">The size of a filter.</param>
    /// <param name="stride">From one position of the filter to the next; 1 by default.</param>
    /// <param name="padding">Zeros around the image; none by default. <see cref="Padding.Same"/> keeps the size.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="groups">The filters of a group see only the channels of that group; 1 by default.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows. The bias starts at zero.</param>
    /// <param name="bias">False for no bias.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, or <paramref name="filters"/> is not a multiple of
    /// <paramref name="groups"/>.</exception>
    public Convolution2D(int filters, Extent kernel, Extent? stride = null, Padding padding = default, Extent? dilation = null,
        int groups = 1, Initializer? initializer = null, bool bias = true)
    {
        // Checks the arguments, with the smallest image that the filter fits into.
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 1);
        _ = new ConvolutionShape(SmallestSize(kernel.Height, dilation?.Height ?? 1), SmallestSize(kernel.Width, dilation?.Width ?? 1), groups,
            filters, kernel, stride, padding, dilation, groups);
        (Filters, Kernel, Stride, Padding, Dilation, Groups) = (filters, kernel, stride ?? 1, padding, dilation ?? 1, groups);
        (Initializer, HasBias) = (initializer, bias);
    }

    /// <summary>The number of filters.</summary>
    public int Filters { get; }

    /// <summary>The size of a filter.</summary>
    public Extent Kernel { get; }

    /// <summary>From one position of the filter to the next.</summary>
    public Extent Stride { get; }

    /// <summary>Zeros around the image.</summary>
    public Padding Padding { get; }

    /// <summary>From one cell of the filter to the next.</summary>
    public Extent Dilation { get; }

    /// <summary>The number of groups.</summary>
    public int Groups { get; }

    /// <summary>How the filters start; null to choose by the layer that follows.</summary>
    public Initializer? Initializer { get; }

    /// <summary>Whether there is a bias per filter.</summary>
    public bool HasBias { get; }

    /// <inheritdoc/>
    public override string Kind => "convolution2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var shape = ShapeOf(declaration.RequireImage(0));
        declaration.DeclareConvolution(in shape, Initializer, HasBias ? shape.Filters : 0);
        declaration.AddOutput(new Shape(shape.OutputHeight, shape.OutputWidth, Filters));
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

    internal ConvolutionShape ShapeOf(Shape input) => new(input[0], input[1], input[2], Filters, Kernel, Stride, Padding, Dilation, Groups);

    private static int SmallestSize(int kernel, int dilation) => (int)Math.Clamp((long)(kernel - 1) * dilation + 1, 1, int.MaxValue / 2);
}
