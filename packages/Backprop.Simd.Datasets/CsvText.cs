namespace Backprop.Simd.Datasets;

/// <summary>
/// A text of separated values on its way to Sep. Sep takes any quote as the start or end of a quoted part, and so each quote is
/// checked here against RFC 4180; spaces may surround the quotes of a cell. Text that passes is cut by Sep as the RFC says.
/// A byte order mark at the start is dropped.
/// </summary>
internal sealed class CsvText : TextReader
{
    private const string Candidates = ",;\t|";
    private const int FirstBlock = 1 << 15;

    private readonly TextReader _text;
    private readonly string _source;
    private readonly char _separator;

    private ReadOnlyMemory<char> _first;
    private Place _place;
    private bool _afterReturn;
    private int _line = 1;
    private int _cell;
    private int _character;
    private int _quoteLine;

    /// <param name="text">The text; it stays open.</param>
    /// <param name="separator">What separates cells. Null takes the one of comma, semicolon, tab and bar that the first line with text
    /// has most often outside quotes; in a tie the first of these.</param>
    /// <param name="source">What messages call the text.</param>
    public CsvText(TextReader text, char? separator, string source)
    {
        (_text, _source) = (text, source);
        var block = new char[FirstBlock];
        _first = block.AsMemory(0, text.ReadBlock(block));
        if (_first.Span is ['\uFEFF', ..])
        {
            _first = _first[1..];
        }

        _separator = separator ?? FindSeparator(_first.Span);
    }

    private enum Place
    {
        /// <summary>At the start of a cell, or behind spaces there.</summary>
        Start,

        /// <summary>In a cell without quotes.</summary>
        Plain,

        /// <summary>In a quoted cell.</summary>
        Quoted,

        /// <summary>Behind a quote in a quoted cell: the first of a doubled quote, or the end.</summary>
        Quote,

        /// <summary>In spaces behind a quoted cell.</summary>
        Closed,
    }

    /// <summary>What separates cells.</summary>
    public char Separator => _separator;

    /// <summary>The message if the text ends inside a quoted cell; else null.</summary>
    public string? OpenQuote => _place == Place.Quoted ? $"Line {_quoteLine} of {_source} opens a quote that nothing closes." : null;

    /// <summary>Reads until the buffer is full or the text ends. After a shorter part that ends in a return, Sep would lose a second return.</summary>
    public override int Read(Span<char> buffer)
    {
        int read = Math.Min(buffer.Length, _first.Length);
        _first.Span[..read].CopyTo(buffer);
        _first = _first[read..];
        read += _text.ReadBlock(buffer[read..]);
        if (read == 0 && !buffer.IsEmpty && OpenQuote is { } problem)
        {
            throw new DatasetFormatException(problem);
        }

        Check(buffer[..read]);
        return read;
    }

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    private static char FindSeparator(ReadOnlySpan<char> text)
    {
        Span<int> counts = stackalloc int[Candidates.Length];
        (bool isQuoted, bool hasText) = (false, false);
        foreach (char c in text)
        {
            isQuoted ^= c == '"';
            hasText |= !char.IsWhiteSpace(c);
            if (isQuoted)
            {
                continue;
            }

            if (c is '\r' or '\n')
            {
                if (hasText)
                {
                    break;
                }

                counts.Clear();
            }

            int candidate = Candidates.IndexOf(c, StringComparison.Ordinal);
            if (candidate >= 0)
            {
                counts[candidate]++;
            }
        }

        return Candidates[System.Numerics.Tensors.TensorPrimitives.IndexOfMax<int>(counts)];
    }

    private void Check(ReadOnlySpan<char> part)
    {
        foreach (char c in part)
        {
            _character++;
            if (c == '"')
            {
                _place = AfterQuote();
            }
            else if (c is '\r' or '\n')
            {
                EndLine(c);
                continue;
            }
            else if (c == _separator)
            {
                _cell += _place == Place.Quoted ? 0 : 1;
                _place = _place == Place.Quoted ? Place.Quoted : Place.Start;
            }
            else if (c == ' ')
            {
                _place = _place == Place.Quote ? Place.Closed : _place;
            }
            else
            {
                _place = AfterText(c);
            }

            _afterReturn = false;
        }
    }

    private Place AfterQuote()
    {
        switch (_place)
        {
            case Place.Start:
                _quoteLine = _line;
                return Place.Quoted;
            case Place.Quoted:
                return Place.Quote;
            case Place.Quote:
                return Place.Quoted;
            case Place.Plain:
                throw Refused("a quote stands inside a cell that does not begin with one; quote the whole cell and double the quotes in it");
            default:
                throw Refused("a quote stands behind the end of a quoted cell; quotes inside are doubled");
        }
    }

    private Place AfterText(char c)
    {
        if (c == DecodedText.Mark && (_text as DecodedText)?.Problem is { } problem)
        {
            throw Refused($"{problem}; {nameof(CsvOptions)}.{nameof(CsvOptions.Encoding)} may name another encoding");
        }

        return _place switch
        {
            Place.Start => Place.Plain,
            Place.Plain or Place.Quoted => _place,
            _ => throw Refused($"'{c}' stands behind the end of a quoted cell; quotes inside are doubled"),
        };
    }

    private void EndLine(char c)
    {
        if (c == '\r' || !_afterReturn)
        {
            _line++;
        }

        (_afterReturn, _character) = (c == '\r', 0);
        if (_place != Place.Quoted)
        {
            (_place, _cell) = (Place.Start, 0);
        }
    }

    private DatasetFormatException Refused(string why) => new($"Line {_line} of {_source}, column {_cell}, character {_character}: {why}.");
}
