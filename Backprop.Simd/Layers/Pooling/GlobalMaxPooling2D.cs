using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The largest value of each channel over the image: [H, W, C] to [C].</summary>
/// <remarks>NaN wins. Of equal values, the first in row-major order gets the gradient.</remarks>
public sealed class GlobalMaxPooling2D : Layer
{
    /// <inheritdoc/>
    public override string Kind => "globalmaxpooling2d";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var input = PoolingLayers.Image(declaration);
        if ((long)input[0] * input[1] > PoolingShape.MostCells)
            throw new ArgumentException($"{Kind} takes images of up to {PoolingShape.MostCells} cells; its input is {declaration.Inputs[0]}.", "inputs");
        declaration.AddOutput(new Shape(input[2]));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.Traits = LayerTraits.None;
        declaration.UseOperations(input.Size);
        declaration.UseIndexCache(input[2]);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        MaxPooling.Forward(ShapeOf(context.InputType(0).Shape), context.Input(0), context.Output(),
            context.Training ? context.IndexCache : [], context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        MaxPooling.Backward(ShapeOf(context.InputType(0).Shape), context.OutputGradient(), context.IndexCache, context.InputGradient(0), context.Compute);
    }

    private static PoolingShape ShapeOf(Shape input) => PoolingShape.Bins(input[0], input[1], input[2], 1);
}
