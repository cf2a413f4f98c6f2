using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean over rows of max(0, |a - p + e| - |a - n + e| + m), for an anchor a [D], a positive p [D], a negative n [D], and a
/// margin m.</summary>
/// <remarks><para>Schroff, Kalenichenko, Philbin, arXiv:1503.03832, with lengths in place of their squares; the same as PyTorch's
/// TripletMarginLoss with p = 2. With <see cref="Swap"/> the negative is as near as it is to anchor or positive: the distance is the
/// smaller of |a - n + e| and |p - n + e| (Balntas et al., "Learning local feature descriptors with triplets", 2016).</para>
/// <para>Where the loss is not cut to 0, da = (a - p + e) / |a - p + e| - (a - n + e) / |a - n + e|, dp and dn likewise. A distance of 0 has
/// gradient 0; of two distances that are equal each gets half. The mean divides by the rows, or by the sum of their weights.</para></remarks>
public sealed class TripletMargin : ReducedLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="margin">m, 1e-30 to 1e30.</param>
    /// <param name="swap">True to take the smaller of the negative's distances to anchor and positive.</param>
    /// <param name="epsilon">e, what is added to each difference: 0, or 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public TripletMargin(double margin = 1, bool swap = false, double epsilon = 1e-6, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(margin);
        SpanGuard.InFloatRange(margin);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        SpanGuard.InFloatRange(epsilon);
        (Margin, Swap, Epsilon) = (margin, swap, epsilon);
    }

    /// <summary>How much farther than the positive the negative must be, so that the loss is 0.</summary>
    public double Margin { get; }

    /// <summary>Whether the negative counts with the smaller of its distances to anchor and positive.</summary>
    public bool Swap { get; }

    /// <summary>What is added to each difference.</summary>
    public double Epsilon { get; }

    /// <inheritdoc/>
    public override string Kind => "tripletmargin";

    private protected override int WeightInput => 3;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        declaration.Require(0, EdgeKind.Values, 1);
        declaration.RequireSame(0, 1);
        declaration.RequireSame(0, 2);
        declaration.UseCache(perRow: HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0, CachePerBatch);

        // Three distances of each row as doubles, and the sums or scales.
        declaration.UseScratch(perRow: 6 + DoublesPerRow);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var rows = context.Rows;
        var doubles = Doubles(context.Scratch, 5 * rows);
        Span<double> losses = doubles[..rows], denominators = doubles.Slice(rows, rows), distances = doubles[(2 * rows)..];
        Distances(context.Input(0), context.Input(1), context.Input(2), distances, context.Compute);
        for (var row = 0; row < rows; row++)
            losses[row] = Math.Max(0, distances[row] - Negative(distances, row) + Margin);
        denominators.Fill(1);
        Reduce(in context, losses, denominators);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        var rows = context.Rows;
        ReadOnlySpan<T> anchors = context.Input(0), positives = context.Input(1), negatives = context.Input(2);
        var size = anchors.Length / rows;
        var scales = context.Scratch[..rows];
        Scales(in context, scales);
        var distances = Doubles(context.Scratch, 5 * rows)[(2 * rows)..];
        Distances(anchors, positives, negatives, distances, context.Compute);
        GradientTarget<T> da = context.InputGradient(0), dp = context.InputGradient(1), dn = context.InputGradient(2);
        for (var row = 0; row < rows; row++)
        {
            var (start, scale) = (row * size, double.CreateTruncating(scales[row]));
            GradientTarget<T> toAnchor = da.Slice(start, size), toPositive = dp.Slice(start, size), toNegative = dn.Slice(start, size);
            if (scale == 0 || distances[row] - Negative(distances, row) + Margin < 0)
            {
                toAnchor.Zero();
                toPositive.Zero();
                toNegative.Zero();
                continue;
            }

            // What a unit of the gradient of each distance gives to each element's difference.
            var (ofAnchor, ofPositive) = (distances[rows + row], distances[2 * rows + row]);
            var share = !Swap || ofAnchor < ofPositive ? 1 : ofAnchor > ofPositive ? 0 : 0.5;
            var u = Inverse(distances[row], scale);
            var (v, w) = (Inverse(ofAnchor, share * scale), Swap ? Inverse(ofPositive, (1 - share) * scale) : 0);
            ReadOnlySpan<T> a = anchors.Slice(start, size), p = positives.Slice(start, size), n = negatives.Slice(start, size);
            Add(u, a, p, toAnchor, context.Compute);
            Add(-v, a, n, toAnchor.Adding, context.Compute);
            Add(-u, a, p, toPositive, context.Compute);
            Add(v, a, n, toNegative, context.Compute);
            if (w == 0)
                continue;
            Add(-w, p, n, toPositive.Adding, context.Compute);
            Add(w, p, n, toNegative.Adding, context.Compute);
        }
    }

    private static double Inverse(double distance, double scale) => distance == 0 || scale == 0 ? 0 : scale / distance;

    /// <summary>The gradient is factor (x - y + e).</summary>
    private void Add<T>(double factor, ReadOnlySpan<T> x, ReadOnlySpan<T> y, GradientTarget<T> target, Threading.ComputeContext compute)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        if (factor == 0)
            target.Zero();
        else
            ElementLossKernels.Gradient(new DifferenceTerm(Epsilon), T.CreateSaturating(factor), x, y, target, compute);
    }

    /// <summary>How far the negative of a row is.</summary>
    private double Negative(ReadOnlySpan<double> distances, int row)
    {
        var rows = distances.Length / 3;
        return Swap ? Math.Min(distances[rows + row], distances[2 * rows + row]) : distances[rows + row];
    }

    /// <summary>|a - p + e| of all rows, then |a - n + e|, then |p - n + e| if it is used.</summary>
    private void Distances<T>(
        ReadOnlySpan<T> a, ReadOnlySpan<T> p, ReadOnlySpan<T> n, Span<double> distances, Threading.ComputeContext compute)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var rows = distances.Length / 3;
        var size = a.Length / rows;
        var term = new DifferenceTerm(Epsilon);
        ElementLossKernels.Sums(term, a, p, size, distances[..rows], compute);
        ElementLossKernels.Sums(term, a, n, size, distances.Slice(rows, rows), compute);
        if (Swap)
            ElementLossKernels.Sums(term, p, n, size, distances[(2 * rows)..], compute);
        foreach (ref var distance in distances[..(Swap ? 3 * rows : 2 * rows)])
            distance = Math.Sqrt(2 * distance);
    }
}
