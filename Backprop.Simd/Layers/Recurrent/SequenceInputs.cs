using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;

namespace Backprop.Simd.Layers;

/// <summary>The rules of layers over sequences.</summary>
internal static class SequenceInputs
{
    /// <summary>Throws unless every length lies in [least, most].</summary>
    public static void CheckLengths(string kind, ReadOnlySpan<int> lengths, int least, int most)
    {
        for (var row = 0; row < lengths.Length; row++)
        {
            if (lengths[row] < least || lengths[row] > most)
                Throw(kind, least, most, row, lengths[row]);
        }
    }

    /// <summary>Throws unless the gates of so many units can be counted.</summary>
    public static void CheckUnits(int units, [CallerArgumentExpression(nameof(units))] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(units, 1, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(units, int.MaxValue / 4, name);
    }

    /// <summary>
    /// Checks the inputs of a recurrent layer, and declares its parameters inputWeight [D, gates H], hiddenWeight [S, gates H] and bias, its
    /// outputs h of all steps, [T, S], and its last states, h [S] and c [H]. S, the size of h, is H but behind a projection.
    /// </summary>
    /// <returns>T.</returns>
    public static int DeclareRecurrence(
        LayerDeclaration declaration, int units, int gates, int states, Initializer? weights, Initializer bias, bool reverse, int? projection = null)
    {
        var size = projection ?? units;
        var shape = CheckRecurrence(declaration, states, size, units);
        var (steps, columns, width) = (shape[0], shape[1], gates * units);
        declaration.AddParameter("inputWeight", new Shape(columns, width), columns, units, weights ?? Initialize.Xavier);
        declaration.AddParameter("hiddenWeight", new Shape(size, width), size, units, weights ?? Initialize.Xavier);
        declaration.AddParameter("bias", new Shape(width), columns, units, bias);
        declaration.UseOperations(2.0 * steps * ((double)columns + size) * width + 2.0 * steps * units * (projection ?? 0));
        declaration.AddOutput(new Shape(steps, size));
        for (var i = 0; i < states; i++)
            declaration.AddOutput(new Shape(i == 0 ? size : units));
        declaration.Meaning = OutputMeaning.Numbers;
        if (!reverse && (declaration.Inputs.Count == 1 || declaration.Inputs[1].Kind == EdgeKind.Values))
            declaration.UsePositionStates(states == 1 ? [size] : [size, units]);
        return steps;
    }

    /// <summary>
    /// Throws unless the inputs of a recurrent layer are a sequence [T, D], optionally lengths, and optionally
    /// <paramref name="states"/> initial states, h [size] and c [units].
    /// </summary>
    /// <returns>The shape of the sequence.</returns>
    private static Shape CheckRecurrence(LayerDeclaration declaration, int states, int size, int units)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        var count = declaration.Inputs.Count;
        var before = count > 1 && declaration.Inputs[1].Kind == EdgeKind.Indices ? 2 : 1;
        if (count != before && count != before + states)
        {
            throw new ArgumentException(
                $"{declaration.Kind} takes a sequence, optionally lengths (indices), and optionally {states} initial state(s); "
                + $"it got {count} input(s): {string.Join(", ", declaration.Inputs)}.", "inputs");
        }

        var shape = declaration.RequireSequence(0);
        if (before == 2)
            declaration.Require(1, EdgeKind.Indices, 0);
        for (var i = before; i < count; i++)
        {
            var expected = i == before ? size : units;
            if (declaration.Require(i, EdgeKind.Values, 1)[0] != expected)
            {
                throw new ArgumentException(
                    $"Input {i} of {declaration.Kind}, an initial state, must be values [{expected}]; it is {declaration.Inputs[i]}.", "inputs");
            }
        }

        return shape;
    }

    [DoesNotReturn]
    private static void Throw(string kind, int least, int most, int row, int length) =>
        throw new ArgumentException($"Lengths of {kind} must be between {least} and {most}; row {row} has {length}.", "lengths");
}
