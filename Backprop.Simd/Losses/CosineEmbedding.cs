using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>L = mean over rows of 1 - cos(x, y) for pairs that are alike (t above 0), and of max(0, cos(x, y) - m) for pairs that are not
/// (t below 0), for vectors x [D] and y [D], a target t [] and a margin m.</summary>
/// <remarks><para>The same as PyTorch's CosineEmbeddingLoss for targets 1 and -1. cos(x, y) = x y / sqrt((x x + e) (y y + e)) with
/// e = 1e-12. A target of 0 adds nothing; it has gradient 0.</para>
/// <para>dx = s (y / n - cos x / (x x + e)) with n the root, and s = -1 for pairs that are alike, 1 for others whose cosine is not below
/// m; dy likewise. The mean divides by the rows, or by the sum of their weights.</para></remarks>
public sealed class CosineEmbedding : ReducedLoss
{
    private const double Epsilon = 1e-12;

    /// <summary>Makes the loss.</summary>
    /// <param name="margin">m, -1 to 1.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public CosineEmbedding(double margin = 0, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        if (!(margin is >= -1 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(margin), margin, "The margin must be -1 to 1, as a cosine is.");
        Margin = margin;
    }

    /// <summary>The cosine down to which a pair that is not alike costs something.</summary>
    public double Margin { get; }

    /// <inheritdoc/>
    public override string Kind => "cosineembedding";

    private protected override int WeightInput => 3;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        DeclareReduction(declaration);
        declaration.Require(0, EdgeKind.Values, 1);
        declaration.RequireSame(0, 1);
        declaration.Require(2, EdgeKind.Values, 0);
        declaration.UseCache(perRow: HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0, CachePerBatch);

        // Three products of each row as doubles, and the sums or scales.
        declaration.UseScratch(perRow: 6 + DoublesPerRow);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var rows = context.Rows;
        var targets = context.Input(2);
        var doubles = Doubles(context.Scratch, 5 * rows);
        Span<double> losses = doubles[..rows], denominators = doubles.Slice(rows, rows), products = doubles[(2 * rows)..];
        Products(context.Input(0), context.Input(1), rows, products, context.Compute);
        for (var row = 0; row < rows; row++)
        {
            var (_, cosine) = Cosine(products, row);
            var t = double.CreateTruncating(targets[row]);
            losses[row] = t > 0 ? 1 - cosine : t < 0 ? Math.Max(0, cosine - Margin) : 0 * t;
        }

        denominators.Fill(1);
        Reduce(in context, losses, denominators);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        context.InputGradient(2).Zero();
        var rows = context.Rows;
        var targets = context.Input(2);
        ReadOnlySpan<T> x = context.Input(0), y = context.Input(1);
        var size = x.Length / rows;
        var scales = context.Scratch[..rows];
        Scales(in context, scales);
        var products = Doubles(context.Scratch, 5 * rows)[(2 * rows)..];
        Products(x, y, rows, products, context.Compute);
        GradientTarget<T> dx = context.InputGradient(0), dy = context.InputGradient(1);
        for (var row = 0; row < rows; row++)
        {
            var (norm, cosine) = Cosine(products, row);
            var (scale, t) = (double.CreateTruncating(scales[row]), double.CreateTruncating(targets[row]));
            var slope = scale == 0 ? 0 : t > 0 ? -scale : t < 0 && !(cosine < Margin) ? scale : 0 * t;
            GradientTarget<T> ofX = dx.Slice(row * size, size), ofY = dy.Slice(row * size, size);
            if (slope == 0)
            {
                ofX.Zero();
                ofY.Zero();
                continue;
            }

            ReadOnlySpan<T> a = x.Slice(row * size, size), b = y.Slice(row * size, size);
            var (along, u, v) = (slope / norm, -slope * cosine / (products[row] + Epsilon), -slope * cosine / (products[rows + row] + Epsilon));
            ElementLossKernels.Gradient(new CombinationTerm(u, along), T.One, a, b, ofX, context.Compute);
            ElementLossKernels.Gradient(new CombinationTerm(v, along), T.One, b, a, ofY, context.Compute);
        }
    }

    /// <summary>The root n and the cosine of a row.</summary>
    private static (double Norm, double Cosine) Cosine(ReadOnlySpan<double> products, int row)
    {
        var rows = products.Length / 3;
        var norm = Math.Sqrt((products[row] + Epsilon) * (products[rows + row] + Epsilon));
        return (norm, products[2 * rows + row] / norm);
    }

    /// <summary>x x of all rows, then y y, then x y.</summary>
    private static void Products<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, int rows, Span<double> products, Threading.ComputeContext compute)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var size = x.Length / rows;
        ElementLossKernels.Sums(default(ProductTerm), x, x, size, products[..rows], compute);
        ElementLossKernels.Sums(default(ProductTerm), y, y, size, products.Slice(rows, rows), compute);
        ElementLossKernels.Sums(default(ProductTerm), x, y, size, products[(2 * rows)..], compute);
    }
}
