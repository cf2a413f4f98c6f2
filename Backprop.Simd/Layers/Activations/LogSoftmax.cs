using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>y_i = x_i - ln sum_j e^x_j over the last dimension. Each position of [T, D] or [H, W, C] is separate.</summary>
/// <remarks>
/// Computed as (x - max) - ln sum e^(x - max), which does not cancel. A row of only -infinity gives NaN, and
/// so does a row with +infinity or NaN; a row of one element gives 0. Backward, from the output: dx = dy - e^y sum(dy).
/// </remarks>
public sealed class LogSoftmax : Layer
{
    /// <inheritdoc/>
    public override string Kind => "logsoftmax";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireLastDimension(0));
        declaration.Meaning = OutputMeaning.LogProbabilities;
        declaration.UsePositions();
        declaration.Traits = LayerTraits.ReadsOutput | LayerTraits.InPlace;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var classes = context.InputType(0).Shape.Last;
        var x = context.Input(0);
        SoftmaxKernels.LogSoftmax(
            new(x, x.Length / classes, classes), new Matrix<T>(context.Output(), x.Length / classes, classes), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dy = context.OutputGradient();
        var classes = context.InputType(0).Shape.Last;
        var rows = dy.Length / classes;
        SoftmaxKernels.LogSoftmaxBackward<T>(
            new(dy, rows, classes), new(context.Output(), rows, classes), context.InputGradient(0), context.Compute);
    }
}
