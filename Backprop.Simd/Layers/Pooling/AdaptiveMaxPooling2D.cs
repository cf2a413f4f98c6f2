using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The largest value of each of a given number of bins: [H, W, C] to [H', W', C].</summary>
/// <remarks>
/// <para>Bin o covers the cells [floor(o H / H'), ceil((o + 1) H / H')); neighbours may share a cell. The same as PyTorch's
/// <c>AdaptiveMaxPool2d</c>.</para>
/// <para>NaN, ties and shared cells are as in <see cref="MaxPooling2D"/>.</para>
/// </remarks>
public sealed class AdaptiveMaxPooling2D : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="outputs">The number of bins along height and width, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public AdaptiveMaxPooling2D(Extent outputs)
    {
        if (outputs.Height < 1 || outputs.Width < 1)
            throw new ArgumentOutOfRangeException(nameof(outputs), outputs, $"'{nameof(outputs)}' must be 1 or more.");
        Outputs = outputs;
    }

    /// <summary>The number of bins along height and width.</summary>
    public Extent Outputs { get; }

    /// <inheritdoc/>
    public override string Kind => "adaptivemaxpooling2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        PoolingLayers.DeclareBins(declaration, PoolingLayers.Image(declaration), Outputs);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        MaxPooling.Forward(ShapeOf(context.InputType(0).Shape), context.Input(0), context.Output(),
            context.Training ? context.IndexCache : [], context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        MaxPooling.Backward(ShapeOf(context.InputType(0).Shape), context.OutputGradient(), context.IndexCache, context.InputGradient(0), context.Compute);

    private PoolingShape ShapeOf(Shape input) => PoolingShape.Bins(input[0], input[1], input[2], Outputs);
}
