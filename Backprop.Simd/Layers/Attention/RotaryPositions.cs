using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>
/// Rotary positions: at position t the pair i of columns of each head, (a, b), becomes (a cos w - b sin w, a sin w + b cos w) with
/// w = t base^(-2 i / d) and d the columns of a head.
/// </summary>
/// <remarks>
/// <para>Input: a sequence [T, D], and optionally the position of the first element of each row, indices [], 0 or more. Output: [T, D].
/// The product of a turned query and a turned key depends on the distance of their positions alone: put it on the queries and keys of
/// attention, <c>new MultiHeadAttention(8, rotary: new RotaryPositions())</c>.</para>
/// <para>A pair is columns i and i + d / 2 of a head, as in GPT-NeoX, LLaMA and ONNX; interleaved, columns 2 i and 2 i + 1, as in the
/// paper. Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021, section 3.2.</para>
/// </remarks>
public sealed class RotaryPositions : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="heads">The number of heads, 1 or more: D is a multiple of twice as many. Inside attention, its heads count.</param>
    /// <param name="root">The base of the angles, above 0.</param>
    /// <param name="interleaved">True if the columns of a pair are neighbours.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="heads"/> is below 1, or <paramref name="root"/> is not a number above 0.</exception>
    public RotaryPositions(int heads = 1, double root = 10000, bool interleaved = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        if (!(root > 0 && double.IsFinite(root)))
            throw new ArgumentOutOfRangeException(nameof(root), root, $"'{nameof(root)}' must be above 0 and finite.");
        (Heads, Root, IsInterleaved) = (heads, root, interleaved);
    }

    /// <summary>The number of heads.</summary>
    public int Heads { get; }

    /// <summary>The base of the angles.</summary>
    public double Root { get; }

    /// <summary>Whether the columns of a pair are neighbours.</summary>
    public bool IsInterleaved { get; }

    /// <inheritdoc/>
    public override string Kind => "rotarypositions";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var shape = PositionInputs.Check(declaration);
        if (shape[1] % (2L * Heads) != 0)
        {
            throw new ArgumentException(
                $"Each head of {Kind} needs an even number of columns; there are {Heads} heads and {shape[1]} columns.", "inputs");
        }

        declaration.AddOutput(shape);
        declaration.UseOperations(3.0 * shape.Size);
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.UsePositions(this);
        declaration.Traits = LayerTraits.None;
        var table = (long)shape[0] * shape[1] / Heads;
        declaration.UseScratch(shape.Size + (declaration.Inputs.Count == 2 ? table : 0), table);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = context.InputType(0).Shape;
        var first = context.InputCount == 2 ? context.Indices(1) : [];
        PositionInputs.CheckFirst(Kind, first, int.MaxValue - shape[0]);
        var table = Table(first.IsEmpty ? context.BatchScratch : context.Scratch[(context.Rows * shape.Size)..], context.Rows, shape, first);
        context.Input(0).CopyTo(context.Output());
        PositionKernels.Turn(new Matrix<T>(context.Output(), context.Rows * shape[0], shape[1]), table, Heads, IsInterleaved, true, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        if (dx.IsEmpty)
            return;
        var shape = context.InputType(0).Shape;
        var first = context.InputCount == 2 ? context.Indices(1) : [];
        var space = context.Scratch;
        var table = Table(first.IsEmpty ? context.BatchScratch : space[(context.Rows * shape.Size)..], context.Rows, shape, first);
        var d = space[..(context.Rows * shape.Size)];
        context.OutputGradient().CopyTo(d);
        PositionKernels.Turn(new Matrix<T>(d, context.Rows * shape[0], shape[1]), table, Heads, IsInterleaved, false, context.Compute);
        dx.Copy(d);
    }

    private Span<T> Table<T>(Span<T> space, int rows, Shape shape, ReadOnlySpan<int> first)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var columns = shape[1] / Heads;
        var table = space[..(PositionKernels.TableRows(rows, shape[0], first) * columns)];
        PositionKernels.Angles(table, shape[0], first, columns / 2, columns, Root);
        return table;
    }
}
