using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>Where a panel starts, its vectors, how far the last of them is from the first, and its columns.</summary>
internal readonly record struct ColumnPanel(int Column, int Vectors, int Last, int Width);

/// <summary>
/// The column panels of a matrix: two vectors wide, the last one to three, of which the last vector may overlap its neighbour
/// in the same panel. Panels never share a column, so threads may own them.
/// </summary>
internal readonly struct ColumnPanels
{
    private readonly int _columns;
    private readonly int _count;
    private readonly int _twos;
    private readonly bool _hasSingle;
    private readonly int _lastVectors;

    /// <summary>Cuts <paramref name="columns"/> columns, at least one, into vectors of <paramref name="count"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ColumnPanels(int columns, int count, int mostVectors)
    {
        _columns = columns;
        _count = count;
        var vectors = (columns - 1) / count + 1;
        if ((vectors & 1) == 0)
        {
            _lastVectors = 2;
        }
        else if (vectors == 1 || mostVectors == 2 && columns % count == 0)
        {
            _lastVectors = 1;
        }
        else if (mostVectors > 2)
        {
            _lastVectors = 3;
        }
        else
        {
            // The last vector overlaps another, which therefore belongs to its panel.
            _lastVectors = 2;
            _hasSingle = true;
        }

        var others = vectors - _lastVectors;
        _twos = others >> 1;
        Total = _twos + (_hasSingle ? 2 : 1);
    }

    public int Total { get; }

    public ColumnPanel this[int panel]
    {
        get
        {
            var column = panel * 2 * _count;
            if (panel < _twos)
                return new(column, 2, _count, 2 * _count);
            if (_hasSingle && panel == _twos)
                return new(column, 1, 0, _count);
            if (_hasSingle)
                column -= _count;
            var width = _columns - column;
            return new(column, _lastVectors, _lastVectors == 1 ? 0 : width - _count, width);
        }
    }
}
