using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Each row repeated along its dimensions: [a, b] to [m a, n b], as NumPy's <c>tile</c>. dx is the sum of dy over the repetitions.</summary>
/// <remarks>Where a dimension of size 1 meets a larger one, operators broadcast and need no copy.</remarks>
public sealed class Tile : Layer
{
    private readonly int[] _repeats;

    /// <summary>Makes the layer.</summary>
    /// <param name="repeats">For each dimension of a row how often it is repeated, 1 or more.</param>
    /// <exception cref="ArgumentException">A number is below 1.</exception>
    public Tile(params ReadOnlySpan<int> repeats)
    {
        _repeats = repeats.ToArray();
        if (Array.Exists(_repeats, r => r < 1))
            throw new ArgumentException($"Each dimension is repeated once or more; got [{string.Join(", ", _repeats)}].", nameof(repeats));
    }

    /// <summary>How often each dimension is repeated.</summary>
    public IReadOnlyList<int> Repeats => _repeats;

    /// <inheritdoc/>
    public override string Kind => "tile";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        if (type.Shape.Rank != _repeats.Length)
            throw new ArgumentException($"{Kind} of {_repeats.Length} dimensions needs an input with as many; it is {type}.", "inputs");
        Span<int> shape = stackalloc int[Shape.MaxRank], sizes = stackalloc int[Shape.MaxRank];
        shape = type.Shape.CopyTo(shape);
        for (var d = 0; d < shape.Length; d++)
            sizes[d] = (int)Math.Min(int.MaxValue, (long)shape[d] * _repeats[d]);
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(sizes[..shape.Length])));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.UseThreadScratch(Arrays.Tiling(shape, _repeats).Scratch * sizeof(double));
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        Span<int> repeats = stackalloc int[1 + Shape.MaxRank];
        Arrays.Tile(context.InputArray(0), Whole(repeats), context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        Span<int> shape = stackalloc int[1 + Shape.MaxRank], repeats = stackalloc int[1 + Shape.MaxRank];
        Arrays.TileGradient(context.OutputGradient(), context.InputArray(0).CopyShapeTo(shape), Whole(repeats), context.InputGradient(0), context.Compute);
    }

    private Span<int> Whole(Span<int> all)
    {
        all.Fill(1);
        _repeats.CopyTo(all[^_repeats.Length..]);
        return all;
    }
}
