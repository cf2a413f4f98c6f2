using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>
/// Writes named tensors in the safetensors format (<see href="https://github.com/huggingface/safetensors"/>): the length N of the header
/// in 8 bytes, N bytes of JSON that say type, shape and place of each tensor, and the data, row-major, little-endian and without gaps.
/// </summary>
/// <remarks>
/// Values are not copied: they are read when the file is written, and must not change meanwhile. Tensors of wider elements come first in the
/// data and the data starts on a multiple of 8, so that each tensor lies on a multiple of its element's size, as the reference
/// writer does it; the spaces that this takes stand before the header's last brace. Within one size the order is that of adding.
/// </remarks>
public sealed class SafetensorsWriter
{
    private const int BlockElements = 1 << 17;
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<KeyValuePair<string, string>> _metadata = [];
    private readonly List<Entry> _tensors = [];
    private readonly HashSet<string> _keys = [], _names = [];

    /// <summary>
    /// Whether the file carries a checksum: the metadata entry <c>sha256</c>, 64 hexadecimal digits of the SHA-256 of the whole file with
    /// these digits replaced by zeros. The values are then read twice; should they change in between, readers refuse the file.
    /// </summary>
    public bool Checksum { get; init; }

    /// <summary>Adds an entry to the metadata, which a file holds in the order of adding.</summary>
    /// <param name="key">The key, other than <c>sha256</c>.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The key is there already or reserved, or a text is no valid UTF-16.</exception>
    public void AddMetadata(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        Encodable(key, nameof(key));
        Encodable(value, nameof(value));
        if (key == SafetensorsFile.ChecksumKey)
            throw new ArgumentException($"The key '{key}' is that of the checksum, which {nameof(Checksum)} adds.", nameof(key));
        if (!_keys.Add(key))
            throw new ArgumentException($"There is metadata with the key '{key}' already.", nameof(key));
        _metadata.Add(new(key, value));
    }

    /// <summary>Adds a tensor.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="values">Its elements, row-major; read by <see cref="Write(Stream)"/>.</param>
    /// <exception cref="ArgumentException">The name is taken or reserved, or there are not as many values as the shape has elements.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    public void Add<T>(string name, Shape shape, ReadOnlyMemory<T> values)
        where T : unmanaged => Add(name, Dimensions(shape), values);

    /// <inheritdoc cref="Add{T}(string, Shape, ReadOnlyMemory{T})"/>
    [OverloadResolutionPriority(-1)]
    public void Add<T>(string name, Shape shape, T[] values)
        where T : unmanaged => Add(name, Dimensions(shape), values);

    /// <summary>Adds a tensor of any rank.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="shape">Its dimensions, each 0 or more; none for a scalar.</param>
    /// <param name="values">Its elements, row-major; read by <see cref="Write(Stream)"/>.</param>
    /// <exception cref="ArgumentException">The name is taken or reserved, or there are not as many values as the shape has elements.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    public void Add<T>(string name, ReadOnlySpan<long> shape, ReadOnlyMemory<T> values)
        where T : unmanaged
    {
        var count = Count(shape);
        if (values.Length != count)
            throw new ArgumentException($"The shape [{string.Join(", ", shape.ToArray())}] of '{name}' has {count} elements; got {values.Length}.", nameof(values));
        Add(name, shape, () => values.Span);
    }

    /// <inheritdoc cref="Add{T}(string, ReadOnlySpan{long}, ReadOnlyMemory{T})"/>
    [OverloadResolutionPriority(-1)]
    public void Add<T>(string name, ReadOnlySpan<long> shape, T[] values)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        Add<T>(name, shape, values.AsMemory());
    }

    /// <summary>Adds a tensor whose values are asked for while the file is written.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="shape">Its dimensions, each 0 or more; none for a scalar.</param>
    /// <param name="values">Gives its elements, row-major, the same at each call: <c>() => network.Parameters</c>.</param>
    /// <exception cref="ArgumentException">The name is taken or reserved, or a dimension is negative.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    public void Add<T>(string name, ReadOnlySpan<long> shape, Func<ReadOnlySpan<T>> values)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(values);
        Encodable(name, nameof(name));
        var entry = new Entry<T>(name, shape.ToArray(), Count(shape), values);
        if (name == SafetensorsFile.MetadataKey)
            throw new ArgumentException($"The name '{name}' is reserved for the metadata.", nameof(name));
        if (!_names.Add(name))
            throw new ArgumentException($"There is a tensor named '{name}' already.", nameof(name));
        _tensors.Add(entry);
    }

    /// <summary>Writes the file as <see cref="AtomicFile"/> does: in whole or not at all.</summary>
    /// <param name="path">The file; its directory exists.</param>
    /// <exception cref="InvalidOperationException">The header would be longer than readers accept, or a tensor does not give as many values as
    /// its shape has elements.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void Write(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes the file to a stream, from its position on. The stream stays open.</summary>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <exception cref="InvalidOperationException">The header would be longer than readers accept, or a tensor does not give as many values as
    /// its shape has elements.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        TensorTypes.RequireLittleEndian();
        var inOrder = _tensors.OrderByDescending(t => t.Type.Size()).ToArray();
        var (header, digits) = Header(inOrder);
        if (Checksum)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(header);
            foreach (var tensor in inOrder)
                tensor.Visit(hash.AppendData);
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()), header.AsSpan(digits));
        }

        stream.Write(header);
        foreach (var tensor in inOrder)
            tensor.Visit(stream.Write);
    }

    /// <summary>A shape as a file has it.</summary>
    internal static long[] Dimensions(Shape shape)
    {
        var dimensions = new long[shape.Rank];
        for (var i = 0; i < dimensions.Length; i++)
            dimensions[i] = shape[i];
        return dimensions;
    }

    /// <summary>The length and the JSON, with zeros for the checksum; and where these start.</summary>
    private (byte[] Header, int Digits) Header(Entry[] inOrder)
    {
        var begins = new Dictionary<string, long>();
        var end = 0L;
        foreach (var tensor in inOrder)
        {
            begins.Add(tensor.Name, end);
            end = checked(end + tensor.Bytes);
        }

        var json = new ArrayBufferWriter<byte>();
        var digits = 0;
        using (var writer = new Utf8JsonWriter(json, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (_metadata.Count > 0 || Checksum)
            {
                writer.WriteStartObject(SafetensorsFile.MetadataKey);
                foreach (var (key, value) in _metadata)
                    writer.WriteString(key, value);
                if (Checksum)
                {
                    writer.WriteString(SafetensorsFile.ChecksumKey, new string('0', SafetensorsFile.ChecksumDigits));
                    digits = checked((int)(writer.BytesCommitted + writer.BytesPending)) - 1 - SafetensorsFile.ChecksumDigits;
                }

                writer.WriteEndObject();
            }

            foreach (var tensor in _tensors)
            {
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", tensor.Type.Name());
                writer.WriteStartArray("shape");
                foreach (var dimension in tensor.Shape)
                    writer.WriteNumberValue(dimension);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(begins[tensor.Name]);
                writer.WriteNumberValue(begins[tensor.Name] + tensor.Bytes);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        var length = (json.WrittenCount + 7) / 8 * 8;
        if (length > SafetensorsFile.MaxHeaderLength)
            throw new InvalidOperationException($"The header would have {length} bytes; readers accept {SafetensorsFile.MaxHeaderLength}.");
        var header = new byte[sizeof(ulong) + length];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)length);
        var text = header.AsSpan(sizeof(ulong));
        text.Fill((byte)' ');
        json.WrittenSpan[..^1].CopyTo(text);
        text[^1] = (byte)'}';
        return (header, sizeof(ulong) + digits);
    }

    private static long Count(ReadOnlySpan<long> shape)
    {
        var count = 1L;
        foreach (var dimension in shape)
        {
            if (dimension < 0)
                throw new ArgumentException($"Dimensions are 0 or more; got [{string.Join(", ", shape.ToArray())}].", nameof(shape));
            var product = Math.BigMul(count, dimension);
            if (product > int.MaxValue)
                throw new ArgumentException($"A tensor has at most 2^31 - 1 elements; got [{string.Join(", ", shape.ToArray())}].", nameof(shape));
            count = (long)product;
        }

        return count;
    }

    private static void Encodable(string text, string parameter)
    {
        try
        {
            _strict.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("The text holds half of a surrogate pair, which UTF-8 has no form for.", parameter, e);
        }
    }

    private abstract class Entry(string name, TensorType type, long[] shape, long count)
    {
        public string Name => name;

        public TensorType Type => type;

        public long[] Shape => shape;

        public long Bytes => Count * type.Size();

        protected long Count => count;

        /// <summary>Hands the bytes over, in blocks.</summary>
        public abstract void Visit(ReadOnlySpanAction action);
    }

    private delegate void ReadOnlySpanAction(ReadOnlySpan<byte> bytes);

    private sealed class Entry<T>(string name, long[] shape, long count, Func<ReadOnlySpan<T>> values)
        : Entry(name, TensorTypes.Of<T>(), shape, count)
        where T : unmanaged
    {
        public override void Visit(ReadOnlySpanAction action)
        {
            var rest = values();
            if (rest.Length != Count)
                throw new InvalidOperationException($"'{Name}' [{string.Join(", ", Shape)}] has {Count} elements; it gave {rest.Length}.");
            for (; !rest.IsEmpty; rest = rest[Math.Min(BlockElements, rest.Length)..])
                action(MemoryMarshal.AsBytes(rest[..Math.Min(BlockElements, rest.Length)]));
        }
    }
}
