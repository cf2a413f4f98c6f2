using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>y = the largest of x along some dimensions of each row; NaN if any is NaN. The n largest share the gradient: dx = dy / n, as in
/// PyTorch's <c>amax</c>; 0 elsewhere. NaN elements share that of a NaN.</summary>
/// <param name="keepDimensions">True to keep reduced dimensions with size 1.</param>
/// <param name="axes">The dimensions of a row to reduce; negative numbers count from the end. None for all.</param>
public sealed class Max(bool keepDimensions = false, params ReadOnlySpan<int> axes) : AxisReduction(keepDimensions, axes)
{
    /// <inheritdoc/>
    public override string Kind => "max";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        AxisReductions.Max(context.InputArray(0), shape, context.Output(), Scratch(in context), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        AxisReductions.ExtremeGradient(
            context.OutputGradient(), context.InputArray(0), context.Output(), shape, context.InputGradient(0), Scratch(in context), context.Compute);
    }
}
