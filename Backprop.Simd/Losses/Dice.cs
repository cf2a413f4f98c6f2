using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean over rows of 1 - (2 sum p t + s) / (sum p + sum t + s), for probabilities p, or those of logits x, p = 1 / (1 + e^-x), targets
/// t in [0, 1] of the same shape, and a smoothing term s. The sums go over all elements of a row.</summary>
/// <remarks><para>Milletari, Navab, Ahmadi, arXiv:1606.04797, section 3, with sums of p and t in place of sums of their squares. The
/// smoothing term makes the loss 0 where a row has no target and no prediction.</para>
/// <para>With I = sum p t and U = sum p + sum t + s: dp = ((2 I + s) / U - 2 t) / U, dt = ((2 I + s) / U - 2 p) / U, dx = dp p (1 - p).
/// The mean divides by the rows, or by the sum of their weights. One loss for each of several classes: a network's outputs are split, and
/// each part has a loss.</para></remarks>
public sealed class Dice : ReducedLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="logits">True if the predictions are logits, false if they are probabilities.</param>
    /// <param name="smooth">s, 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public Dice(bool logits = true, double smooth = 1, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(smooth);
        SpanGuard.InFloatRange(smooth);
        (Logits, Smooth) = (logits, smooth);
    }

    /// <summary>Whether the predictions are logits.</summary>
    public bool Logits { get; }

    /// <summary>What is added to both sides of the fraction.</summary>
    public double Smooth { get; }

    /// <inheritdoc/>
    public override string Kind => "dice";

    internal override LossInput Takes => Logits ? LossInput.Logits : LossInput.Numbers;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        declaration.Require(0, EdgeKind.Values);
        declaration.RequireSame(0, 1);
        declaration.UseCache(perRow: HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0, CachePerBatch);

        // Two sums of each row as doubles, and the sums or scales.
        declaration.UseScratch(perRow: 4 + DoublesPerRow);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var rows = context.Rows;
        var doubles = Doubles(context.Scratch, 4 * rows);
        Span<double> losses = doubles[..rows], denominators = doubles.Slice(rows, rows);
        Span<double> products = doubles.Slice(2 * rows, rows), sums = doubles[(3 * rows)..];
        Sums(context.Input(0), context.Input(1), products, sums, context.Compute);
        for (var row = 0; row < rows; row++)
        {
            // (sum p + sum t - 2 sum p t) / (sum p + sum t + s).
            losses[row] = (sums[row] - 2 * products[row]) / (sums[row] + Smooth);
        }

        denominators.Fill(1);
        Reduce(in context, losses, denominators);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        var rows = context.Rows;
        ReadOnlySpan<T> predictions = context.Input(0), targets = context.Input(1);
        var size = predictions.Length / rows;
        var scales = context.Scratch[..rows];
        Scales(in context, scales);
        var doubles = Doubles(context.Scratch, 4 * rows);
        Span<double> products = doubles.Slice(2 * rows, rows), sums = doubles[(3 * rows)..];
        Sums(predictions, targets, products, sums, context.Compute);
        GradientTarget<T> dy = context.InputGradient(0), dt = context.InputGradient(1);
        for (var row = 0; row < rows; row++)
        {
            GradientTarget<T> toPrediction = dy.Slice(row * size, size), toTarget = dt.Slice(row * size, size);
            if (T.IsZero(scales[row]))
            {
                toPrediction.Zero();
                toTarget.Zero();
                continue;
            }

            var union = sums[row] + Smooth;
            var scale = T.CreateSaturating(double.CreateTruncating(scales[row]) / union);
            var ratio = (2 * products[row] + Smooth) / union;
            ReadOnlySpan<T> y = predictions.Slice(row * size, size), t = targets.Slice(row * size, size);
            if (Logits)
            {
                ElementLossKernels.Gradient(new LogitTerm(ratio), scale, y, t, toPrediction, context.Compute);
                ElementLossKernels.Gradient(new TargetSide<LogitTerm>(new(ratio)), scale, y, t, toTarget, context.Compute);
            }
            else
            {
                ElementLossKernels.Gradient(new Term(ratio), scale, y, t, toPrediction, context.Compute);
                ElementLossKernels.Gradient(new TargetSide<Term>(new(ratio)), scale, y, t, toTarget, context.Compute);
            }
        }
    }

    /// <summary>For each row sum p t, and sum p + sum t.</summary>
    private void Sums<T>(ReadOnlySpan<T> y, ReadOnlySpan<T> t, Span<double> products, Span<double> sums, Threading.ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var size = y.Length / sums.Length;
        if (Logits)
        {
            ElementLossKernels.Sums(default(LogitProduct), y, t, size, products, compute);
            ElementLossKernels.Sums(default(LogitSum), y, t, size, sums, compute);
        }
        else
        {
            ElementLossKernels.Sums(default(ProductTerm), y, t, size, products, compute);
            ElementLossKernels.Sums(default(SumTerm), y, t, size, sums, compute);
        }
    }

    /// <summary>r (p + t) - 2 p t, of a ratio r.</summary>
    private readonly struct Term(double ratio) : IElementLoss
    {
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => (y + t) * ratio - y * t * 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => ratio - t * 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => ratio - y * 2;
    }

    /// <summary>The same of logits.</summary>
    private readonly struct LogitTerm(double ratio) : IElementLoss
    {
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            new Term(ratio).Value(VectorMath.Sigmoid(y), t);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            // p (1 - p) is relatively accurate in both tails.
            var e = VectorMath.Exp(-TVector.Abs(y));
            var large = 1 / (e + 1);
            return (ratio - t * 2) * (e * large * large);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => ratio - VectorMath.Sigmoid(y) * 2;
    }

    /// <summary>Only the value counts: p t of logits.</summary>
    private readonly struct LogitProduct : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Sigmoid(y) * t;

        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => t;

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Sigmoid(y);
    }

    /// <summary>Only the value counts: p + t of logits.</summary>
    private readonly struct LogitSum : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Sigmoid(y) + t;

        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.One;

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.One;
    }

    /// <summary>p + t.</summary>
    private readonly struct SumTerm : IElementLoss
    {
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y + t;

        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.One;

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.One;
    }
}
