using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// A convolution whose filters are computed by the graph: PyTorch's <c>F.conv2d(x, weight, bias)</c> and <c>F.conv1d</c>. Images
/// [H, W, C] with filters [kh, kw, C / groups, F] give [H', W', F]; sequences [L, C] with filters [k, C / groups, F] give [L', F].
/// </summary>
/// <remarks>
/// <para>Inputs: x, values; filters, shared by all rows; and a bias [F], shared, if there is one. Sizes and formulas are those of
/// <see cref="Convolution2D"/> and <see cref="Convolution1D"/>.</para>
/// <para>All inputs have gradients; those of filters and bias are summed over the rows.</para>
/// </remarks>
public sealed class FunctionalConvolution : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="stride">From one position of the filter to the next; 1 by default. Sequences take the width.</param>
    /// <param name="padding">Zeros around the image, none by default; sequences take left and right.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default. Sequences take the width.</param>
    /// <param name="groups">The filters of a group see only the channels of that group; 1 by default.</param>
    /// <exception cref="ArgumentException">A size is below 1, or a padding below 0.</exception>
    public FunctionalConvolution(Extent? stride = null, Padding padding = default, Extent? dilation = null, int groups = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 1);
        (Stride, Padding, Dilation, Groups) = (stride ?? 1, padding, dilation ?? 1, groups);
        _ = new ConvolutionShape(1, 1, 1, 1, 1, Stride, padding, Dilation);
    }

    /// <summary>From one position of the filter to the next.</summary>
    public Extent Stride { get; }

    /// <summary>Zeros around the image or sequence.</summary>
    public Padding Padding { get; }

    /// <summary>From one cell of the filter to the next.</summary>
    public Extent Dilation { get; }

    /// <summary>The number of groups.</summary>
    public int Groups { get; }

    /// <inheritdoc/>
    public override string Kind => "functionalconvolution";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        if (declaration.Inputs.Count != 3)
            declaration.RequireInputs(2);
        var type = declaration.Inputs[0];
        var isSequence = type.Shape.Rank == 2;
        var x = isSequence ? declaration.RequireSequence(0) : declaration.RequireImage(0);
        var filters = declaration.Require(1, EdgeKind.Shared, x.Rank + 1);
        if (filters[filters.Rank - 2] != x.Last / Groups || x.Last % Groups != 0)
        {
            throw new ArgumentException(
                $"Input 1 of {Kind} has filters [.., C / groups, F], groups {Groups}; it is {filters} for {type}.", "inputs");
        }

        if (declaration.Inputs.Count == 3 && declaration.Require(2, EdgeKind.Shared, 1)[0] != filters.Last)
            throw new ArgumentException($"Input 2 of {Kind} is a bias [{filters.Last}]; it is {declaration.Inputs[2]}.", "inputs");
        var shape = ShapeOf(x, filters);
        declaration.UseConvolution(in shape);
        declaration.AddOutput(isSequence ? new Shape(shape.OutputWidth, shape.Filters) : new Shape(shape.OutputHeight, shape.OutputWidth, shape.Filters));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Convolution.Forward(
        ShapeOf(context.InputType(0).Shape, context.InputType(1).Shape), context.Input(0), context.Input(1),
        context.InputCount == 3 ? context.Input(2) : [], context.Output(), context.BatchScratch, context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => ConvolutionLayers.Backward(
        in context, ShapeOf(context.InputType(0).Shape, context.InputType(1).Shape), context.Input(1), context.InputGradient(1),
        context.InputCount == 3 ? context.InputGradient(2) : default);

    private ConvolutionShape ShapeOf(Shape x, Shape filters) => x.Rank == 3
        ? new(x[0], x[1], x[2], filters[3], new Extent(filters[0], filters[1]), Stride, Padding, Dilation, Groups)
        : new(1, x[0], x[1], filters[2], new Extent(1, filters[0]), new Extent(1, Stride.Width), Padding.Sides(Padding.Left, Padding.Right),
            new Extent(1, Dilation.Width), Groups);
}
