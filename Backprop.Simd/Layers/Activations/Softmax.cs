using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>y_i = e^x_i / sum_j e^x_j over the last dimension. Each position of [T, D] or [H, W, C] is separate.</summary>
/// <remarks>
/// The maximum is subtracted first. A row of only -infinity gives NaN, and so does a row with +infinity or NaN; a row of one element
/// gives 1. Backward, from the output: dx = y (dy - sum(dy y)). For a loss with labels use
/// <c>SoftmaxCrossEntropy</c>, which takes the logits.
/// </remarks>
public sealed class Softmax : Layer
{
    /// <inheritdoc/>
    public override string Kind => "softmax";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireLastDimension(0));
        declaration.Meaning = OutputMeaning.Distribution;
        declaration.UsePositions();
        declaration.Traits = LayerTraits.ReadsOutput | LayerTraits.InPlace;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var classes = context.InputType(0).Shape.Last;
        var x = context.Input(0);
        SoftmaxKernels.Softmax(
            new(x, x.Length / classes, classes), new Matrix<T>(context.Output(), x.Length / classes, classes), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dy = context.OutputGradient();
        var classes = context.InputType(0).Shape.Last;
        var rows = dy.Length / classes;
        SoftmaxKernels.SoftmaxBackward<T>(
            new(dy, rows, classes), new(context.Output(), rows, classes), context.InputGradient(0), context.Compute);
    }
}
