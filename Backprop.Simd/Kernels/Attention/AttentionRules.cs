using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>Which keys a query sees, what is added to its scores, and which probabilities are dropped.</summary>
internal readonly ref struct AttentionRules<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public required AttentionSizes Sizes { get; init; }

    /// <summary>True if query t sees keys 0 to t.</summary>
    public bool IsCausal { get; init; }

    /// <summary>The keys of each row of the batch; empty if all count.</summary>
    public ReadOnlySpan<int> Lengths { get; init; }

    /// <summary>Keys beyond the length of each row.</summary>
    public int More { get; init; }

    /// <summary>Not 0 where a key is seen, [rows, 1 or T, S]; empty if there is no mask.</summary>
    public ReadOnlySpan<int> Mask { get; init; }

    /// <summary>What is added to the scores, [1 or rows, 1 or heads, 1 or T, S]; empty if nothing is.</summary>
    public ReadOnlySpan<T> Bias { get; init; }

    /// <summary>The shape of what is added, without S.</summary>
    public (int Rows, int Heads, int Steps) BiasShape { get; init; }

    /// <summary>The probability that a probability is dropped; 0 in inference.</summary>
    public double Dropout { get; init; }

    /// <summary>The random numbers for it.</summary>
    public WordStream Words { get; init; }

    public bool HasMasks => !Mask.IsEmpty || !Bias.IsEmpty;

    public bool Drops => Dropout > 0;

    /// <summary>The keys of the row of a head.</summary>
    public int KeysOf(int item) => Lengths.IsEmpty ? Sizes.Length : Lengths[item / Sizes.Heads] + More;

    /// <summary>The part of what is added that a query of a head of a row takes.</summary>
    public int BiasOffset(int item, int t)
    {
        var (rows, heads, steps) = BiasShape;
        var (row, head) = (rows == 1 ? 0 : item / Sizes.Heads, heads == 1 ? 0 : item % Sizes.Heads);
        return ((row * heads + head) * steps + (steps == 1 ? 0 : t)) * Sizes.Length;
    }

    /// <summary>Adds to scores from query t and key s on what belongs there; those of keys that are not seen become -infinity.</summary>
    public void Apply(Matrix<T> scores, int item, int t, int s)
    {
        if (!HasMasks || scores.Columns == 0)
            return;
        var maskRows = Mask.Length / (Sizes.Rows * Sizes.Length);
        for (var i = 0; i < scores.Rows; i++)
        {
            var row = scores.Span.Slice(i * scores.RowStride, scores.Columns);
            if (!Bias.IsEmpty)
                Elementwise.Add(row, Bias.Slice(BiasOffset(item, t + i) + s, row.Length), row);
            if (!Mask.IsEmpty)
                Hide(row, Mask.Slice((item / Sizes.Heads * maskRows + (maskRows == 1 ? 0 : t + i)) * Sizes.Length + s, row.Length));
        }
    }

    /// <summary>Copies probabilities from query t and key s on; those that are dropped become 0, and others grow.</summary>
    public void Drop(Matrix<T> probabilities, Matrix<T> destination, int item, int t, int s)
    {
        for (var i = 0; i < probabilities.Rows && probabilities.Columns > 0; i++)
        {
            var y = destination.Span.Slice(i * destination.RowStride, destination.Columns);
            if (Dropout == 1)
            {
                y.Clear();
                continue;
            }

            var first = ((ulong)item * (ulong)Sizes.Steps + (ulong)(t + i)) * (ulong)Sizes.Length + (ulong)s;
            Dropping.Run(Words, first, Dropout, 1 / (1 - Dropout), probabilities.Span.Slice(i * probabilities.RowStride, y.Length), y, null);
        }
    }

    /// <summary>Masks come in runs: each is found and filled at once.</summary>
    private static void Hide(Span<T> scores, ReadOnlySpan<int> mask)
    {
        while (mask.IndexOf(0) is var start and >= 0)
        {
            var length = mask[start..].IndexOfAnyExcept(0);
            if (length < 0)
                length = mask.Length - start;
            scores.Slice(start, length).Fill(T.NegativeInfinity);
            scores = scores[(start + length)..];
            mask = mask[(start + length)..];
        }
    }
}
