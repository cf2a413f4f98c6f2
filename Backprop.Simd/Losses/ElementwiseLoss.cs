using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>A loss that sums over the elements of predictions and targets, which have the same shape.</summary>
public abstract class ElementwiseLoss : ReducedLoss
{
    private protected ElementwiseLoss(LossReduction reduction) : base(reduction) { }

    /// <summary>What a row adds to the denominator of the mean: its number of elements.</summary>
    private protected virtual int DenominatorOf(Shape row) => row.Size;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        var size = declaration.Require(0, EdgeKind.Values).Size;
        declaration.RequireSame(0, 1);
        var uniform = IsUniform(declaration.Inputs.Count);
        declaration.UseCache(perRow: declaration.Inputs.Count == 3 ? DoublesPerRow : 0, CachePerBatch);

        // Forward keeps sums here, as doubles; backward a scale for each element.
        declaration.UseScratch(perRow: uniform ? 2L * (size / ElementLossKernels.Block + 1) : Math.Max(DoublesPerRow, size + 1L));
    }

    private protected void Forward<T, TLoss>(in ForwardContext<T> context, TLoss loss)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        ReadOnlySpan<T> y = context.Input(0), t = context.Input(1);
        var shape = context.InputType(0).Shape;
        if (IsUniform(context.InputCount))
        {
            var blocks = Doubles(context.Scratch, (y.Length - 1) / ElementLossKernels.Block + 1);
            ElementLossKernels.Sums(loss, y, t, ElementLossKernels.Block, blocks, context.Compute);
            Finish(in context, Reductions.Sum<double>(blocks), (double)context.Rows * DenominatorOf(shape));
            return;
        }

        var doubles = Doubles(context.Scratch, 2 * context.Rows);
        Span<double> losses = doubles[..context.Rows], denominators = doubles[context.Rows..];
        ElementLossKernels.Sums(loss, y, t, shape.Size, losses, context.Compute);
        denominators.Fill(DenominatorOf(shape));
        Reduce(in context, losses, denominators);
    }

    private protected void Backward<T, TLoss>(in BackwardContext<T> context, TLoss loss)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        ReadOnlySpan<T> y = context.Input(0), t = context.Input(1);
        Destination<T> dy = context.InputGradient(0), dt = context.InputGradient(1);
        WeightGradient(in context);
        if (IsUniform(context.InputCount))
        {
            var scale = Scale(in context);
            ElementLossKernels.Gradient(loss, scale, y, t, dy, context.Compute);
            ElementLossKernels.Gradient(new TargetSide<TLoss>(loss), scale, y, t, dt, context.Compute);
            return;
        }

        var size = context.InputType(0).Shape.Size;
        var rows = context.Scratch[..context.Rows];
        Scales(in context, rows);
        var scales = context.Scratch.Slice(context.Rows, context.Rows * size);
        for (var row = 0; row < rows.Length; row++)
            scales.Slice(row * size, size).Fill(rows[row]);
        ElementLossKernels.Gradient<T, TLoss>(loss, scales, y, t, dy, context.Compute);
        ElementLossKernels.Gradient<T, TargetSide<TLoss>>(new(loss), scales, y, t, dt, context.Compute);
    }
}
