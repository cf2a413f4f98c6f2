using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The largest value of each of a given number of bins of steps: [L, C] to [L', C]. <see cref="AdaptiveMaxPooling2D"/> on images of
/// height 1; PyTorch's <c>AdaptiveMaxPool1d</c>.</summary>
public sealed class AdaptiveMaxPooling1D : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="outputs">The number of bins, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outputs"/> is below 1.</exception>
    public AdaptiveMaxPooling1D(int outputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        Outputs = outputs;
    }

    /// <summary>The number of bins.</summary>
    public int Outputs { get; }

    /// <inheritdoc/>
    public override string Kind => "adaptivemaxpooling1d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        PoolingLayers.DeclareBins(declaration, PoolingLayers.Sequence(declaration), new Extent(1, Outputs), isSequence: true);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        MaxPooling.Forward(ShapeOf(context.InputType(0).Shape), context.Input(0), context.Output(),
            context.Training ? context.IndexCache : [], context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        MaxPooling.Backward(ShapeOf(context.InputType(0).Shape), context.OutputGradient(), context.IndexCache, context.InputGradient(0), context.Compute);

    private PoolingShape ShapeOf(Shape input) => PoolingShape.Bins(1, input[0], input[1], new Extent(1, Outputs));
}
