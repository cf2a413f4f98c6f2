using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>A loss that is a sum over the elements of predictions and targets of one shape.</summary>
public abstract class ElementwiseLoss : ReducedLoss
{
    /// <summary>Elements summed at a time: three buffers of doubles of this length fit the first-level cache.</summary>
    internal const int Block = 1024;

    /// <summary>Nanoseconds per element of a gradient: near that of a formula with one exp in it.</summary>
    private const double Cost = 0.5;

    private protected ElementwiseLoss(LossReduction reduction) : base(reduction) { }

    /// <summary>What a row of a shape adds to the denominator of the mean: its elements.</summary>
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

        // Forward: sums as doubles. Backward: a scale for each element.
        declaration.UseScratch(perRow: uniform ? 2L * (size / Block + 1) : Math.Max(DoublesPerRow, size + 1L));
    }

    private protected void Forward<T, TLoss>(in ForwardContext<T> context, TLoss loss)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        ReadOnlySpan<T> y = context.Input(0), t = context.Input(1);
        var shape = context.InputType(0).Shape;
        if (IsUniform(context.InputCount))
        {
            var blocks = Doubles(context.Scratch, (y.Length - 1) / Block + 1);
            new ElementSums<T, TLoss>(loss, y, t, Block, blocks).Run(context.Compute);
            Finish(in context, Reductions.Sum<double>(blocks), (double)context.Rows * DenominatorOf(shape));
            return;
        }

        var doubles = Doubles(context.Scratch, 2 * context.Rows);
        Span<double> losses = doubles[..context.Rows], denominators = doubles[context.Rows..];
        new ElementSums<T, TLoss>(loss, y, t, shape.Size, losses).Run(context.Compute);
        denominators.Fill(DenominatorOf(shape));
        Reduce(in context, losses, denominators);
    }

    private protected void Backward<T, TLoss>(in BackwardContext<T> context, TLoss loss)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        var dy = context.InputGradient(0);
        var dt = context.InputGradient(1);
        WeightGradient(in context);
        if (IsUniform(context.InputCount))
        {
            var scale = Scale(in context);
            Gradient(in context, loss, scale, dy);
            Gradient(in context, new TargetSide<TLoss>(loss), scale, dt);
            return;
        }

        var size = context.InputType(0).Shape.Size;
        var rows = context.Scratch[..context.Rows];
        Scales(in context, rows);
        var scales = context.Scratch.Slice(context.Rows, context.Rows * size);
        for (var row = 0; row < rows.Length; row++)
            scales.Slice(row * size, size).Fill(rows[row]);
        Gradient(in context, loss, scales, dy);
        Gradient(in context, new TargetSide<TLoss>(loss), scales, dt);
    }

    private static void Gradient<T, TLoss>(in BackwardContext<T> context, TLoss loss, T scale, GradientTarget<T> target)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        Map.Binary(new ElementSlope<T, TLoss>(loss, scale), context.Input(0), context.Input(1), target, Cost, context.Compute);
    }

    private static void Gradient<T, TLoss>(in BackwardContext<T> context, TLoss loss, ReadOnlySpan<T> scales, GradientTarget<T> target)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        Map.Ternary(new ScaledElementSlope<T, TLoss>(loss), context.Input(0), context.Input(1), scales, target, Cost, context.Compute);
    }
}
