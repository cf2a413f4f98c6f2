using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The mean of each window and channel: [H, W, C] to [H', W', C].</summary>
/// <remarks>
/// Sizes are as in <see cref="MaxPooling2D"/>. The sum of a window is divided by its number of cells, including the padding unless
/// <see cref="IncludePadding"/> is false. In the ceiling mode, cells beyond the padding do not count. The same as PyTorch's <c>AvgPool2d</c>.
/// </remarks>
public sealed class AveragePooling2D : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="kernel">The size of a window.</param>
    /// <param name="stride">From one window to the next; the size of a window if null.</param>
    /// <param name="padding">Zeros around the image; none by default.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the image.</param>
    /// <param name="includePadding">False to divide by the real cells of a window only.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, or a window would lie wholly in padding.</exception>
    public AveragePooling2D(Extent kernel, Extent? stride = null, Padding padding = default, bool ceiling = false, bool includePadding = true)
    {
        (Kernel, Stride, Padding, Ceiling, IncludePadding) = (kernel, stride ?? kernel, padding, ceiling, includePadding);
        PoolingShape.Check(Kernel, Stride, Padding);
    }

    /// <summary>The size of a window.</summary>
    public Extent Kernel { get; }

    /// <summary>From one window to the next.</summary>
    public Extent Stride { get; }

    /// <summary>Zeros around the image.</summary>
    public Padding Padding { get; }

    /// <summary>Whether to keep windows that only begin inside the image.</summary>
    public bool Ceiling { get; }

    /// <summary>Whether the divisor counts cells of the padding.</summary>
    public bool IncludePadding { get; }

    /// <inheritdoc/>
    public override string Kind => "averagepooling2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var shape = PoolingLayers.Windows(declaration, Kernel, Stride, Padding, Ceiling);
        declaration.AddOutput(new Shape(shape.Rows.Outputs, shape.Columns.Outputs, shape.Channels));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        AveragePooling.Forward(ShapeOf(context.InputType(0).Shape), IncludePadding, context.Input(0), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        AveragePooling.Backward(ShapeOf(context.InputType(0).Shape), IncludePadding, context.OutputGradient(), context.InputGradient(0), context.Compute);
    }

    private PoolingShape ShapeOf(Shape input) => PoolingShape.Windows(input[0], input[1], input[2], Kernel, Stride, Padding, Ceiling);
}
