using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Backprop.Simd.Data;

/// <summary>
/// The header of NumPy's array files (<see href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"/>): the byte 93 and
/// "NUMPY", two bytes of version, the length of the text (16 bits in version 1.0, 32 in 2.0 and 3.0), and the text. The text is a Python
/// dictionary with exactly the keys descr, fortran_order and shape, padded with spaces up to a line feed.
/// </summary>
internal ref struct NpyHeader
{
    /// <summary>The longest text that is accepted. A shape of 32 sizes needs far less.</summary>
    private const int LongestText = 1 << 16;

    /// <summary>The most sizes that are accepted: NumPy's own limit.</summary>
    public const int MostSizes = 64;

    private const string Start = "\u0093NUMPY";

    private readonly string _path;
    private readonly string _text;
    private int _at;

    private NpyHeader(string path, string text) => (_path, _text) = (path, text);

    /// <summary>Reads a header from the position of a stream and stops at the first element. Nothing longer than a header is allocated.</summary>
    /// <exception cref="DataFormatException">The file has another format, ends too early, or has an unsupported element type.</exception>
    public static ArrayHeader Read(string path, Stream stream)
    {
        Span<byte> start = stackalloc byte[12];
        var read = stream.ReadAtLeast(start[..10], 10, throwOnEndOfStream: false);
        if (read < 10 || start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
            throw new DataFormatException($"'{path}' starts with {Convert.ToHexString(start[..Math.Min(read, 8)])}; expected 934E554D5059, a NumPy array."
                + (start[..read] is [(byte)'P', (byte)'K', ..] ? " It is a zip archive, as NumPy's savez writes: Npz reads it." : ""));
        if (start[6] is not (1 or 2 or 3) || start[7] != 0)
            throw new DataFormatException($"'{path}' has version {start[6]}.{start[7]} of NumPy's format; expected 1.0, 2.0 or 3.0.");
        var prefix = start[6] == 1 ? 10 : 12;
        if (read < prefix)
            read += stream.ReadAtLeast(start[read..prefix], prefix - read, throwOnEndOfStream: false);
        if (read < prefix)
            throw new DataFormatException($"'{path}' ends within its header, after {read} bytes.");
        long length = start[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (length > LongestText)
            throw new DataFormatException($"'{path}' claims a header of {length} bytes; expected at most {LongestText}.");
        var text = new byte[length];
        var got = stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        if (got < text.Length)
            throw new DataFormatException($"'{path}' ends within its header of {length} bytes, after {prefix + got} bytes.");
        var header = new NpyHeader(path, start[6] == 3 ? Encoding.UTF8.GetString(text) : Encoding.Latin1.GetString(text));
        return header.Parse(prefix + length);
    }

    /// <summary>Reads a header and checks it against the length of the file.</summary>
    public static ArrayHeader ReadFile(string path, Stream stream) => Read(path, stream).RequireLength(stream.Length);

    /// <summary>Makes the header of an array in C order, as this machine has it. Version 1.0, padded to a multiple of 64 bytes.</summary>
    public static byte[] Write(ArrayElement element, ReadOnlySpan<long> sizes)
    {
        var order = element.Size() == 1 ? '|' : BitConverter.IsLittleEndian ? '<' : '>';
        var shape = new StringBuilder();
        foreach (var size in sizes)
            shape.Append(CultureInfo.InvariantCulture, $"{(shape.Length > 0 ? " " : "")}{size},");
        var type = element.ToString().ToLowerInvariant();
        var text = $"{{'descr': '{order}{type}', 'fortran_order': False, 'shape': ({(sizes.Length > 1 ? shape.ToString(0, shape.Length - 1) : shape)}), }}";
        const int Prefix = 10;
        var header = new byte[(Prefix + text.Length + 1 + 63) / 64 * 64];
        header.AsSpan(Prefix).Fill((byte)' ');
        Encoding.Latin1.GetBytes(Start, header);
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), (ushort)(header.Length - Prefix));
        Encoding.ASCII.GetBytes(text, header.AsSpan(Prefix));
        header[^1] = (byte)'\n';
        return header;
    }

    private ArrayHeader Parse(long offset)
    {
        string? type = null;
        bool? columnsFirst = null;
        long[]? shape = null;
        Expect('{');
        while (!Accept('}'))
        {
            var key = Quoted();
            Expect(':');
            if (key == "descr" && type is null)
                type = Accept('[') ? throw new DataFormatException($"'{_path}' holds records, which are not read: save each field, x['name'].") : Quoted();
            else if (key == "fortran_order" && columnsFirst is null)
                columnsFirst = Boolean();
            else if (key == "shape" && shape is null)
                shape = Sizes();
            else
                throw Malformed($"the key '{key}' is unknown or occurs twice");
            if (Accept(','))
                continue;
            Expect('}');
            break;
        }

        if (_text.AsSpan(_at).Trim(" \n").Length != 0 || !_text.EndsWith('\n'))
            throw Malformed("text after the dictionary, or no line feed at the end");
        if (type is null || columnsFirst is null || shape is null)
            throw Malformed("a key is missing: descr, fortran_order or shape");
        return new ArrayHeader(_path, ElementOf(type), shape, offset)
        {
            IsBigEndian = type[0] == '>',
            IsColumnMajor = columnsFirst.Value,
        };
    }

    private readonly ArrayElement ElementOf(string type) => type switch
    {
        "<f2" or ">f2" => ArrayElement.F2,
        "<f4" or ">f4" => ArrayElement.F4,
        "<f8" or ">f8" => ArrayElement.F8,
        "|b1" or "<b1" => ArrayElement.B1,
        "|u1" or "<u1" => ArrayElement.U1,
        "|i1" or "<i1" => ArrayElement.I1,
        "<i2" or ">i2" => ArrayElement.I2,
        "<u2" or ">u2" => ArrayElement.U2,
        "<i4" or ">i4" => ArrayElement.I4,
        "<u4" or ">u4" => ArrayElement.U4,
        "<i8" or ">i8" => ArrayElement.I8,
        "<u8" or ">u8" => ArrayElement.U8,
        _ => throw new DataFormatException($"'{_path}' holds elements of type '{type}'{Reason(type)}; expected < or > and f2, f4, f8, or i or u and 2, 4 or 8, "
            + "or |b1, |i1 or |u1."),
    };

    /// <summary>What a type is that is not read, and what to do.</summary>
    private static string Reason(string type) => type.AsSpan().TrimStart("<>|=") is [var kind, ..] ? kind switch
    {
        'c' => ", complex numbers, which are not read: save x.real and x.imag",
        'f' => ", floats wider than a double, which are not read: save x.astype('<f8')",
        'O' => ", Python objects, which are not read: save x.astype of a number",
        'U' or 'S' or 'a' => ", text, which is not read: save numbers, and the text apart",
        'M' or 'm' => ", times, which are not read: save x.astype('<i8')",
        'V' => ", records, which are not read: save each field, x['name']",
        _ => "",
    } : "";

    private string Quoted()
    {
        Blanks();
        var quote = _at < _text.Length ? _text[_at] : ' ';
        var end = quote is '\'' or '"' ? _text.IndexOf(quote, _at + 1) : -1;
        if (end < 0)
            throw Malformed("expected a string");
        var value = _text[(_at + 1)..end];
        _at = end + 1;
        return value;
    }

    private bool Boolean()
    {
        Blanks();
        foreach (var (word, value) in (ReadOnlySpan<(string, bool)>)[("True", true), ("False", false)])
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) == 0)
            {
                _at += word.Length;
                return value;
            }
        }

        throw Malformed("expected True or False");
    }

    private long[] Sizes()
    {
        var sizes = new List<long>();
        Expect('(');
        while (!Accept(')'))
        {
            Blanks();
            var start = _at;
            while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
                _at++;
            if (!long.TryParse(_text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                throw Malformed("expected a size of at most 63 bits");
            if (sizes.Count == MostSizes)
                throw Malformed($"an array has at most {MostSizes} sizes");
            sizes.Add(size);
            if (_at < _text.Length && _text[_at] == 'L')
                _at++; // Python 2 writes L after a long.
            if (Accept(','))
                continue;
            Expect(')');
            if (sizes.Count == 1)
                throw Malformed("a tuple of one number needs a comma");
            break;
        }

        return [.. sizes];
    }

    private bool Accept(char expected)
    {
        Blanks();
        if (_at >= _text.Length || _text[_at] != expected)
            return false;
        _at++;
        return true;
    }

    private void Expect(char expected)
    {
        if (!Accept(expected))
            throw Malformed($"expected '{expected}'");
    }

    private void Blanks()
    {
        while (_at < _text.Length && _text[_at] == ' ')
            _at++;
    }

    private readonly DataFormatException Malformed(string what) =>
        new($"'{_path}' has a malformed NumPy header, at character {_at}: {what}.");
}
