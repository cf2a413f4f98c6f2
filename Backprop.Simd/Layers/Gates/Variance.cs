using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// y = the variance of x along some dimensions of each row: the sum of (x - mean)^2, divided by n - correction.
/// dx = dy 2 (x - mean) / (n - correction).
/// </summary>
/// <remarks>With nothing left to divide by, n = correction, the variance is NaN or infinite, as in PyTorch.</remarks>
public sealed class Variance : AxisReduction
{
    /// <summary>Makes the layer.</summary>
    /// <param name="correction">1 for the unbiased estimate, 0 for the mean square.</param>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1.</param>
    /// <param name="axes">The dimensions of a row to reduce; negative numbers count from the end. None for all.</param>
    /// <exception cref="ArgumentOutOfRangeException">The correction is negative or not finite.</exception>
    public Variance(double correction = 1, bool keepDimensions = false, params ReadOnlySpan<int> axes)
        : base(keepDimensions, axes)
    {
        if (!(correction is >= 0 and <= int.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(correction), correction, "The correction must be 0 or more: 1 for the unbiased estimate.");
        Correction = correction;
    }

    /// <summary>What is subtracted from the number of terms.</summary>
    public double Correction { get; }

    /// <inheritdoc/>
    public override string Kind => "variance";

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.ReadsInput;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        base.Declare(declaration);
        var type = declaration.Inputs[0];
        var means = type.Shape.Size / Terms(type.Shape);
        if (type.Kind == EdgeKind.Shared)
        {
            declaration.UseCache(0, means);
            declaration.UseScratch(0, AxisReductions.Scratch(type.Shape.Size) + means);
        }
        else
        {
            declaration.UseCache(means);
            declaration.UseScratch(AxisReductions.Scratch(type.Shape.Size) + means);
        }
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        Span<T> y = context.Output(), scratch = Scratch(in context);
        var cache = context.Cache.IsEmpty ? context.BatchCache : context.Cache;
        var means = context.Training ? cache : scratch[^y.Length..];
        AxisReductions.Variance(context.InputArray(0), shape, Correction, means, y, scratch[..^y.Length], context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var shape = Reduced(context.InputType(0), context.Rows, stackalloc int[1 + Shape.MaxRank]);
        var means = context.Cache.IsEmpty ? context.BatchCache : context.Cache;
        AxisReductions.VarianceGradient(
            context.OutputGradient(), context.InputArray(0), means, shape, Correction, context.InputGradient(0), context.Compute);
    }
}
