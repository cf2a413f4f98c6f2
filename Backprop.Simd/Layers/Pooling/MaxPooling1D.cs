using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The largest value of each window and channel of sequences: [L, C] to [L', C]. <see cref="MaxPooling2D"/> on images of height 1.</summary>
/// <remarks>L' = (L + left + right - dilation (kernel - 1) - 1) / stride + 1, rounded down, or up in the ceiling mode.</remarks>
public sealed class MaxPooling1D : Layer
{
    private readonly MaxPooling2D _layer;

    /// <summary>Makes the layer.</summary>
    /// <param name="kernel">The steps of a window.</param>
    /// <param name="stride">From one window to the next; the steps of a window if null.</param>
    /// <param name="padding">Steps around the sequence that never win: <see cref="Kernels.Padding.Left"/> before it,
    /// <see cref="Kernels.Padding.Right"/> after it; the other sides are ignored. None by default.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the sequence.</param>
    /// <param name="dilation">From one step of a window to the next.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, or a window would lie wholly in padding.</exception>
    public MaxPooling1D(int kernel, int? stride = null, Padding padding = default, bool ceiling = false, int dilation = 1) =>
        _layer = new(new Extent(1, kernel), new Extent(1, stride ?? kernel), Padding.Sides(padding.Left, padding.Right), ceiling, new Extent(1, dilation));

    /// <summary>The steps of a window.</summary>
    public int Kernel => _layer.Kernel.Width;

    /// <summary>From one window to the next.</summary>
    public int Stride => _layer.Stride.Width;

    /// <summary>Steps before and after the sequence.</summary>
    public Padding Padding => _layer.Padding;

    /// <summary>Whether to keep windows that only begin inside the sequence.</summary>
    public bool Ceiling => _layer.Ceiling;

    /// <summary>From one step of a window to the next.</summary>
    public int Dilation => _layer.Dilation.Width;

    /// <inheritdoc/>
    public override string Kind => "maxpooling1d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var shape = PoolingLayers.Windows(declaration, _layer.Kernel, _layer.Stride, Padding, Ceiling, _layer.Dilation, isSequence: true);
        declaration.AddOutput(new Shape(shape.Columns.Outputs, shape.Channels));
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

    private PoolingShape ShapeOf(Shape input) =>
        PoolingShape.Windows(1, input[0], input[1], _layer.Kernel, _layer.Stride, Padding, Ceiling, _layer.Dilation);
}
