using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Backprop.Simd.Serialization;

/// <summary>
/// The JSON of a safetensors file, read strictly. It is an object of tensors, each an object with exactly <c>dtype</c>, <c>shape</c> and
/// <c>data_offsets</c>. It may have <c>__metadata__</c>, an object of strings. No name occurs twice. The tensors fill the data without gap or
/// overlap.
/// </summary>
/// <remarks>
/// White space around the object is accepted. One pass checks everything and keeps only the position of each name. Tensors and metadata
/// are made on demand, so that a header takes at most twice its own bytes, or three times if two long names of equal length with escapes
/// must be decoded to compare them.
/// </remarks>
internal sealed class SafetensorsHeader
{
    private static readonly SearchValues<byte> _digits = SearchValues.Create("0123456789abcdef"u8);

    private readonly SafetensorsFile _file;
    private readonly byte[] _text;
    private readonly long _dataLength;
    private readonly HeaderNames _tensors, _metadata;

    /// <summary>Reads a header.</summary>
    /// <param name="file">The file that owns the tensors; messages name it.</param>
    /// <param name="text">The JSON, which must not change.</param>
    /// <param name="dataLength">The number of bytes after the JSON.</param>
    /// <exception cref="ModelFileException">The header breaks a rule of this class.</exception>
    public SafetensorsHeader(SafetensorsFile file, byte[] text, long dataLength)
    {
        (_file, _text, _dataLength) = (file, text, dataLength);
        if (!Utf8.IsValid(text))
            Refuse("the header is not valid UTF-8");
        try
        {
            var (tensors, metadata) = Count();
            (_tensors, _metadata) = (new HeaderNames(text, tensors), new HeaderNames(text, metadata));
            long[] begins = new long[tensors], ends = new long[tensors];
            ReadAll(begins, ends);
            RequireOnce(_tensors, "the header");
            RequireOnce(_metadata, "the metadata");
            CheckPlaces(begins, ends);
        }
        catch (JsonException e)
        {
            throw new ModelFileException($"{file.Origin}: the header is not valid JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // An escaped half of a surrogate pair is not valid text.
            throw new ModelFileException($"{file.Origin}: the header has a string that is not valid text: {e.Message}", e);
        }
    }

    /// <summary>The number of tensors.</summary>
    public int Tensors => _tensors.Count;

    /// <summary>The number of entries of the metadata.</summary>
    public int Metadata => _metadata.Count;

    /// <summary>Where the digits of the checksum start in the header; -1 without a checksum.</summary>
    public int Checksum { get; private set; } = -1;

    /// <summary>Makes a tensor.</summary>
    /// <param name="index">Which, in the order of the file.</param>
    public SafetensorsTensor Tensor(int index)
    {
        var place = _tensors.InOrder[index];
        var json = HeaderNames.ValueAt(_text, place, out var start);
        var facts = ReadTensor(ref json, place, start);
        json = new Utf8JsonReader(_text.AsSpan(facts.Shape));
        json.Read();
        var shape = new List<long>();
        while (json.Read() && json.TokenType == JsonTokenType.Number)
            shape.Add(json.GetInt64());
        return new SafetensorsTensor(_file, Text(place), facts.Type, [.. shape], facts.Begin, facts.End);
    }

    /// <summary>The index of the tensor with a name, in the order of the file; negative if there is no such tensor.</summary>
    public int Find(string name) => _tensors.Find(name) is >= 0 and var place ? Array.BinarySearch(_tensors.InOrder, place) : -1;

    /// <summary>An entry of the metadata.</summary>
    /// <param name="index">Which, in the order of the file.</param>
    public KeyValuePair<string, string> MetadataEntry(int index) => new(Text(_metadata.InOrder[index]), ValueText(_metadata.InOrder[index]));

    /// <summary>A value of the metadata; null if there is no such key.</summary>
    public string? FindMetadata(string key) => _metadata.Find(key) is >= 0 and var place ? ValueText(place) : null;

    /// <summary>The number of names in the header, so that their positions are allocated once.</summary>
    private (int Tensors, int Metadata) Count()
    {
        var json = new Utf8JsonReader(_text);
        var (tensors, metadata, isMetadata) = (0, 0, false);
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName)
                continue;
            if (json.CurrentDepth == 1)
            {
                isMetadata = json.ValueTextEquals(SafetensorsFile.MetadataKey);
                tensors += isMetadata ? 0 : 1;
            }
            else if (isMetadata && json.CurrentDepth == 2)
            {
                metadata++;
            }
        }

        return (tensors, metadata);
    }

    private void ReadAll(long[] begins, long[] ends)
    {
        var json = new Utf8JsonReader(_text);
        Next(ref json, JsonTokenType.StartObject, "the header", -1);
        var hasMetadata = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(SafetensorsFile.MetadataKey))
            {
                if (hasMetadata)
                    Refuse($"the header has '{SafetensorsFile.MetadataKey}' twice");
                hasMetadata = true;
                ReadMetadata(ref json);
                continue;
            }

            var place = (int)json.TokenStartIndex;
            var facts = ReadTensor(ref json, place, 0);
            (begins[_tensors.Count], ends[_tensors.Count]) = (facts.Begin, facts.End);
            _tensors.Add(place);
        }
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        Next(ref json, JsonTokenType.StartObject, "the metadata", -1);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var (place, isChecksum) = ((int)json.TokenStartIndex, json.ValueTextEquals(SafetensorsFile.ChecksumKey));
            _metadata.Add(place);
            Next(ref json, JsonTokenType.String, "the metadata", place);
            if (isChecksum && !json.ValueIsEscaped && IsChecksum(json.ValueSpan))
                Checksum = (int)json.TokenStartIndex + 1;
            if (json.ValueIsEscaped)
                json.CopyString(new byte[json.ValueSpan.Length]); // Throws if it is not valid text.
        }
    }

    /// <summary>Reads and checks the object of a tensor.</summary>
    /// <param name="json">Stands in front of the object, and after it on return.</param>
    /// <param name="name">The position of the tensor's name in the text.</param>
    /// <param name="start">Where the reader's text starts.</param>
    private Facts ReadTensor(ref Utf8JsonReader json, int name, int start)
    {
        Next(ref json, JsonTokenType.StartObject, "the tensor", name);
        TensorType? type = null;
        (int At, UInt128 Elements)? shape = null;
        (long Begin, long End)? offsets = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("dtype"u8))
            {
                Once(type is null, name, "dtype");
                Next(ref json, JsonTokenType.String, "the dtype of the tensor", name);
                type = TensorTypes.TryParse(json, out var known) ? known
                    : Refuse<TensorType>($"{Tensor("", name)} has the unknown dtype '{Short(json)}'");
            }
            else if (json.ValueTextEquals("shape"u8))
            {
                Once(shape is null, name, "shape");
                shape = ReadShape(ref json, name, start);
            }
            else if (json.ValueTextEquals("data_offsets"u8))
            {
                Once(offsets is null, name, "data_offsets");
                offsets = ReadOffsets(ref json, name);
            }
            else
            {
                Refuse($"{Tensor("", name)} has the unknown key '{Short(json)}'");
            }
        }

        if (type is not { } element)
            return Refuse<Facts>($"{Tensor("", name)} has no dtype");
        if (shape is not { } sizes)
            return Refuse<Facts>($"{Tensor("", name)} has no shape");
        if (offsets is not { } place)
            return Refuse<Facts>($"{Tensor("", name)} has no data_offsets of two numbers");
        if (place.Begin > place.End || place.End > _dataLength)
            Refuse($"{Tensor("", name)} claims bytes {place.Begin} to {place.End} of {_dataLength}");

        // As in the reference reader, neither the elements nor their bytes may exceed 64 bits, even if a later size is 0.
        var bytes = sizes.Elements * (uint)element.Size();
        if (bytes > ulong.MaxValue)
            Refuse($"{Tensor("", name)} has {element.Name()} {ShapeText(sizes.At)}, whose product from the left exceeds 2^64 - 1");
        if (bytes > (ulong)_dataLength)
            Refuse($"{Tensor("", name)} has {element.Name()} {ShapeText(sizes.At)}, which needs more than the file's {_dataLength} bytes of data");
        if (bytes != (ulong)(place.End - place.Begin))
            Refuse($"{Tensor("", name)} has {element.Name()} {ShapeText(sizes.At)}, which needs {bytes} bytes; "
                + $"its data_offsets {place.Begin} and {place.End} give it {place.End - place.Begin}");
        return new Facts(element, sizes.At, place.Begin, place.End);
    }

    /// <summary>Where a shape starts, and its number of elements; above 2^64 - 1 if a product of its first sizes is.</summary>
    private (int At, UInt128 Elements) ReadShape(ref Utf8JsonReader json, int name, int start)
    {
        const string What = "the shape of the tensor";
        Next(ref json, JsonTokenType.StartArray, What, name);
        var at = start + (int)json.TokenStartIndex;
        UInt128 elements = 1;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var size = Number(ref json, What, name);
            elements = elements > ulong.MaxValue ? elements : elements * (ulong)size;
        }

        return (at, elements);
    }

    private (long Begin, long End) ReadOffsets(ref Utf8JsonReader json, int name)
    {
        const string What = "the data_offsets of the tensor";
        Next(ref json, JsonTokenType.StartArray, What, name);
        Span<long> offsets = stackalloc long[2];
        var count = 0;
        for (; json.Read() && json.TokenType != JsonTokenType.EndArray; count++)
        {
            var offset = Number(ref json, What, name);
            if (count < offsets.Length)
                offsets[count] = offset;
        }

        if (count != offsets.Length)
            Refuse($"{Tensor("", name)} has no data_offsets of two numbers");
        return (offsets[0], offsets[1]);
    }

    /// <summary>Checks that the tensors, sorted by position, follow each other from the first byte to the last.</summary>
    private void CheckPlaces(long[] begins, long[] ends)
    {
        Array.Sort(begins, ends);
        var reached = 0L;
        for (var i = 0; i < begins.Length; i++)
        {
            // An empty tensor may stand before or after another tensor that begins at the same byte.
            if (begins[i] < reached && !(begins[i] == ends[i] && begins[i] == begins[i - 1]))
                Refuse($"{TensorAt(begins[i], ends[i])} overlaps another tensor: it starts at byte {begins[i]}, the other ends at byte {reached}");
            if (begins[i] > reached)
                Refuse($"bytes {reached} to {begins[i]} of the data belong to no tensor");
            reached = Math.Max(reached, ends[i]);
        }

        if (reached != _dataLength)
            Refuse($"the tensors end at byte {reached} of {_dataLength}; the rest belongs to no tensor");
    }

    /// <summary>The last tensor that claims these bytes, for a message.</summary>
    private string TensorAt(long begin, long end)
    {
        return Tensor("", _tensors.InOrder.Last(place =>
        {
            var json = HeaderNames.ValueAt(_text, place, out var start);
            var facts = ReadTensor(ref json, place, start);
            return facts.Begin == begin && facts.End == end;
        }));
    }

    private long Number(ref Utf8JsonReader json, string what, int name)
    {
        // No sign, point or exponent: -0 is refused.
        if (json.TokenType != JsonTokenType.Number || !json.TryGetUInt64(out var number) || number > long.MaxValue)
            return Refuse<long>($"{Tensor(what, name)} holds something other than integers from 0 to 2^63 - 1");
        return (long)number;
    }

    private void Next(ref Utf8JsonReader json, JsonTokenType expected, string what, int name)
    {
        if (!json.Read() || json.TokenType != expected)
            Refuse($"{Tensor(what, name)} should start with {expected}; it starts with {json.TokenType}");
    }

    private void Once(bool isFirst, int name, string key)
    {
        if (!isFirst)
            Refuse($"{Tensor("", name)} has '{key}' twice");
    }

    private void RequireOnce(HeaderNames names, string what)
    {
        if (names.Close() is >= 0 and var place)
            Refuse($"{what} has '{Short(HeaderNames.KeyAt(_text, place))}' twice");
    }

    /// <summary>Only digits in lower case are accepted, so that no bit of the checksum can change unnoticed.</summary>
    private static bool IsChecksum(ReadOnlySpan<byte> value) =>
        value.Length == SafetensorsFile.ChecksumDigits && !value.ContainsAnyExcept(_digits);

    private string ValueText(int place)
    {
        var json = HeaderNames.ValueAt(_text, place, out _);
        json.Read();
        return json.GetString()!;
    }

    private string Text(int place) => HeaderNames.KeyAt(_text, place).GetString()!;

    /// <summary>The subject of a message, followed by the name at a position unless that is negative.</summary>
    private string Tensor(string what, int name) =>
        name < 0 ? what : $"{(what.Length == 0 ? "the tensor" : what)} '{Short(HeaderNames.KeyAt(_text, name))}'";

    /// <summary>The name or string that a reader has read, for a message. A long string is cut and its escapes are not decoded.</summary>
    private static string Short(in Utf8JsonReader json)
    {
        const int Most = 600; // A hundred characters, all escaped.
        return Short(json.ValueSpan.Length <= Most ? json.GetString()! : Encoding.UTF8.GetString(json.ValueSpan[..Most]));
    }

    /// <summary>Text from a file, for a message.</summary>
    private static string Short(string text) => text.Length <= 100 ? text : text[..100] + "...";

    private string ShapeText(int place)
    {
        var rest = _text.AsSpan(place);
        return Short(Encoding.UTF8.GetString(rest[..Math.Min(101, rest.IndexOf((byte)']') + 1)]));
    }

    [DoesNotReturn]
    private void Refuse(string why) => Refuse<int>(why);

    [DoesNotReturn]
    private TResult Refuse<TResult>(string why) => throw new ModelFileException($"{_file.Origin}: {why}.");

    /// <summary>What the header says about a tensor. The shape is a position in the text.</summary>
    private readonly record struct Facts(TensorType Type, int Shape, long Begin, long End);
}
