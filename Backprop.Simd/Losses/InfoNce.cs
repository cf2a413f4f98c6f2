using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean over rows i of -s_ii + log sum over j of e^s_ij, with s_ij = cos(x_i, y_j) / temperature, for vectors x [D] and y [D]:
/// row i of y belongs to row i of x, and the other rows of the batch are what it must be told from.</summary>
/// <remarks><para>Van den Oord, Li, Vinyals, arXiv:1807.03748, equation 4, on cosines as in SimCLR (Chen et al., arXiv:2002.05709). A
/// symmetric loss is the mean of this and of the same with x and y exchanged, as in CLIP (Radford et al., arXiv:2103.00020). A vector is
/// divided by its length, or by 1e-12 if it is shorter; it then has gradient 0.</para>
/// <para>With P the softmax of the rows of s and G = (P - 1) / temperature: dx and dy are G y and G^T x of vectors of length 1, taken back
/// through their division. The similarities of 64 rows are held at a time, never all: memory grows with the rows of the batch, not
/// with their square.</para>
/// <para>A row of weight 0 takes no part: it is no negative of other rows either. A row with another weight is a negative in full. The mean
/// divides by the rows, or by the sum of their weights. Rows mix, as in batch normalization: batches that are added up
/// (<see cref="Networks.GradientAccumulator{T}"/>) each have their own negatives.</para></remarks>
public sealed class InfoNce : ReducedLoss
{
    private const double Shortest = 1e-12;

    /// <summary>Makes the loss.</summary>
    /// <param name="temperature">What cosines are divided by, 1e-30 to 1e30.</param>
    /// <param name="symmetric">True to tell rows of x from each other by y as well.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public InfoNce(double temperature = 0.07, bool symmetric = false, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(temperature);
        SpanGuard.InFloatRange(temperature);
        (Temperature, IsSymmetric) = (temperature, symmetric);
    }

    /// <summary>What cosines are divided by.</summary>
    public double Temperature { get; }

    /// <summary>Whether rows of x are told from each other by y as well.</summary>
    public bool IsSymmetric { get; }

    /// <inheritdoc/>
    public override string Kind => "infonce";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        long size = declaration.Require(0, EdgeKind.Values, 1).Size;
        declaration.RequireSame(0, 1);
        declaration.UseCache(perRow: HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0, CachePerBatch);

        // Sums as doubles or scales; vectors of length 1 and their gradients, squares of lengths or products as doubles; similarities with
        // their maxima and sums.
        declaration.UseScratch(perRow: DoublesPerRow + 4 * size + 4 + InfoNceParts<double>.Block + 2);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var rows = context.Rows;
        ReadOnlySpan<T> x = context.Input(0), y = context.Input(1), weights = HasWeights(context.InputCount) ? context.Input(WeightInput) : [];
        var doubles = Doubles(context.Scratch, 2 * rows);
        Span<double> losses = doubles[..rows], denominators = doubles[rows..];
        var parts = new InfoNceParts<T>(context.Scratch[(DoublesPerRow * rows)..], rows, x.Length / rows, Temperature, context.Compute);
        var kept = parts.Normalize(x, y, weights, Shortest);
        losses.Clear();
        parts.AddLosses(kept, isReversed: false, IsSymmetric ? 0.5 : 1, losses);
        if (IsSymmetric)
            parts.AddLosses(kept, isReversed: true, 0.5, losses);

        // Back to the rows that they belong to, from the last one on.
        for (var row = rows - 1; kept < rows && row >= 0; row--)
            losses[row] = T.IsZero(weights[row]) ? 0 : losses[--kept];
        denominators.Fill(1);
        Reduce(in context, losses, denominators);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        var rows = context.Rows;
        ReadOnlySpan<T> x = context.Input(0), y = context.Input(1), weights = HasWeights(context.InputCount) ? context.Input(WeightInput) : [];
        var size = x.Length / rows;
        var scales = context.Scratch[..rows];
        Scales(in context, scales);
        var parts = new InfoNceParts<T>(context.Scratch[(DoublesPerRow * rows)..], rows, size, Temperature, context.Compute);
        var kept = parts.Normalize(x, y, weights, Shortest);
        for (int row = 0, k = 0; kept < rows && row < rows; row++)
        {
            if (!T.IsZero(weights[row]))
                scales[k++] = scales[row];
        }

        parts.ClearGradients(kept);
        parts.AddGradients(kept, isReversed: false, IsSymmetric ? 0.5 : 1, scales);
        if (IsSymmetric)
            parts.AddGradients(kept, isReversed: true, 0.5, scales);
        parts.Denormalize(x, isSecond: false, weights, Shortest, context.InputGradient(0));
        parts.Denormalize(y, isSecond: true, weights, Shortest, context.InputGradient(1));
    }
}
