using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>The negative log-likelihood of normal targets: L = mean of (log v + (y - t)^2 / v) / 2 over all elements, for means y, targets t,
/// and variances v; a variance below epsilon counts as epsilon.</summary>
/// <remarks><para>Nix, Weigend, "Estimating the mean and variance of the target probability distribution", 1994; the same as PyTorch's
/// GaussianNLLLoss. With <see cref="Full"/>, log(2 pi) / 2 is added. Input 2, the variances, has the shape of means and targets, or this
/// shape with a last dimension of 1 or without it: one variance for all elements there.</para>
/// <para>With d = y - t and u = max(v, epsilon): dy = d / u, dt = -d / u, dv = (1 - d^2 / u) / (2 u), over N; below epsilon too, so that a
/// variance that is too small can grow. A negative variance throws. The mean divides by the elements, or by what the weights, input 3,
/// keep.</para></remarks>
public sealed class GaussianNegativeLogLikelihood : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="full">True to add the constant log(2 pi) / 2.</param>
    /// <param name="epsilon">The least variance, 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public GaussianNegativeLogLikelihood(bool full = false, double epsilon = 1e-6, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(epsilon);
        SpanGuard.InFloatRange(epsilon);
        (Full, Epsilon) = (full, epsilon);
    }

    /// <summary>Whether log(2 pi) / 2 is added.</summary>
    public bool Full { get; }

    /// <summary>The least variance.</summary>
    public double Epsilon { get; }

    /// <inheritdoc/>
    public override string Kind => "gaussiannegativeloglikelihood";

    private protected override int WeightInput => 3;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        base.Declare(declaration);
        var (shape, variance) = (declaration.Inputs[0].Shape, declaration.Require(2, EdgeKind.Values));
        var isOfLast = shape.Rank > 0 && (variance == shape.WithoutLast() || variance == shape.WithLast(1));
        if (variance != shape && !isOfLast)
        {
            throw new ArgumentException(
                $"Input 2 of {Kind}, the variances, must be like {declaration.Inputs[0]}, or have 1 or nothing in place of its last dimension; "
                + $"it is {declaration.Inputs[2]}.", "inputs");
        }

        // What a formula needs; behind it the differences and the variances of all elements.
        var hasWeights = HasWeights(declaration.Inputs.Count);
        long weights = hasWeights ? declaration.Inputs[WeightInput].Shape.Size : 1;
        declaration.UseScratch(perRow: DoublesPerRow * weights + 2L * shape.Size / ElementLossKernels.Block + 2 + 3L * shape.Size);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A variance that counts is negative.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        ReadOnlySpan<T> means = context.Input(0), variances = context.Input(2);
        if (!(TensorPrimitives.Min(variances) >= T.Zero))
            CheckVariances(means.Length / context.Rows, variances, HasWeights(context.InputCount) ? context.Input(WeightInput) : [], context.Rows);
        var scratch = context.Scratch;
        var differences = scratch[^means.Length..];
        Elementwise.Subtract(means, context.Input(1), differences, context.Compute);
        Forward(in context, new Term(Epsilon, Full ? Math.Log(2 * Math.PI) / 2 : 0), differences, Spread(variances, scratch[..^means.Length], means.Length));
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        ReadOnlySpan<T> means = context.Input(0), variances = context.Input(2);
        var scratch = context.Scratch;
        var differences = scratch[^means.Length..];
        Elementwise.Subtract(means, context.Input(1), differences, context.Compute);
        var spread = Spread(variances, scratch[..^means.Length], means.Length);
        var scales = ElementScales(in context, means.Length);
        var term = new Term(Epsilon, 0);
        Gradient(in context, term, scales, differences, spread, context.InputGradient(0));
        Gradient(in context, new NegativeTerm(term), scales, differences, spread, context.InputGradient(1));
        var dv = context.InputGradient(2);
        if (dv.IsEmpty)
            return;
        if (variances.Length == means.Length)
        {
            Gradient(in context, new TargetSide<Term>(term), scales, differences, variances, dv);
            return;
        }

        // In place of the differences, which nobody reads behind this.
        Gradient(in context, new TargetSide<Term>(term), scales, differences, spread, differences);
        var size = means.Length / variances.Length;
        for (var i = 0; i < variances.Length; i++)
            dv.Put(i, Reductions.Sum<T>(differences.Slice(i * size, size)));
    }

    /// <summary>A variance for each element: the variances, or each of them repeated at the end of the buffer.</summary>
    private static ReadOnlySpan<T> Spread<T>(ReadOnlySpan<T> variances, Span<T> buffer, int length)
    {
        if (variances.Length == length)
            return variances;
        var spread = buffer[^length..];
        var size = length / variances.Length;
        for (var i = 0; i < variances.Length; i++)
            spread.Slice(i * size, size).Fill(variances[i]);
        return spread;
    }

    /// <summary>Throws if a variance is negative and an element that it belongs to has a weight.</summary>
    private static void CheckVariances<T>(int rowSize, ReadOnlySpan<T> variances, ReadOnlySpan<T> weights, int rows)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var length = rowSize * rows;
        for (var i = 0; i < length; i++)
        {
            var variance = variances[i / (length / variances.Length)];
            if (variance < T.Zero && (weights.IsEmpty || !T.IsZero(weights[i / (length / weights.Length)])))
            {
                throw new ArgumentException(
                    $"Variances must not be negative; row {i / rowSize} has {variance} at element {i % rowSize}. Softplus or Exponential makes them positive.",
                    nameof(variances));
            }
        }
    }

    /// <summary>The loss of a difference y and a variance t.</summary>
    private readonly struct Term(double epsilon, double constant) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var u = TVector.Max(epsilon, t);
            return (VectorMath.Log(u) + y * y / u) * 0.5 + constant;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y / TVector.Max(epsilon, t);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var u = TVector.Max(epsilon, t);
            return (1 - y * y / u) / u * 0.5;
        }
    }

    /// <summary>The same with the other slope: by the target.</summary>
    private readonly struct NegativeTerm(Term term) : IElementLoss
    {
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => term.Value(y, t);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => -term.Slope(y, t);

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => term.TargetSlope(y, t);
    }
}
