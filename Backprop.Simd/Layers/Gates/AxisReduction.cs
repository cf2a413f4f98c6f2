using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>A layer that makes one number of the numbers along some dimensions of each row.</summary>
/// <remarks>The batch is never reduced: a loss does that. Of a shared input, its dimensions are reduced.</remarks>
public abstract class AxisReduction : Layer
{
    private readonly int[] _axes;

    /// <summary>Makes the layer.</summary>
    /// <param name="keepDimensions">True to keep reduced dimensions with size 1, as broadcasting wants them.</param>
    /// <param name="axes">The dimensions of a row to reduce; negative numbers count from the end. None for all.</param>
    /// <exception cref="ArgumentException">A dimension is named twice.</exception>
    private protected AxisReduction(bool keepDimensions, ReadOnlySpan<int> axes)
    {
        KeepDimensions = keepDimensions;
        _axes = axes.ToArray();
        if (_axes.Distinct().Count() != _axes.Length)
            throw new ArgumentException($"Each dimension is named once; got {string.Join(", ", _axes)}.", nameof(axes));
    }

    /// <summary>The dimensions to reduce; negative numbers count from the end. None for all.</summary>
    public IReadOnlyList<int> Axes => _axes;

    /// <summary>Whether reduced dimensions stay, with size 1.</summary>
    public bool KeepDimensions { get; }

    /// <summary>What backward reads.</summary>
    protected virtual LayerTraits Traits => LayerTraits.ReadsInput | LayerTraits.ReadsOutput;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        Span<int> kept = stackalloc int[Shape.MaxRank];
        kept = Reduced(type.Shape, kept);
        var count = 0;
        for (var d = 0; d < kept.Length; d++)
        {
            if (KeepDimensions || !IsReduced(type.Shape, d))
                kept[count++] = kept[d];
        }

        declaration.AddOutput(new EdgeType(type.Kind, new Shape(kept[..count])));
        declaration.Traits = Traits;
        declaration.UseOperations(type.Shape.Size);
        var scratch = AxisReductions.Scratch(type.Shape.Size);
        if (type.Kind == EdgeKind.Shared)
            declaration.UseScratch(0, scratch);
        else
            declaration.UseScratch(scratch);
    }

    /// <summary>The numbers that meet in one.</summary>
    /// <param name="input">The shape of the input.</param>
    /// <returns>How many.</returns>
    protected int Terms(Shape input)
    {
        var terms = 1;
        for (var d = 0; d < input.Rank; d++)
            terms *= IsReduced(input, d) ? input[d] : 1;
        return terms;
    }

    /// <summary>The shape of the input as <see cref="ForwardContext{T}.InputArray"/> has it.</summary>
    private protected static ReadOnlySpan<int> Whole(EdgeType input, int rows, Span<int> sizes)
    {
        sizes.Fill(1);
        sizes[0] = input.Kind == EdgeKind.Values ? rows : 1;
        input.Shape.CopyTo(sizes[^input.Shape.Rank..]);
        return sizes;
    }

    /// <summary>The same with 1 for dimensions that are reduced: the shape of the output.</summary>
    private protected ReadOnlySpan<int> Reduced(EdgeType input, int rows, Span<int> sizes)
    {
        Whole(input, rows, sizes);
        Reduced(input.Shape, sizes[^input.Shape.Rank..]);
        return sizes;
    }

    private Span<int> Reduced(Shape input, Span<int> sizes)
    {
        foreach (var axis in _axes)
        {
            if (axis >= input.Rank || axis < -input.Rank)
                throw new ArgumentException($"{Kind} along dimension {axis} needs an input with this dimension; it is {input}.", "inputs");
        }

        sizes = input.CopyTo(sizes);
        for (var d = 0; d < sizes.Length; d++)
            sizes[d] = IsReduced(input, d) ? 1 : sizes[d];
        return sizes;
    }

    private bool IsReduced(Shape input, int dimension) =>
        _axes.Length == 0 || Array.IndexOf(_axes, dimension) >= 0 || Array.IndexOf(_axes, dimension - input.Rank) >= 0;

    /// <summary>Scratch of a pass over values or over a shared input.</summary>
    private protected static Span<T> Scratch<T>(in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T> =>
        context.Scratch.IsEmpty ? context.BatchScratch : context.Scratch;

    /// <inheritdoc cref="Scratch{T}(in ForwardContext{T})"/>
    private protected static Span<T> Scratch<T>(in BackwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T> =>
        context.Scratch.IsEmpty ? context.BatchScratch : context.Scratch;
}
