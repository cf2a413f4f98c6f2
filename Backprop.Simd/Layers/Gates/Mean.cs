using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers.Gates;

/// <summary>y = the mean of x along some dimensions of each row: their sum / n. dx = dy / n, repeated.</summary>
/// <param name="keepDimensions">True to keep reduced dimensions with size 1.</param>
/// <param name="axes">The dimensions of a row to reduce; negative numbers count from the end. None for all.</param>
public sealed class Mean(bool keepDimensions = false, params ReadOnlySpan<int> axes) : AxisReduction(keepDimensions, axes)
{
    /// <inheritdoc/>
    public override string Kind => "mean";

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.None;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        AxisReductions.Sum(context.InputArray(0), shape, context.Output(), Scratch(in context), context.Compute);
        Elementwise.Scale(context.Output(), T.CreateTruncating(1.0 / Terms(context.InputType(0).Shape)), context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        var dy = new ShapedSpan<T>(context.OutputGradient(), shape);
        var whole = Whole(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        AxisReductions.SumGradient(dy, whole, T.CreateTruncating(1.0 / Terms(context.InputType(0).Shape)), context.InputGradient(0), context.Compute);
    }
}
