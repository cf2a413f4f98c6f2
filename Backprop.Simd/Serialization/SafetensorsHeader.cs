using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace Backprop.Simd.Serialization;

/// <summary>
/// The JSON of a safetensors file, read strictly: an object of tensors, each an object with exactly <c>dtype</c>, <c>shape</c> and
/// <c>data_offsets</c>, and possibly <c>__metadata__</c>, an object of strings; no name twice; the tensors fill the data without gap or overlap.
/// </summary>
/// <remarks>White space around the object is accepted. What is allocated is in proportion to the header's own bytes.</remarks>
internal ref struct SafetensorsHeader
{
    private static readonly SearchValues<byte> _digits = SearchValues.Create("0123456789abcdef"u8);

    private readonly SafetensorsFile _file;
    private readonly long _dataLength;
    private readonly HashSet<string> _keys = [];
    private Utf8JsonReader _json;

    private SafetensorsHeader(SafetensorsFile file, ReadOnlySpan<byte> text, long dataLength)
    {
        _file = file;
        _dataLength = dataLength;
        _json = new Utf8JsonReader(text);
    }

    public List<KeyValuePair<string, string>> Metadata { get; } = [];

    public List<SafetensorsTensor> Tensors { get; } = [];

    /// <summary>Where the digits of the checksum start in the header; -1 if there is none.</summary>
    public int Checksum { get; private set; } = -1;

    /// <summary>Reads a header.</summary>
    /// <param name="file">The file, for messages and for the tensors to belong to.</param>
    /// <param name="text">The JSON.</param>
    /// <param name="dataLength">The bytes behind it.</param>
    /// <exception cref="ModelFileException">The header is not as described.</exception>
    public static SafetensorsHeader Parse(SafetensorsFile file, ReadOnlySpan<byte> text, long dataLength)
    {
        var header = new SafetensorsHeader(file, text, dataLength);
        if (!Utf8.IsValid(text))
            header.Refuse("the header is no valid UTF-8");
        try
        {
            header.ReadAll();
        }
        catch (JsonException e)
        {
            throw new ModelFileException($"{file.Origin}: the header is no valid JSON: {e.Message}", e);
        }

        header.CheckPlaces();
        return header;
    }

    private void ReadAll()
    {
        Next(JsonTokenType.StartObject, "the header");
        while (NextKey("the header", _keys) is { } name)
        {
            if (name == SafetensorsFile.MetadataKey)
                ReadMetadata();
            else
                Tensors.Add(ReadTensor(name));
        }

        while (_json.Read())
            Refuse("there is something behind the header's object");
    }

    private void ReadMetadata()
    {
        Next(JsonTokenType.StartObject, "the metadata");
        var keys = new HashSet<string>();
        while (NextKey("the metadata", keys) is { } key)
        {
            Next(JsonTokenType.String, $"the metadata '{Short(key)}'");
            Metadata.Add(new(key, Text()));
            if (key == SafetensorsFile.ChecksumKey && !_json.ValueIsEscaped && IsChecksum(_json.ValueSpan))
                Checksum = (int)_json.TokenStartIndex + 1;
        }
    }

    private SafetensorsTensor ReadTensor(string name)
    {
        var what = $"the tensor '{Short(name)}'";
        Next(JsonTokenType.StartObject, what);
        TensorType? type = null;
        List<long>? shape = null, offsets = null;
        var keys = new HashSet<string>();
        while (NextKey(what, keys) is { } key)
        {
            switch (key)
            {
                case "dtype":
                    Next(JsonTokenType.String, $"the dtype of {what}");
                    type = TensorTypes.TryParse(Text(), out var known) ? known : Refuse<TensorType>($"{what} has the unknown dtype '{Short(Text())}'");
                    break;
                case "shape":
                    shape = ReadNumbers($"the shape of {what}");
                    break;
                case "data_offsets":
                    offsets = ReadNumbers($"the data_offsets of {what}");
                    break;
                default:
                    Refuse($"{what} has the unknown key '{Short(key)}'");
                    break;
            }
        }

        if (type is null)
            Refuse($"{what} has no dtype");
        if (shape is null)
            Refuse($"{what} has no shape");
        if (offsets is not [var begin, var end])
            return Refuse<SafetensorsTensor>($"{what} has no data_offsets of two numbers");
        if (begin > end || end > _dataLength)
            Refuse($"{what} claims the bytes {begin} to {end} of {_dataLength}");

        Int128 bytes = shape.Contains(0) ? 0 : type.Value.Size();
        foreach (var dimension in shape)
        {
            bytes *= dimension; // Below 2^63 times 2^63.
            if (bytes > _dataLength)
                Refuse($"{what} has {type.Value.Name()} [{ShapeText(shape)}], which is more than the file's {_dataLength} bytes of data");
        }

        if (bytes != end - begin)
            Refuse($"{what} has {type.Value.Name()} [{ShapeText(shape)}], which takes {bytes} bytes; its data_offsets {begin} and {end} give it {end - begin}");
        return new SafetensorsTensor(_file, name, type.Value, [.. shape], begin, end);
    }

    /// <summary>The tensors in the order of their places must follow each other from the first byte to the last.</summary>
    private readonly void CheckPlaces()
    {
        var reached = 0L;
        foreach (var tensor in Tensors.OrderBy(t => t.Begin).ThenBy(t => t.End))
        {
            if (tensor.Begin < reached)
                Refuse($"the tensor '{Short(tensor.Name)}' overlaps another: it starts at {tensor.Begin}, where one reaches to {reached}");
            if (tensor.Begin > reached)
                Refuse($"the bytes {reached} to {tensor.Begin} of the data belong to no tensor");
            reached = tensor.End;
        }

        if (reached != _dataLength)
            Refuse($"the tensors end at byte {reached} of {_dataLength}: what is behind belongs to none");
    }

    private List<long> ReadNumbers(string what)
    {
        Next(JsonTokenType.StartArray, what);
        var numbers = new List<long>();
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.Number || !_json.TryGetInt64(out var number) || number < 0)
                return Refuse<List<long>>($"{what} holds something other than integers from 0 to 2^63 - 1");
            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>The next key of an object, or null at its end.</summary>
    private string? NextKey(string what, HashSet<string> keys)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.EndObject)
            return null;
        var key = Text();
        if (!keys.Add(key))
            Refuse($"{what} has '{Short(key)}' twice");
        return key;
    }

    private void Next(JsonTokenType expected, string what)
    {
        if (!_json.Read() || _json.TokenType != expected)
            Refuse($"{what} should start with {expected}; it starts with {_json.TokenType}");
    }

    /// <summary>The current name or string. An escaped half of a surrogate pair is no text.</summary>
    private readonly string Text()
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new ModelFileException($"{_file.Origin}: the header has a string that is no valid text: {e.Message}", e);
        }
    }

    /// <summary>Digits in lower case alone, so that no bit of them can change unnoticed.</summary>
    private static bool IsChecksum(ReadOnlySpan<byte> value) =>
        value.Length == SafetensorsFile.ChecksumDigits && !value.ContainsAnyExcept(_digits);

    /// <summary>A name from a file, in a message.</summary>
    private static string Short(string name) => name.Length <= 100 ? name : name[..100] + "...";

    private static string ShapeText(List<long> shape) => Short(string.Join(", ", shape));

    [DoesNotReturn]
    private readonly void Refuse(string why) => Refuse<int>(why);

    [DoesNotReturn]
    private readonly TResult Refuse<TResult>(string why) => throw new ModelFileException($"{_file.Origin}: {why}.");
}
