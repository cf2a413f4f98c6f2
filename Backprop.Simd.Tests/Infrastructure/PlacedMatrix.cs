using Backprop.Simd.Memory;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>
/// A matrix inside a larger buffer: guard cells in front, in the gap behind each row (or column), and behind the end; the
/// span of its view ends exactly at the last element.
/// </summary>
internal sealed class PlacedMatrix<T> where T : unmanaged
{
    private const int Front = 5;
    private const int Behind = 40;

    private T[] _buffer = [];
    private int _leading;
    private bool _columnMajor;

    public int Rows { get; private set; }

    public int Columns { get; private set; }

    /// <summary>The buffer, guards included.</summary>
    public Span<T> Buffer => _buffer.AsSpan(0, Front + Length + Behind);

    /// <summary>The view's elements and the gaps between them.</summary>
    private int Length
    {
        get
        {
            var (lines, line) = _columnMajor ? (Columns, Rows) : (Rows, Columns);
            return lines == 0 || line == 0 ? 0 : (lines - 1) * _leading + line;
        }
    }

    public Matrix<T> View
    {
        get
        {
            var span = _buffer.AsSpan(Front, Length);
            return _columnMajor ? new Matrix<T>(span, Columns, Rows, _leading).Transposed : new Matrix<T>(span, Rows, Columns, _leading);
        }
    }

    /// <summary>Takes a shape; every cell becomes <paramref name="guard"/>. The buffer is kept if it is large enough.</summary>
    public PlacedMatrix<T> Shape(int rows, int columns, bool columnMajor, int padding, T guard)
    {
        Rows = rows;
        Columns = columns;
        _columnMajor = columnMajor;
        _leading = Math.Max((columnMajor ? rows : columns) + padding, 1);
        if (_buffer.Length < Front + Length + Behind)
            _buffer = new T[Front + Length + Behind];
        Buffer.Fill(guard);
        return this;
    }

    /// <summary>Where element (row, column) lies in <see cref="Buffer"/>.</summary>
    public int Index(int row, int column) => Front + (_columnMajor ? column * _leading + row : row * _leading + column);

    /// <summary>The element at an index of <see cref="Buffer"/>, or null for a guard cell.</summary>
    public (int Row, int Column)? ElementAt(int index)
    {
        var at = index - Front;
        if (at < 0 || at >= Length)
            return null;
        var (line, offset) = (at / _leading, at % _leading);
        if (offset >= (_columnMajor ? Rows : Columns))
            return null;
        return _columnMajor ? (offset, line) : (line, offset);
    }
}
