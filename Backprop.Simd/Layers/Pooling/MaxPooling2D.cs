using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The largest value of each window and channel: [H, W, C] to [H', W', C].</summary>
/// <remarks>
/// <para>H' = (H + top + bottom - dilation (kernel - 1) - 1) / stride + 1, rounded down. The ceiling mode rounds up, but the last window must start inside the
/// image or the padding before it; W' likewise. The same as PyTorch's <c>MaxPool2d</c>.</para>
/// <para>Padding never wins, a window of -infinity gives -infinity, NaN wins. Of equal values, the first in row-major order gets the
/// gradient. The gradients of overlapping windows add up.</para>
/// </remarks>
public sealed class MaxPooling2D : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="kernel">The size of a window.</param>
    /// <param name="stride">From one window to the next; the size of a window if null.</param>
    /// <param name="padding">Cells around the image that never win; none by default.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the image.</param>
    /// <param name="dilation">From one cell of a window to the next; 1 by default.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, or a window would lie wholly in padding.</exception>
    public MaxPooling2D(Extent kernel, Extent? stride = null, Padding padding = default, bool ceiling = false, Extent? dilation = null)
    {
        (Kernel, Stride, Padding, Ceiling, Dilation) = (kernel, stride ?? kernel, padding, ceiling, dilation ?? 1);
        PoolingShape.Check(Kernel, Stride, Padding, Dilation);
    }

    /// <summary>The size of a window.</summary>
    public Extent Kernel { get; }

    /// <summary>From one window to the next.</summary>
    public Extent Stride { get; }

    /// <summary>Cells around the image.</summary>
    public Padding Padding { get; }

    /// <summary>Whether to keep windows that only begin inside the image.</summary>
    public bool Ceiling { get; }

    /// <summary>From one cell of a window to the next.</summary>
    public Extent Dilation { get; }

    /// <inheritdoc/>
    public override string Kind => "maxpooling2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var shape = PoolingLayers.Windows(declaration, Kernel, Stride, Padding, Ceiling, Dilation);
        declaration.AddOutput(new Shape(shape.Rows.Outputs, shape.Columns.Outputs, shape.Channels));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.Traits = LayerTraits.None;
        declaration.UseIndexCache(shape.OutputSize);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        MaxPooling.Forward(ShapeOf(context.InputType(0).Shape), context.Input(0), context.Output(),
            context.Training ? context.IndexCache : [], context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        MaxPooling.Backward(ShapeOf(context.InputType(0).Shape), context.OutputGradient(), context.IndexCache, context.InputGradient(0), context.Compute);
    }

    internal PoolingShape ShapeOf(Shape input) =>
        PoolingShape.Windows(input[0], input[1], input[2], Kernel, Stride, Padding, Ceiling, Dilation);
}
