using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Layers;

/// <summary>The rules of layers that know positions: a sequence [T, D], and optionally the position of its first element in each row.</summary>
internal static class PositionInputs
{
    /// <summary>Throws unless the inputs are a sequence and optionally its first position, indices []. Returns the shape of the sequence.</summary>
    public static Shape Check(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        if (declaration.Inputs.Count is not (1 or 2))
        {
            throw new ArgumentException(
                $"{declaration.Kind} takes a sequence and optionally the position of its first element (indices []); "
                + $"it got {declaration.Inputs.Count} input(s).", "inputs");
        }

        if (declaration.Inputs.Count == 2)
            declaration.Require(1, EdgeKind.Indices, 0);
        return declaration.RequireSequence(0);
    }

    /// <summary>Throws unless the positions of all rows lie in [0, most].</summary>
    public static void CheckFirst(string kind, ReadOnlySpan<int> first, int most)
    {
        for (var row = 0; row < first.Length; row++)
        {
            if (first[row] < 0 || first[row] > most)
                Throw(kind, most, row, first[row]);
        }
    }

    [DoesNotReturn]
    private static void Throw(string kind, int most, int row, int first) =>
        throw new ArgumentException($"The first position of {kind} must be between 0 and {most}; row {row} has {first}.", nameof(first));
}
