using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The mean of each channel over the image: [H, W, C] to [C]. y[c] = sum over h, w of x[h, w, c] / (H W).</summary>
public sealed class GlobalAveragePooling2D : Layer
{
    /// <inheritdoc/>
    public override string Kind => "globalaveragepooling2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(new Shape(PoolingLayers.Image(declaration)[2]));
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

    private static PoolingShape ShapeOf(Shape input) => PoolingShape.Bins(input[0], input[1], input[2], 1);
}
