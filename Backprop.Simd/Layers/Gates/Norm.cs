using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>y = the Euclidean norm of x along some dimensions of each row, sqrt(sum of x^2). dx = dy x / y, and 0 where y = 0.</summary>
/// <param name="keepDimensions">True to keep reduced dimensions with size 1.</param>
/// <param name="axes">The dimensions of a row to reduce; negative numbers count from the end. None for all.</param>
public sealed class Norm(bool keepDimensions = false, params ReadOnlySpan<int> axes) : AxisReduction(keepDimensions, axes)
{
    /// <inheritdoc/>
    public override string Kind => "norm";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        AxisReductions.Norm(context.InputArray(0), shape, context.Output(), Scratch(in context), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        AxisReductions.NormGradient(context.OutputGradient(), context.InputArray(0), context.Output(), shape, context.InputGradient(0), context.Compute);
    }
}
