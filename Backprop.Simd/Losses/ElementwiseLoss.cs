using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>A loss that sums over the elements of predictions and targets, which have the same shape: the base for a loss that is a
/// formula, yours too.</summary>
/// <remarks>
/// <para>A derived class writes its formula as an <see cref="IElementLoss"/>, and its two passes as one call each:
/// <c>Forward(in context, new Formula())</c> and <c>Backward(in context, new Formula())</c>. Reduction, weights, threads and the sums in
/// double come from here.</para>
/// <para>Input 2, if there is one, holds weights w. Its shape is [] for a weight per row, or the first dimensions of the predictions:
/// for predictions [T, D] it is [T] for a weight per step, or [T, D] for a weight per element. Numbers 0 and 1 are a mask. Mean divides
/// by the sum of w times the elements that each w stands for: by what is kept. A weight of 0 leaves its elements out, whatever they
/// hold, with zero gradients.</para>
/// </remarks>
public abstract class ElementwiseLoss : ReducedLoss
{
    /// <summary>Takes the reduction.</summary>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
#pragma warning disable RS0022 // ReducedLoss has no protected members of its own to expose.
    protected ElementwiseLoss(LossReduction reduction) : base(reduction) { }
#pragma warning restore RS0022

    /// <summary>What a row adds to the denominator of the mean: its number of elements.</summary>
    private protected virtual int DenominatorOf(Shape row) => row.Size;

    /// <summary>Whether a weight may stand for less than a row.</summary>
    private protected virtual bool TakesPositionWeights => true;

    private protected override void RequireWeights(LayerDeclaration declaration)
    {
        if (!TakesPositionWeights)
        {
            base.RequireWeights(declaration);
            return;
        }

        var weights = declaration.Require(WeightInput, EdgeKind.Values);
        var shape = declaration.Inputs[0].Shape;
        var fits = weights.Rank <= shape.Rank;
        for (var d = 0; fits && d < weights.Rank; d++)
            fits = weights[d] == shape[d];
        if (!fits)
        {
            throw new ArgumentException(
                $"Input {WeightInput} of {Kind} must be weights of rank 0, or of the first dimensions of {declaration.Inputs[0]}; "
                + $"it is {declaration.Inputs[WeightInput]}.", "inputs");
        }
    }

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        var size = declaration.Require(0, EdgeKind.Values).Size;
        declaration.RequireSame(0, 1);
        var uniform = IsUniform(declaration.Inputs.Count);
        var hasWeights = HasWeights(declaration.Inputs.Count);
        long weights = hasWeights ? declaration.Inputs[WeightInput].Shape.Size : 1;
        declaration.UseCache(perRow: hasWeights ? DoublesPerRow * weights : 0, CachePerBatch);

        // Forward keeps sums here, as doubles; backward a scale for each weight and each element.
        declaration.UseScratch(perRow: uniform ? 2L * (size / ElementLossKernels.Block + 1) : Math.Max(DoublesPerRow * weights, size + weights));
    }

    /// <summary>The forward pass of a formula.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TLoss">The type of the formula.</typeparam>
    /// <param name="context">The forward context.</param>
    /// <param name="loss">The formula. Sums are taken in double, whatever <typeparamref name="T"/> is.</param>
    protected void Forward<T, TLoss>(in ForwardContext<T> context, TLoss loss)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss => Forward(in context, loss, context.Input(0), context.Input(1));

    /// <summary>The forward pass of a formula of the given numbers, one of each for each element of the predictions.</summary>
    private protected void Forward<T, TLoss>(in ForwardContext<T> context, TLoss loss, ReadOnlySpan<T> y, ReadOnlySpan<T> t)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        var shape = context.InputType(0).Shape;
        if (IsUniform(context.InputCount))
        {
            var blocks = Doubles(context.Scratch, (y.Length - 1) / ElementLossKernels.Block + 1);
            ElementLossKernels.Sums(loss, y, t, ElementLossKernels.Block, blocks, context.Compute);
            Finish(in context, Reductions.Sum<double>(blocks), (double)context.Rows * DenominatorOf(shape));
            return;
        }

        var count = HasWeights(context.InputCount) ? context.Input(WeightInput).Length : context.Rows;
        var size = y.Length / count;
        var doubles = Doubles(context.Scratch, 2 * count);
        Span<double> losses = doubles[..count], denominators = doubles[count..];
        ElementLossKernels.Sums(loss, y, t, size, losses, context.Compute);
        denominators.Fill(count == context.Rows ? DenominatorOf(shape) : size);
        Reduce(in context, losses, denominators);
    }

    /// <summary>The backward pass of a formula: the gradients of predictions, targets and weights, where they are asked for.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TLoss">The type of the formula.</typeparam>
    /// <param name="context">The backward context.</param>
    /// <param name="loss">The formula.</param>
    protected void Backward<T, TLoss>(in BackwardContext<T> context, TLoss loss)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        ReadOnlySpan<T> y = context.Input(0), t = context.Input(1);
        WeightGradient(in context);
        var scales = ElementScales(in context, y.Length);
        Gradient(in context, loss, scales, y, t, context.InputGradient(0));
        Gradient(in context, new TargetSide<TLoss>(loss), scales, y, t, context.InputGradient(1));
    }

    /// <summary>The gradient by each element's loss, in the first elements of the scratch space; nothing where all have one.</summary>
    private protected ReadOnlySpan<T> ElementScales<T>(in BackwardContext<T> context, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (IsUniform(context.InputCount))
            return [];
        var count = HasWeights(context.InputCount) ? context.Input(WeightInput).Length : context.Rows;
        var size = length / count;
        var scales = context.Scratch[..count];
        Scales(in context, scales);
        if (size == 1)
            return scales;
        var each = context.Scratch.Slice(count, length);
        for (var i = 0; i < count; i++)
            each.Slice(i * size, size).Fill(scales[i]);
        return each;
    }

    /// <summary>The gradient of a formula by its first number, under the scales of <see cref="ElementScales"/>.</summary>
    private protected void Gradient<T, TLoss>(
        in BackwardContext<T> context, TLoss loss, ReadOnlySpan<T> scales, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Destination<T> dy)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        if (scales.IsEmpty)
            ElementLossKernels.Gradient(loss, Scale(in context), y, t, dy, context.Compute);
        else
            ElementLossKernels.Gradient(loss, scales, y, t, dy, context.Compute);
    }
}
