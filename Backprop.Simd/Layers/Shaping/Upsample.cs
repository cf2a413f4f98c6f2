using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Images of another size, [H, W, C] to [H', W', C], or sequences of another length, [L, C] to [L', C]: nearest cells or bilinear.</summary>
/// <remarks>Formulas: <see cref="Resize"/>. The size is floor(size scale), or as given. The same as PyTorch's <c>Upsample</c> and
/// <c>interpolate</c> with <c>nearest</c>, <c>nearest-exact</c>, <c>bilinear</c> and <c>linear</c>; scales below 1 make images
/// smaller. A sequence takes the widths of scale and outputs.</remarks>
public sealed class Upsample : Layer
{
    /// <summary>Makes the layer, with a scale or with outputs.</summary>
    /// <param name="scale">The factors by which height and width grow; null if the outputs are given.</param>
    /// <param name="outputs">Height and width of the output; null if the scale is given.</param>
    /// <param name="mode">How the image is read.</param>
    /// <param name="alignCorners">True to put the centres of the corner cells over each other, in the bilinear mode only.</param>
    /// <exception cref="ArgumentException">Scale and outputs are both given or both missing, one is below its least value, the mode is none,
    /// or corners are aligned in a mode of nearest cells.</exception>
    public Upsample(ResizeScale? scale = null, Extent? outputs = null, ResizeMode mode = ResizeMode.Nearest, bool alignCorners = false)
    {
        if (scale is null == outputs is null)
            throw new ArgumentException("Upsample takes a scale or outputs, and not both.", nameof(scale));
        if (scale is { } factors)
            ResizeShape.CheckScale(factors);
        if (outputs is { Height: < 1 } or { Width: < 1 })
            throw new ArgumentOutOfRangeException(nameof(outputs), outputs, $"'{nameof(outputs)}' must be 1 or more.");
        ResizeShape.CheckMode(mode, alignCorners);
        (Scale, Outputs, Mode, AlignCorners) = (scale, outputs, mode, alignCorners);
    }

    /// <summary>The factors by which height and width grow; null if the outputs are given.</summary>
    public ResizeScale? Scale { get; }

    /// <summary>Height and width of the output; null if the scale is given.</summary>
    public Extent? Outputs { get; }

    /// <summary>How the image is read.</summary>
    public ResizeMode Mode { get; }

    /// <summary>Whether the centres of the corner cells lie over each other.</summary>
    public bool AlignCorners { get; }

    /// <inheritdoc/>
    public override string Kind => "upsample";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.Inputs[0];
        if (type.Kind != EdgeKind.Values || type.Shape.Rank is not (2 or 3))
            throw new ArgumentException($"{Kind} takes images [H, W, C] or sequences [L, C]; it got {type}.", "inputs");
        var shape = ShapeOf(type.Shape);
        var (rows, columns) = (shape.Outputs.Height, shape.Outputs.Width);
        declaration.AddOutput(type.Shape.Rank == 2 ? new Shape(columns, shape.Channels) : new Shape(rows, columns, shape.Channels));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseThreadScratch(Resize.ThreadBytes(in shape));
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Resize.Forward(ShapeOf(context.InputType(0).Shape), context.Input(0), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        Resize.Backward<T>(ShapeOf(context.InputType(0).Shape), context.OutputGradient(), context.InputGradient(0), context.Compute);

    private ResizeShape ShapeOf(Shape input)
    {
        var isSequence = input.Rank == 2;
        var (height, width) = isSequence ? (1, input[0]) : (input[0], input[1]);
        var scale = isSequence && Scale is { } factors ? new ResizeScale(1, factors.Width) : Scale;
        var outputs = scale is { } by ? ResizeShape.OutputsOf(height, width, by)
            : new Extent(isSequence ? 1 : Outputs.GetValueOrDefault().Height, Outputs.GetValueOrDefault().Width);
        return new(height, width, input.Last, outputs, Mode, AlignCorners, scale);
    }
}
