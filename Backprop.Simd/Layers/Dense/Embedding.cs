using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>y = W[i]: indices [] or [L] to rows of W, [D] or [L, D]; W is [V, D].</summary>
/// <remarks>
/// <para>Backward: dW[i] = the sum of dy over the occurrences of i. The sum is made in the order of the batch, in blocks of 128 that are
/// added pairwise. Other rows have gradient 0, and so has the row of the padding index. The same as PyTorch's <c>Embedding</c>.</para>
/// <para>Some optimizers do not change a parameter whose gradient is 0 (<c>Sgd</c> without momentum and weight decay). With these, a
/// training step reads and writes only the rows that occur, and gives the same bits as a step over all rows.</para>
/// </remarks>
public sealed class Embedding : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="count">The number V of rows, 1 or more.</param>
    /// <param name="size">The length D of a row, 1 or more.</param>
    /// <param name="initializer">How the rows start; normal with a standard deviation of 1 if null.</param>
    /// <param name="paddingIndex">A row that starts at zero and has no gradient; null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or <paramref name="paddingIndex"/> is not a row.</exception>
    /// <exception cref="ArgumentException">The table would hold more than 2^31 - 1 elements.</exception>
    public Embedding(int count, int size, Initializer? initializer = null, int? paddingIndex = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        if ((long)count * size > int.MaxValue)
            throw new ArgumentException($"A table holds at most 2^31 - 1 elements; it would be [{count}, {size}].", nameof(size));
        if (paddingIndex is { } index && (uint)index >= (uint)count)
            throw new ArgumentOutOfRangeException(nameof(paddingIndex), index, $"'{nameof(paddingIndex)}' must be a row in [0, {count}).");
        (Count, Size, PaddingIndex) = (count, size, paddingIndex);
        Initializer = initializer;
    }

    /// <summary>The number of rows.</summary>
    public int Count { get; }

    /// <summary>The length of a row.</summary>
    public int Size { get; }

    /// <summary>The row that has no gradient.</summary>
    public int? PaddingIndex { get; }

    /// <summary>How the rows start; normal with a standard deviation of 1 if null.</summary>
    public Initializer? Initializer { get; }

    /// <inheritdoc/>
    public override string Kind => "embedding";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var indices = declaration.Require(0, EdgeKind.Indices);
        if (indices.Rank > 1)
            throw new ArgumentException($"{Kind} of [{Count}, {Size}] takes indices [] or [L]; it got {declaration.Inputs[0]}.", "inputs");
        DeclareTable(declaration);
        declaration.AddOutput(indices.Rank == 0 ? new Shape(Size) : new Shape(indices[0], Size));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.UsePositions();
        declaration.Traits = LayerTraits.None;
        declaration.UseScatter(indices.Size, Size);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An index is outside [0, <see cref="Count"/>); nothing was written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var indices = context.Indices(0);
        Embeddings.Check(indices, context.InputType(0).Shape.Size, Count);
        Embeddings.Gather(context.Parameter(0), indices, Size, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        context.ParameterGradient(0).ScatterRows(context.OutputGradient(), context.Indices(0), PaddingIndex ?? -1, context.IndexCache);

    /// <summary>Declares the table, the row of the padding index at zero.</summary>
    internal void DeclareTable(LayerDeclaration declaration)
    {
        var initializer = Initializer ?? Initialize.Normal(1);
        declaration.AddParameter(
            "weight", new Shape(Count, Size), Count, Size,
            PaddingIndex is { } padding ? new PaddedInitializer(initializer, padding * Size, Size) : initializer);
    }

    /// <summary>Starts one row at zero and the others by another initializer.</summary>
    private sealed class PaddedInitializer(Initializer initializer, int start, int length) : Initializer
    {
        public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
        {
            initializer.Fill(values, fanIn, fanOut, ref random);
            values.Slice(start, length).Clear();
        }

        public override void Fill<T>(Span<T> values, ReadOnlySpan<int> shape, int fanIn, int fanOut, ref Philox random)
        {
            initializer.Fill(values, shape, fanIn, fanOut, ref random);
            values.Slice(start, length).Clear();
        }
    }
}
