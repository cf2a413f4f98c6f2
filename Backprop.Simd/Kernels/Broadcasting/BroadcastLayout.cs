using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Where an operand lies in a result that it is broadcast to: levels of dimensions, the last first, along which the operand moves
/// and stays by turns.
/// </summary>
/// <remarks>Neighbouring dimensions of one sort are one level, and dimensions of size 1 none: [8, 14, 14, 32] and [8, 1, 1, 32] give
/// the levels 32 (moves), 196 (stays), 8 (moves).</remarks>
internal struct BroadcastLayout
{
    private ShapeSizes _sizes;
    private bool _moves;

    /// <summary>The number of levels; 0 for a result of one element.</summary>
    public int Levels { get; private set; }

    /// <summary>True if the operand has every element of the result: nothing is broadcast.</summary>
    public readonly bool IsWhole => Levels == 0 || Levels == 1 && _moves;

    /// <summary>The layout of an operand in a result that it fits.</summary>
    public static BroadcastLayout Of(ReadOnlySpan<int> operand, ReadOnlySpan<int> result)
    {
        var layout = default(BroadcastLayout);
        for (var i = 1; i <= result.Length; i++)
        {
            if (result[^i] != 1)
                layout.Add(result[^i], moves: i <= operand.Length && operand[^i] != 1);
        }

        return layout;
    }

    /// <summary>The elements of the result along a level.</summary>
    public readonly int Size(int level) => _sizes[level];

    /// <summary>Whether the operand moves along a level.</summary>
    public readonly bool Moves(int level) => (level & 1) == 0 == _moves;

    /// <summary>
    /// Where the operand's element lies, for an index into the levels from one on; the operand moves by <paramref name="stride"/>
    /// along the first of those that it moves along.
    /// </summary>
    public readonly nint Offset(nint index, int level, nint stride)
    {
        nint offset = 0;
        for (; level < Levels && index != 0; level++)
        {
            nint size = _sizes[level];
            if (Moves(level))
            {
                offset += index % size * stride;
                stride *= size;
            }

            index /= size;
        }

        return offset;
    }

    /// <summary>The layout once the last level that stays is summed away: as three sizes, the elements before, along and behind it.</summary>
    public BroadcastLayout Reduced(int total, out AxisShape axis)
    {
        var level = _moves ? 1 : 0;
        var inner = level == 0 ? 1 : _sizes[0];
        axis = new(total / (_sizes[level] * inner), _sizes[level], inner);
        var rest = default(BroadcastLayout);
        for (var l = 0; l < Levels; l++)
        {
            if (l != level)
                rest.Add(_sizes[l], Moves(l));
        }

        return rest;
    }

    private void Add(int size, bool moves)
    {
        if (Levels > 0 && Moves(Levels - 1) == moves)
        {
            _sizes[Levels - 1] *= size;
            return;
        }

        if (Levels == 0)
            _moves = moves;
        _sizes[Levels++] = size;
    }
}

/// <summary>A block of memory as [Outer, Length, Inner], for a reduction along the middle dimension.</summary>
internal readonly record struct AxisShape(int Outer, int Length, int Inner)
{
    public int Size => Outer * Length * Inner;

    public int Reduced => Outer * Inner;
}

/// <summary>Numbers and where they lie in a result.</summary>
internal readonly ref struct BroadcastOperand<T>(ReadOnlySpan<T> values, BroadcastLayout layout)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public readonly ReadOnlySpan<T> Values = values;

    public readonly BroadcastLayout Layout = layout;

    /// <summary>An operand that is not broadcast.</summary>
    public static implicit operator BroadcastOperand<T>(ReadOnlySpan<T> values) => new(values, default);
}
