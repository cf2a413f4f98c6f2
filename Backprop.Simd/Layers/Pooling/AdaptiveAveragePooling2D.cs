using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The means of a given number of bins: [H, W, C] to [H', W', C].</summary>
/// <remarks>
/// Bin o covers the cells [floor(o H / H'), ceil((o + 1) H / H')); neighbours may share a cell. The same as PyTorch's
/// <c>AdaptiveAvgPool2d</c>.
/// </remarks>
public sealed class AdaptiveAveragePooling2D : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="outputs">The number of bins along height and width, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public AdaptiveAveragePooling2D(Extent outputs)
    {
        if (outputs.Height < 1 || outputs.Width < 1)
            throw new ArgumentOutOfRangeException(nameof(outputs), outputs, $"'{nameof(outputs)}' must be 1 or more.");
        Outputs = outputs;
    }

    /// <summary>The number of bins along height and width.</summary>
    public Extent Outputs { get; }

    /// <inheritdoc/>
    public override string Kind => "adaptiveaveragepooling2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(new Shape(Outputs.Height, Outputs.Width, PoolingLayers.Image(declaration)[2]));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        AveragePooling.Forward(ShapeOf(context.InputType(0).Shape), false, context.Input(0), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        AveragePooling.Backward(ShapeOf(context.InputType(0).Shape), false, context.OutputGradient(), context.InputGradient(0), context.Compute);
    }

    private PoolingShape ShapeOf(Shape input) => PoolingShape.Bins(input[0], input[1], input[2], Outputs);
}
