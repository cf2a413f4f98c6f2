using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The mean of each window and channel of sequences: [L, C] to [L', C]. <see cref="AveragePooling2D"/> on images of height 1.</summary>
/// <remarks>L' = (L + left + right - kernel) / stride + 1, rounded down, or up in the ceiling mode.</remarks>
public sealed class AveragePooling1D : Layer
{
    private readonly AveragePooling2D _layer;

    /// <summary>Makes the layer.</summary>
    /// <param name="kernel">The steps of a window.</param>
    /// <param name="stride">From one window to the next; the steps of a window if null.</param>
    /// <param name="padding">Zeros around the sequence: <see cref="Kernels.Padding.Left"/> before it, <see cref="Kernels.Padding.Right"/> after it;
    /// the other sides are ignored. None by default.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the sequence.</param>
    /// <param name="includePadding">False to divide by the real steps of a window only.</param>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, or a window would lie wholly in padding.</exception>
    public AveragePooling1D(int kernel, int? stride = null, Padding padding = default, bool ceiling = false, bool includePadding = true) =>
        _layer = new(new Extent(1, kernel), new Extent(1, stride ?? kernel), Padding.Sides(padding.Left, padding.Right), ceiling, includePadding);

    /// <summary>The steps of a window.</summary>
    public int Kernel => _layer.Kernel.Width;

    /// <summary>From one window to the next.</summary>
    public int Stride => _layer.Stride.Width;

    /// <summary>Zeros before and after the sequence.</summary>
    public Padding Padding => _layer.Padding;

    /// <summary>Whether to keep windows that only begin inside the sequence.</summary>
    public bool Ceiling => _layer.Ceiling;

    /// <summary>Whether the divisor counts steps of the padding.</summary>
    public bool IncludePadding => _layer.IncludePadding;

    /// <inheritdoc/>
    public override string Kind => "averagepooling1d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var shape = PoolingLayers.Windows(declaration, _layer.Kernel, _layer.Stride, Padding, Ceiling, isSequence: true);
        declaration.AddOutput(new Shape(shape.Columns.Outputs, shape.Channels));
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

    private PoolingShape ShapeOf(Shape input) =>
        PoolingShape.Windows(1, input[0], input[1], _layer.Kernel, _layer.Stride, Padding, Ceiling);
}
