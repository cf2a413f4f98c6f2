using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>
/// One position of causal self-attention, <see cref="MultiHeadAttention"/>: its query attends to the keys and values of the positions before it,
/// which the caller keeps, and to its own.
/// </summary>
/// <remarks>
/// <para>Inputs: the position's element [1, D]; the keys and the values of earlier positions, [M, d] each, of which the first n count; n for
/// each row, indices [] from 0 to M. Outputs: y [1, D], and the key and the value of this position, [1, d] each, to be kept at place n.</para>
/// <para>Parameters are those of <see cref="MultiHeadAttention"/>, with the same names and shapes. Keys are kept as they are after the turn by
/// rotary positions; this position is number n.</para>
/// </remarks>
public sealed class AttentionStep : Layer
{
    private const int Query = 0, Key = 2, Value = 4, Out = 6;

    /// <summary>Makes the layer.</summary>
    /// <param name="heads">The number of heads, 1 or more; it divides D.</param>
    /// <param name="initializer">How the four weights start; Xavier uniform if null.</param>
    /// <param name="keyValueHeads">The number of heads of keys and values; it divides the heads. As many as heads if null.</param>
    /// <param name="rotary">Turns the query and the key of each head by their position; null for no turn.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="heads"/> or <paramref name="keyValueHeads"/> is below 1.</exception>
    /// <exception cref="ArgumentException"><paramref name="keyValueHeads"/> does not divide the heads.</exception>
    public AttentionStep(int heads, Initializer? initializer = null, int? keyValueHeads = null, RotaryPositions? rotary = null)
    {
        var whole = new MultiHeadAttention(heads, true, initializer, keyValueHeads);
        (Heads, Initializer, KeyValueHeads, Rotary) = (heads, initializer, whole.KeyValueHeads, rotary);
    }

    /// <summary>The number of heads.</summary>
    public int Heads { get; }

    /// <summary>How the four weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <summary>The number of heads of keys and values.</summary>
    public int KeyValueHeads { get; }

    /// <summary>What turns queries and keys by their positions; null for nothing.</summary>
    public RotaryPositions? Rotary { get; }

    /// <inheritdoc/>
    public override string Kind => "attentionstep";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(4);
        Shape x = declaration.RequireSequence(0), keys = declaration.RequireSequence(1);
        declaration.RequireSame(1, 2);
        declaration.Require(3, EdgeKind.Indices, 0);
        var size = x[1];
        if (x[0] != 1 || size % Heads != 0 || Rotary is not null && size / Heads % 2 != 0)
        {
            throw new ArgumentException(
                $"{Kind} takes one position whose columns its {Heads} heads divide (into even parts with rotary positions); it got {x}.", "inputs");
        }

        var columns = size / Heads * KeyValueHeads;
        if (keys[1] != columns)
            throw new ArgumentException($"Keys and values of {Kind} must have {columns} columns; they are {keys}.", "inputs");
        foreach (var (name, outputs) in (ReadOnlySpan<(string, int)>)[("query", size), ("key", columns), ("value", columns), ("output", size)])
        {
            declaration.AddParameter(name + "Weight", new Shape(size, outputs), size, outputs, Initializer ?? Initialize.Xavier);
            declaration.AddParameter(name + "Bias", new Shape(outputs), size, outputs, Initialize.Zeros);
        }

        declaration.AddOutput(x);
        declaration.AddOutput(new Shape(1, columns));
        declaration.AddOutput(new Shape(1, columns));
        declaration.UseOperations(4.0 * size * ((double)size + columns + keys[0]));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
        var sizes = Sizes(1, x, keys);
        declaration.UseCache(sizes.Projected + sizes.Kept);
        declaration.UseScratch(sizes.Projected + sizes.Kept + (long)keys.Size + 2L * columns + sizes.Width);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var sizes = Sizes(context.Rows, context.InputType(0).Shape, context.InputType(1).Shape);
        var (rows, compute, before) = (context.Rows, context.Compute, sizes.Length - 1);
        var counts = context.Indices(3);
        SequenceInputs.CheckLengths(Kind, counts, 0, before);
        var parts = new AttentionParts<T>(context.Training ? context.Cache : context.Scratch, sizes);
        Matrix<T> key = new(context.Output(1), rows, parts.Keys.Columns), value = new(context.Output(2), rows, parts.Keys.Columns);
        var x = new ReadOnlyMatrix<T>(context.Input(0), rows, parts.Queries.Columns);
        Gemm.MultiplyAddRow(x, context.ParameterMatrix(Query), context.Parameter(Query + 1), parts.Queries, compute);
        Gemm.MultiplyAddRow(x, context.ParameterMatrix(Key), context.Parameter(Key + 1), key, compute);
        Gemm.MultiplyAddRow(x, context.ParameterMatrix(Value), context.Parameter(Value + 1), value, compute);
        if (Rotary is not null)
            Turn(parts.Queries, key, context.Scratch[^(rows * sizes.Width)..], sizes, counts, true, compute);
        for (var row = 0; row < rows; row++)
        {
            Remember(context.Input(1), key, parts.Keys, row, counts[row], before);
            Remember(context.Input(2), value, parts.Values, row, counts[row], before);
        }

        new AttentionForward<T>(parts, default, new AttentionRules<T> { Sizes = sizes, Lengths = counts, More = 1 }, default).Run(compute);
        Gemm.MultiplyAddRow(parts.Context, context.ParameterMatrix(Out), context.Parameter(Out + 1), new Matrix<T>(context.Output(), rows, x.Columns), compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var sizes = Sizes(context.Rows, context.InputType(0).Shape, context.InputType(1).Shape);
        var (rows, compute, before) = (context.Rows, context.Compute, sizes.Length - 1);
        var counts = context.Indices(3);
        AttentionParts<T> parts = new(context.Cache, sizes), gradients = new(context.Scratch, sizes);
        var columns = parts.Keys.Columns;
        var space = AttentionShapes.Behind(context.Scratch, sizes);
        var x = new ReadOnlyMatrix<T>(context.Input(0), rows, parts.Queries.Columns);
        var dy = new ReadOnlyMatrix<T>(context.OutputGradient(), rows, x.Columns);
        Gemm.Multiply(dy, context.ParameterMatrix(Out).Transposed, gradients.Context, compute);
        new AttentionBackward<T>(parts, gradients, new AttentionRules<T> { Sizes = sizes, Lengths = counts, More = 1 }, default, false).Run(compute);

        Matrix<T> dKey = new(space, rows, columns), dValue = new(space[(rows * columns)..], rows, columns);
        var earlier = space.Slice(2 * rows * columns, rows * before * columns);
        Split(gradients.Keys, context.OutputGradient(1), dKey, earlier, counts);
        context.InputGradient(1).Copy(earlier);
        Split(gradients.Values, context.OutputGradient(2), dValue, earlier, counts);
        context.InputGradient(2).Copy(earlier);
        if (Rotary is not null)
            Turn(gradients.Queries, dKey, context.Scratch[^(rows * sizes.Width)..], sizes, counts, false, compute);

        Parameters(in context, parts.Context, Out, dy);
        Parameters(in context, x, Query, gradients.Queries);
        Parameters(in context, x, Key, dKey);
        Parameters(in context, x, Value, dValue);
        var dx = context.InputGradient(0).Reshape(rows, x.Columns);
        dx.Product(gradients.Queries, context.ParameterMatrix(Query).Transposed);
        dx.Adding.Product(dKey, context.ParameterMatrix(Key).Transposed);
        dx.Adding.Product(dValue, context.ParameterMatrix(Value).Transposed);
    }

    private AttentionSizes Sizes(int rows, Shape x, Shape keys) => new(rows, 1, keys[0] + 1, x[1] / Heads, Heads, KeyValueHeads, true);

    /// <summary>Earlier positions of a row, and this one behind them.</summary>
    private static void Remember<T>(ReadOnlySpan<T> earlier, Matrix<T> own, Matrix<T> all, int row, int count, int before)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var to = all.Span.Slice(row * (before + 1) * all.Columns, (count + 1) * all.Columns);
        earlier.Slice(row * before * all.Columns, count * all.Columns).CopyTo(to);
        own.Span.Slice(row * all.Columns, all.Columns).CopyTo(to[(count * all.Columns)..]);
    }

    /// <summary>Gradients of all positions become those of the earlier ones, and that of this one with what its output adds.</summary>
    private static void Split<T>(Matrix<T> all, ReadOnlySpan<T> output, Matrix<T> own, Span<T> earlier, ReadOnlySpan<int> counts)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (columns, before) = (all.Columns, all.Rows / counts.Length - 1);
        for (var row = 0; row < counts.Length; row++)
        {
            var from = all.Span.Slice(row * (before + 1) * columns, (before + 1) * columns);
            var to = earlier.Slice(row * before * columns, before * columns);
            var split = counts[row] * columns;
            from[..split].CopyTo(to);
            to[split..].Clear();
            Elementwise.Add(from.Slice(split, columns), output.Slice(row * columns, columns), own.Span.Slice(row * columns, columns));
        }
    }

    private void Turn<T>(
        Matrix<T> queries, Matrix<T> keys, Span<T> table, AttentionSizes sizes, ReadOnlySpan<int> first, bool forward, Threading.ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        PositionKernels.Angles(table, 1, first, sizes.Width / 2, sizes.Width, Rotary!.Root);
        PositionKernels.Turn(queries, table, sizes.Heads, Rotary.IsInterleaved, forward, compute);
        PositionKernels.Turn(keys, table, sizes.KeyHeads, Rotary.IsInterleaved, forward, compute);
    }

    private static void Parameters<T>(in BackwardContext<T> context, ReadOnlyMatrix<T> x, int parameter, ReadOnlyMatrix<T> d)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        context.ParameterGradient(parameter).Product(x.Transposed, d);
        context.ParameterGradient(parameter + 1).ColumnSums(d);
    }
}
