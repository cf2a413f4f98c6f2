using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>The shapes of attention's inputs, and its space.</summary>
internal static class AttentionShapes
{
    /// <summary>Throws unless the inputs suit attention. Returns the sizes for one row.</summary>
    public static AttentionSizes Check(LayerDeclaration declaration, int heads, int keyHeads, bool allScores, out AttentionInputs found)
    {
        found = new();
        var count = declaration.Inputs.Count;
        var known = 0;
        while (known < count && found.Add(known, declaration.Inputs[known]))
            known++;
        if (known < count || found.Sequences is < 1 or > 3)
        {
            throw new ArgumentException(
                $"{declaration.Kind} takes 1 to 3 sequences, and optionally numbers that are added to the scores (values of rank 3, or shared), "
                + $"a mask (indices [T, S] or [S]) and lengths (indices []), in this order; "
                + $"it got {count} input(s): {string.Join(", ", declaration.Inputs)}.", "inputs");
        }

        Shape queries = declaration.RequireSequence(0), keys = declaration.RequireSequence(found.Key), values = declaration.RequireSequence(found.Value);
        if (keys[0] != values[0])
        {
            throw new ArgumentException(
                $"Keys and values of {declaration.Kind} must be equally long; they are values {keys} and values {values}.", "inputs");
        }

        if (queries[1] % heads != 0)
        {
            throw new ArgumentException(
                $"The heads of {declaration.Kind} must divide the columns of its input; there are {heads} heads and {queries[1]} columns.", "inputs");
        }

        var sizes = new AttentionSizes(1, queries[0], keys[0], queries[1] / heads, heads, keyHeads, allScores);
        CheckMasks(declaration, found, sizes);
        return sizes;
    }

    private static void CheckMasks(LayerDeclaration declaration, AttentionInputs found, AttentionSizes sizes)
    {
        if (found.Mask > 0)
        {
            var shape = declaration.Inputs[found.Mask].Shape;
            if (shape.Rank > 2 || shape.Last != sizes.Length || shape.Rank == 2 && shape[0] != sizes.Steps)
            {
                throw new ArgumentException(
                    $"The mask of {declaration.Kind} must be indices [{sizes.Steps}, {sizes.Length}] or [{sizes.Length}]; "
                    + $"it is {declaration.Inputs[found.Mask]}.", "inputs");
            }
        }

        if (found.Bias > 0)
        {
            var type = declaration.Inputs[found.Bias];
            var (_, heads, steps) = OfBias(type, 1);
            if (type.Shape.Rank is 0 or > 3 || type.Shape.Last != sizes.Length || heads != 1 && heads != sizes.Heads || steps != 1 && steps != sizes.Steps)
            {
                throw new ArgumentException(
                    $"What is added to the scores of {declaration.Kind} must be [{sizes.Heads}, {sizes.Steps}, {sizes.Length}], where the first two "
                    + $"sizes may be 1; it is {type}.", "inputs");
            }
        }
    }

    /// <summary>The shape of what is added to the scores, without its last dimension.</summary>
    public static (int Rows, int Heads, int Steps) OfBias(EdgeType type, int rows) =>
        (type.Kind == EdgeKind.Shared ? 1 : rows, type.Shape.Rank > 2 ? type.Shape[0] : 1, type.Shape.Rank > 1 ? type.Shape[type.Shape.Rank - 2] : 1);

    /// <summary>Asks for the gradients of what a row keeps, and behind them for the tiles of each head, or for space to sum in.</summary>
    public static void UseScratch(LayerDeclaration declaration, AttentionSizes sizes, bool hasBias, bool turns)
    {
        var behind = sizes.InBlocks ? (long)sizes.Heads * AttentionBlocks.Tiles : hasBias ? AxisReductions.Scratch(sizes.Kept) : 0;
        declaration.UseScratch(sizes.Projected + sizes.Kept + behind,
            (turns ? TableSize(sizes) : 0) + (sizes.InBlocks && hasBias ? (long)AttentionBias.Lanes * AttentionBias.LaneTiles : 0));
    }

    /// <summary>The table of the angles of all positions.</summary>
    private static long TableSize(AttentionSizes sizes) => (long)Math.Max(sizes.Steps, sizes.Length) * sizes.Width;

    /// <summary>Turns queries and keys by their positions, forward or back.</summary>
    public static void Turn<T>(RotaryPositions rotary, AttentionParts<T> parts, AttentionSizes sizes, Span<T> space, bool forward, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var table = space[..(int)TableSize(sizes)];
        PositionKernels.Angles(table, int.MaxValue, [], sizes.Width / 2, sizes.Width, rotary.Root);
        PositionKernels.Turn(parts.Queries, table[..(sizes.Steps * sizes.Width)], sizes.Heads, rotary.IsInterleaved, forward, compute);
        PositionKernels.Turn(parts.Keys, table[..(sizes.Length * sizes.Width)], sizes.KeyHeads, rotary.IsInterleaved, forward, compute);
    }

    /// <summary>The space of the batch behind the table of angles.</summary>
    public static Span<T> Lanes<T>(Span<T> space, AttentionSizes sizes, bool turns) => turns ? space[(int)TableSize(sizes)..] : space;

    /// <summary>The space behind the gradients.</summary>
    public static Span<T> Behind<T>(Span<T> scratch, AttentionSizes sizes) where T : unmanaged, IFloatingPointIeee754<T> =>
        scratch[(int)(sizes.Rows * (sizes.Projected + sizes.Kept))..];

    /// <summary>The random numbers of a node in a step.</summary>
    public static WordStream Words(RandomKey key) => WordStream.Of(key.Seed, key.Step, key.Node);
}
