using System.Numerics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Gives the elements of a broadcast operand as the loops of <see cref="MapLoops"/> want them, side by side: where they lie, or
/// copied into a buffer in the first-level cache.
/// </summary>
internal unsafe struct BroadcastReader<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The elements of a buffer.</summary>
    public const int Buffer = 1024;

    /// <summary>Runs as long as this are read by themselves. Shorter ones are copied side by side into the buffer.</summary>
    private const int LongRun = 128;

    /// <summary>The copies of an element that stays, for a loop with steps: as many as the widest register holds.</summary>
    private const int Copies = 16;

    private readonly T* _values, _buffer;
    private readonly BroadcastLayout _layout;
    private readonly Form _form;

    /// <summary>The result's elements along the last level, and along the last two: where the operand repeats itself.</summary>
    private readonly nint _run, _block;

    /// <summary>What the buffer holds: the elements from one of the operand on.</summary>
    private T* _held;
    private nint _heldLength;

    /// <param name="values">The operand.</param>
    /// <param name="layout">Where its elements lie in the result.</param>
    /// <param name="buffer">Memory for <see cref="Buffer"/> elements.</param>
    /// <param name="isStepped">True if the loop reads operands with steps: an element that stays is then given as some copies.</param>
    public BroadcastReader(T* values, in BroadcastLayout layout, T* buffer, bool isStepped = false)
    {
        _values = values;
        _buffer = buffer;
        _layout = layout;
        _held = null;
        _heldLength = 0;
        _run = layout.Levels > 0 ? layout.Size(0) : 1;
        _block = layout.Levels > 1 ? _run * layout.Size(1) : _run;
        _form = layout.IsWhole ? Form.Whole
            : _run >= LongRun ? layout.Moves(0) ? Form.Runs : isStepped ? Form.Constant : Form.Constants
            : layout.Moves(0) && _block >= LongRun ? Form.Tiles : Form.Pieces;
    }

    private enum Form
    {
        /// <summary>Nothing is broadcast.</summary>
        Whole,

        /// <summary>Long runs of the operand's own elements.</summary>
        Runs,

        /// <summary>Long runs of one element.</summary>
        Constants,

        /// <summary>The same, for a loop with steps.</summary>
        Constant,

        /// <summary>Long runs of the same few elements.</summary>
        Tiles,

        /// <summary>Anything shorter.</summary>
        Pieces,
    }

    /// <summary>The step from one element to the next; 0 where the operand stays.</summary>
    public readonly nint Step => _form == Form.Constant ? 0 : 1;

    /// <summary>Lowers the end of a range of the result to what can be given at once from its start.</summary>
    public readonly void Limit(nint start, ref nint end)
    {
        var most = _form switch
        {
            Form.Whole => end,
            Form.Runs or Form.Constant => start - start % _run + _run,
            Form.Constants => Math.Min(start - start % _run + _run, start + Buffer),
            Form.Tiles => Math.Min(start - start % _block + _block, start - start % _run + Buffer / _run * _run),
            _ => start + Buffer,
        };
        end = Math.Min(end, most);
    }

    /// <summary>The elements for a range of the result that <see cref="Limit"/> allows.</summary>
    public T* At(nint start, nint end)
    {
        switch (_form)
        {
            case Form.Whole:
                return _values + start;
            case Form.Runs:
                return _values + _layout.Offset(start / _block, 2, _run) + start % _run;
            case Form.Constant:
                new Span<T>(_buffer, Copies).Fill(_values[_layout.Offset(start / _run, 1, 1)]);
                return _buffer;
            case Form.Constants:
                return Held(_values + _layout.Offset(start / _run, 1, 1), start, end);
            case Form.Tiles:
                return Held(_values + _layout.Offset(start / _block, 2, _run) + start % _run, start, end);
            default:
                Copy(start, end - start);
                return _buffer;
        }
    }

    /// <summary>The buffer, filled unless it holds these elements already.</summary>
    private T* Held(T* first, nint start, nint end)
    {
        if (first != _held || end - start > _heldLength)
        {
            Copy(start, end - start);
            _held = first;
            _heldLength = end - start;
        }

        return _buffer;
    }

    /// <summary>Copies the operand's elements for part of the result to the buffer.</summary>
    private readonly void Copy(nint start, nint length)
    {
        var to = _buffer;
        while (length > 0)
        {
            // A block: the last level and the level before it, along which the operand stays and moves, or moves and stays.
            var at = start % _block;
            var take = Math.Min(_block - at, length);
            if (_layout.Moves(0))
                Repeat(_values + _layout.Offset(start / _block, 2, _run), at % _run, to, take);
            else
                Stretch(_values + _layout.Offset(start / _block, 2, _block / _run), at, to, take);
            to += take;
            start += take;
            length -= take;
        }
    }

    /// <summary>The run, again and again, from one of its elements on.</summary>
    private readonly void Repeat(T* run, nint phase, T* to, nint length)
    {
        // One period by elements; then what is there is doubled.
        var period = Math.Min(_run, length);
        for (nint i = 0; i < period; i++)
        {
            to[i] = run[phase];
            phase = phase + 1 == _run ? 0 : phase + 1;
        }

        for (var done = period; done < length;)
        {
            var copy = Math.Min(done, length - done);
            new ReadOnlySpan<T>(to, (int)copy).CopyTo(new Span<T>(to + done, (int)copy));
            done += copy;
        }
    }

    /// <summary>Each element as often as the run is long.</summary>
    private readonly void Stretch(T* elements, nint at, T* to, nint length)
    {
        var end = to + length;
        elements += at / _run;
        for (var left = _run - at % _run; to < end; left = _run, elements++)
        {
            left = Math.Min(left, (nint)(end - to));
            if (left > 8)
            {
                new Span<T>(to, (int)left).Fill(*elements);
                to += left;
            }
            else
            {
                for (; left > 0; left--)
                    *to++ = *elements;
            }
        }
    }
}
