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
/// in 8 bytes, N bytes of JSON with the type, shape and position of each tensor, and the data, row-major, little-endian and without gaps.
/// </summary>
/// <remarks>
/// Values are not copied. They are read when the file is written, and must not change meanwhile. As in the reference writer, tensors with wider
/// elements come first and the data starts at a multiple of 8, so that each tensor starts at a multiple of its element size. The spaces
/// needed for that stand before the header's last brace. Tensors of the same element size keep the order in which they were added.
/// </remarks>
public sealed class SafetensorsWriter
{
    private const int BlockElements = 1 << 17;
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<KeyValuePair<string, string>> _metadata = [];
    private readonly List<Entry> _tensors = [];
    private readonly HashSet<string> _keys = [], _names = [];

    /// <summary>
    /// Whether the file gets a checksum: the metadata entry <c>sha256</c>, 64 hexadecimal digits. It is the SHA-256 of the whole file with
    /// these digits replaced by zeros. The values are then read twice; if they change in between, readers refuse the file.
    /// </summary>
    public bool Checksum { get; init; }

    /// <summary>Adds an entry to the metadata. The file keeps the order of the calls.</summary>
    /// <param name="key">The key, other than <c>sha256</c>.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The key is taken or reserved, or a text is not valid UTF-16.</exception>
    public void AddMetadata(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        Encodable(key, nameof(key));
        Encodable(value, nameof(value));
        if (key == SafetensorsFile.ChecksumKey)
            throw new ArgumentException($"The key '{key}' is reserved for the checksum; set {nameof(Checksum)} to add one.", nameof(key));
        if (!_keys.Add(key))
            throw new ArgumentException($"The metadata already has the key '{key}'.", nameof(key));
        _metadata.Add(new(key, value));
    }

    /// <summary>Adds a tensor.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="values">Its elements, row-major; read by <see cref="Write(Stream)"/>.</param>
    /// <exception cref="ArgumentException">The name is taken or reserved, or the number of values does not match the shape.</exception>
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
    /// <param name="shape">Its dimensions, each 0 or more; empty for a scalar.</param>
    /// <param name="values">Its elements, row-major; read by <see cref="Write(Stream)"/>.</param>
    /// <exception cref="ArgumentException">The name is taken or reserved, or the number of values does not match the shape.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    public void Add<T>(string name, ReadOnlySpan<long> shape, ReadOnlyMemory<T> values)
        where T : unmanaged
    {
        var count = Count(shape);
        if (values.Length != count)
            throw new ArgumentException($"The shape [{string.Join(", ", shape.ToArray())}] of '{name}' has {count} elements; got {values.Length}.",
                nameof(values));
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

    /// <summary>Adds a tensor whose values are requested while the file is written.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="name">Its name, unique in the file.</param>
    /// <param name="shape">Its dimensions, each 0 or more; empty for a scalar.</param>
    /// <param name="values">Returns its elements, row-major, the same at each call: <c>() => network.Parameters</c>.</param>
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
            throw new ArgumentException($"The file already has a tensor named '{name}'.", nameof(name));
        _tensors.Add(entry);
    }

    /// <summary>Writes the file completely or not at all.</summary>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <exception cref="InvalidOperationException">The header would be longer than readers accept, or a tensor returns a number of values that
    /// does not match its shape.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void Write(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes the file to a stream at its current position. The stream stays open.</summary>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <exception cref="InvalidOperationException">The header would be longer than readers accept, or a tensor returns a number of values that
    /// does not match its shape.</exception>
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

    /// <summary>The dimensions of a shape as 64-bit integers.</summary>
    internal static long[] Dimensions(Shape shape)
    {
        var dimensions = new long[shape.Rank];
        for (var i = 0; i < dimensions.Length; i++)
            dimensions[i] = shape[i];
        return dimensions;
    }

    /// <summary>The length and the JSON, with zeros for the checksum, and the position of the zeros.</summary>
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
            throw new InvalidOperationException($"The header would have {length} bytes; readers accept at most {SafetensorsFile.MaxHeaderLength}.");
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
                throw new ArgumentException($"Dimensions must be 0 or more; got [{string.Join(", ", shape.ToArray())}].", nameof(shape));
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
            throw new ArgumentException("The text has half of a surrogate pair and cannot be written as UTF-8.", parameter, e);
        }
    }

    private abstract class Entry(string name, TensorType type, long[] shape, long count)
    {
        public string Name => name;

        public TensorType Type => type;

        public long[] Shape => shape;

        public long Bytes => Count * type.Size();

        protected long Count => count;

        /// <summary>Writes the bytes in blocks.</summary>
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
                throw new InvalidOperationException($"'{Name}' [{string.Join(", ", Shape)}] has {Count} elements; the call returned {rest.Length}.");
            for (; !rest.IsEmpty; rest = rest[Math.Min(BlockElements, rest.Length)..])
                action(MemoryMarshal.AsBytes(rest[..Math.Min(BlockElements, rest.Length)]));
        }
    }
}
