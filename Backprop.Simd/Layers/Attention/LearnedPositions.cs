using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>Learned positions: y = x + P, with a row of the table P for each position.</summary>
/// <remarks>Input: a sequence [T, D], and optionally the position of the first element of each row, indices [] from 0 to length - T.
/// Output: [T, D]. Parameter: positions [length, D]; it starts normal with a standard deviation of 0.02, as in GPT-2 and BERT.</remarks>
public sealed class LearnedPositions : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="length">The number of positions, T or more.</param>
    /// <param name="initializer">How the table starts; normal with a deviation of 0.02 if null.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is below 1.</exception>
    public LearnedPositions(int length, Initializer? initializer = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (Length, Initializer) = (length, initializer);
    }

    /// <summary>The number of positions.</summary>
    public int Length { get; }

    /// <summary>How the table starts; normal with a deviation of 0.02 if null.</summary>
    public Initializer? Initializer { get; }

    /// <inheritdoc/>
    public override string Kind => "learnedpositions";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var shape = PositionInputs.Check(declaration);
        if (shape[0] > Length)
            throw new ArgumentException($"The sequence of {Kind} must have at most {Length} positions; it is {shape}.", "inputs");
        declaration.AddParameter("positions", new Shape(Length, shape[1]), Length, shape[1], Initializer ?? Initialize.Normal(0.02));
        declaration.AddOutput(shape);
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.UsePositions(this);
        declaration.Traits = LayerTraits.None;
        if (declaration.Inputs.Count == 1)
            return;

        // Two integers for the order of each position, and its row of the table.
        declaration.UseScatter(shape[0], shape[1]);
        declaration.UseIndexCache(3L * shape[0]);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = context.InputType(0).Shape;
        var first = context.InputCount == 2 ? context.Indices(1) : [];
        PositionInputs.CheckFirst(Kind, first, Length - shape[0]);
        ReadOnlySpan<T> x = context.Input(0), table = context.Parameter(0);
        for (var row = 0; row < context.Rows; row++)
        {
            var start = first.IsEmpty ? 0 : first[row] * shape[1];
            Elementwise.Add(x.Slice(row * shape.Size, shape.Size), table.Slice(start, shape.Size), context.Output().Slice(row * shape.Size, shape.Size));
        }
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var shape = context.InputType(0).Shape;
        var dy = context.OutputGradient();
        var table = context.ParameterGradient(0);
        if (context.InputCount == 1)
        {
            table.Slice(0, shape.Size).ColumnSums(new ReadOnlyMatrix<T>(dy, context.Rows, shape.Size));
            table.Slice(shape.Size, (Length - shape[0]) * shape[1]).Zero();
        }
        else
        {
            var first = context.Indices(1);
            var count = context.Rows * shape[0];
            var indices = context.IndexCache.Slice(2 * count, count);
            for (var i = 0; i < count; i++)
                indices[i] = first[i / shape[0]] + i % shape[0];
            table.ScatterRows(dy, indices, -1, context.IndexCache[..(2 * count)]);
        }

        context.InputGradient(0).Copy(dy);
    }
}
