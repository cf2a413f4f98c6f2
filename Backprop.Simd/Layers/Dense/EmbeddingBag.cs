using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>y = the sum, mean or maximum of the rows W[i] of a bag of indices: [L] to [D]; W is [V, D].</summary>
/// <remarks>
/// <para>Inputs: the bag, indices [L]; optionally lengths, indices [] from 0 to L, with the number of indices that count; optionally weights,
/// values [L], with sums only. The rows are not written anywhere in forward. An empty bag gives 0. Indices behind the length need not be
/// rows. The same as PyTorch's <c>EmbeddingBag</c>.</para>
/// <para>Backward: the gradient of a row is the sum over its occurrences, made like that of <see cref="Embedding"/>. The gradient of a maximum goes
/// to the first of equal rows; NaN wins. The padding index does not count, neither in a mean; its row has gradient 0.</para>
/// </remarks>
public sealed class EmbeddingBag : Layer
{
    private readonly Embedding _table;

    /// <summary>Makes the layer.</summary>
    /// <param name="count">The number V of rows, 1 or more.</param>
    /// <param name="size">The length D of a row, 1 or more.</param>
    /// <param name="mode">What is made of a bag.</param>
    /// <param name="initializer">How the rows start; normal with a standard deviation of 1 if null.</param>
    /// <param name="paddingIndex">A row that starts at zero, has no gradient and does not count in a bag; null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, the mode is none, or <paramref name="paddingIndex"/> is not a row.</exception>
    /// <exception cref="ArgumentException">The table would hold more than 2^31 - 1 elements.</exception>
    public EmbeddingBag(int count, int size, BagMode mode = BagMode.Mean, Initializer? initializer = null, int? paddingIndex = null)
    {
        _table = new(count, size, initializer, paddingIndex);
        if (mode is < BagMode.Sum or > BagMode.Max)
            throw new ArgumentOutOfRangeException(nameof(mode), mode, $"'{nameof(mode)}' must be one of {nameof(BagMode)}.");
        Mode = mode;
    }

    /// <summary>The number of rows.</summary>
    public int Count => _table.Count;

    /// <summary>The length of a row.</summary>
    public int Size => _table.Size;

    /// <summary>What is made of a bag.</summary>
    public BagMode Mode { get; }

    /// <summary>How the rows start; normal with a standard deviation of 1 if null.</summary>
    public Initializer? Initializer => _table.Initializer;

    /// <summary>The row that does not count.</summary>
    public int? PaddingIndex => _table.PaddingIndex;

    /// <inheritdoc/>
    public override string Kind => "embeddingbag";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        var inputs = declaration.Inputs;
        var lengths = inputs.Count > 1 && inputs[1].Kind == EdgeKind.Indices ? 1 : 0;
        var isWeighted = inputs.Count == 2 + lengths;
        if (inputs.Count == 0 || inputs.Count > 2 + lengths || isWeighted && Mode != BagMode.Sum)
        {
            throw new ArgumentException(
                $"{Kind} takes indices [L], optionally lengths (indices []), and with sums optionally weights (values [L]); "
                + $"its mode is {Mode}, and it got {inputs.Count} input(s): {string.Join(", ", inputs)}.", "inputs");
        }

        var indices = declaration.Require(0, EdgeKind.Indices, 1)[0];
        if (lengths > 0)
            declaration.Require(1, EdgeKind.Indices, 0);
        if (isWeighted && declaration.Require(1 + lengths, EdgeKind.Values, 1)[0] != indices)
            throw new ArgumentException($"The weights of {Kind} must be values [{indices}], like its indices; they are {inputs[1 + lengths]}.", "inputs");
        _table.DeclareTable(declaration);
        declaration.AddOutput(new Shape(Size));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = isWeighted ? LayerTraits.ReadsInput : LayerTraits.None;
        declaration.UseOperations((double)indices * Size);

        // The order of the scattered rows, a copy of the indices, and the winners of maxima.
        declaration.UseScatter(indices, Size);
        declaration.UseThreadScratch(Math.Max(EmbeddingBags.ThreadBytes(indices, Size), EmbeddingBags.ScatterBytes(Size)));
        declaration.UseIndexCache(3L * indices + (Mode == BagMode.Max ? Size : 0));
        declaration.UseScratch(perRow: (long)indices * Size);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A length is not 0 to L, or an index that counts is outside [0, <see cref="Count"/>); nothing was
    /// written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var lengths = context.InputCount > 1 && context.InputType(1).Kind == EdgeKind.Indices ? context.Indices(1) : [];
        var weights = context.InputCount > 1 + (lengths.IsEmpty ? 0 : 1) && context.InputType(context.InputCount - 1).Kind == EdgeKind.Values
            ? context.Input(context.InputCount - 1) : [];
        var bags = new Bags(context.InputType(0).Shape[0], Count, Size, Mode, PaddingIndex ?? -1);
        bags.Check(context.Indices(0), lengths);
        var winners = context.Training && Mode == BagMode.Max ? context.IndexCache[(3 * bags.Length * context.Rows)..] : [];
        EmbeddingBags.Forward(bags, context.Parameter(0), new(context.Indices(0), lengths, weights), context.Output(), winners, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var lengths = context.InputCount > 1 && context.InputType(1).Kind == EdgeKind.Indices ? context.Indices(1) : [];
        var last = context.InputCount - 1;
        var isWeighted = context.InputType(last).Kind == EdgeKind.Values;
        var bags = new Bags(context.InputType(0).Shape[0], Count, Size, Mode, PaddingIndex ?? -1);
        var rows = bags.Length * context.Rows;
        var inputs = new BagInputs<T>(context.Indices(0), lengths, isWeighted ? context.Input(last) : []);
        if (isWeighted)
            EmbeddingBags.WeightGradient(bags, context.Parameter(0), inputs, context.OutputGradient(), context.InputGradient(last), context.Compute);
        var table = context.ParameterGradient(0);
        if (table.IsEmpty)
            return;
        var indices = context.IndexCache.Slice(2 * rows, rows);
        EmbeddingBags.Spread(bags, inputs, context.OutputGradient(), context.IndexCache[(3 * rows)..], context.Scratch, indices, context.Compute);
        table.ScatterRows(context.Scratch, indices, PaddingIndex ?? -1, context.IndexCache[..(2 * rows)]);
    }
}
