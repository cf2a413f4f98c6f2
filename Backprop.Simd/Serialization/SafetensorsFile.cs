using System.Buffers.Binary;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Serialization;

/// <summary>
/// A safetensors file, open for reading (<see href="https://github.com/huggingface/safetensors"/>). Opening reads and checks the header.
/// The data of a tensor is read when it is asked for. Only one thread at a time may use a file.
/// </summary>
/// <remarks>
/// Stricter than the format: unknown keys and types, duplicate names, gaps, overlaps and bytes after the data are refused. White space around
/// the JSON is accepted.
/// </remarks>
public sealed class SafetensorsFile : ITensorFile, IDisposable
{
    /// <summary>The longest header that is read, in bytes: 100,000,000, as in the reference implementation.</summary>
    public const int MaxHeaderLength = 100_000_000;

    internal const string MetadataKey = "__metadata__";
    internal const string ChecksumKey = "sha256";
    internal const int ChecksumDigits = 64;

    private readonly Stream _stream;
    private readonly bool _ownsStream;
    private readonly long _start;
    private readonly long _dataStart;
    private readonly long _length;
    private readonly long _checksum;
    private readonly SafetensorsHeader _header;
    private SafetensorsTensor?[]? _tensors;
    private bool _isClosed;

    private SafetensorsFile(Stream stream, bool ownsStream, string origin)
    {
        TensorTypes.RequireLittleEndian();
        (_stream, _ownsStream, Origin) = (stream, ownsStream, origin);
        _start = stream.Position;
        _length = stream.Length - _start;
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        if (_length < prefix.Length)
            throw new ModelFileException($"{origin} has {Math.Max(_length, 0)} bytes; a safetensors file starts with the 8 bytes of a length.");
        ReadExactly(prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxHeaderLength)
            throw new ModelFileException($"{origin} announces a header of {headerLength} bytes; at most {MaxHeaderLength} are allowed. "
                + (prefix is [(byte)'P', (byte)'K', ..] ? "It is a zip archive, as torch.save writes: package Backprop.Simd.Interchange reads it."
                    : "Is it a safetensors file?"));
        if ((long)headerLength > _length - prefix.Length)
            throw new ModelFileException($"{origin} announces a header of {headerLength} bytes, but has only {_length}.");
        var text = new byte[headerLength];
        ReadExactly(text);
        _dataStart = prefix.Length + text.Length;
        _header = new SafetensorsHeader(this, text, _length - _dataStart);
        _checksum = _header.Checksum < 0 ? -1 : prefix.Length + _header.Checksum;
        Metadata = new MadeList<KeyValuePair<string, string>>(_header.Metadata, _header.MetadataEntry);
        Tensors = new MadeList<SafetensorsTensor>(_header.Tensors, Tensor);
    }

    /// <summary>The metadata, in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; }

    /// <summary>The tensors, in the order of the header.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors { get; }

    /// <summary>Whether the metadata has a checksum as written by <see cref="SafetensorsWriter.Checksum"/>.</summary>
    public bool HasChecksum => _checksum >= 0;

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    /// <remarks>Python's writer sorts by name; ours keeps the order in which tensors were added, and says so.</remarks>
    public bool IsInOrder => FindMetadata(NetworkFiles.WriterKey) == NetworkFiles.OwnWriter;

    /// <inheritdoc/>
    IReadOnlyList<INamedTensor> ITensorFile.Tensors => Tensors;

    /// <summary>Finds a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ModelFileException">There is no tensor of this name.</exception>
    public SafetensorsTensor this[string name] =>
        TryFind(name, out var tensor) ? tensor : throw new ModelFileException($"{Origin}: there is no tensor '{name}'.");

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file. Dispose it.</returns>
    /// <exception cref="ModelFileException">The file is damaged or not a safetensors file.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!RegularFile.HasBytes(path))
            throw new ModelFileException($"'{path}' is empty, or a pipe or a device; a safetensors file starts with the 8 bytes of a length.");

        // Others may replace or delete the file meanwhile: the open file keeps its content.
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            return new SafetensorsFile(stream, ownsStream: true, $"'{path}'");
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a file from a stream, from its position to its end. Keep the stream open while tensors are read.</summary>
    /// <param name="stream">The stream. If it cannot seek, it is read into memory first.</param>
    /// <returns>The file. Disposing it leaves the stream open.</returns>
    /// <exception cref="ModelFileException">The bytes are damaged or not a safetensors file.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static SafetensorsFile Open(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.CanSeek)
            return new SafetensorsFile(stream, ownsStream: false, "the stream");
        var memory = new MemoryStream();
        stream.CopyTo(memory);
        memory.Position = 0;
        return new SafetensorsFile(memory, ownsStream: true, "the stream");
    }

    /// <summary>Finds a tensor if it exists.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="tensor">The tensor.</param>
    /// <returns>Whether it exists.</returns>
    public bool TryFind(string name, [NotNullWhen(true)] out SafetensorsTensor? tensor)
    {
        ArgumentNullException.ThrowIfNull(name);
        tensor = _header.Find(name) is >= 0 and var index ? Tensor(index) : null;
        return tensor is not null;
    }

    /// <summary>Finds metadata.</summary>
    /// <param name="key">Its key.</param>
    /// <returns>Its value; null if there is no such key.</returns>
    public string? FindMetadata(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return _header.FindMetadata(key);
    }

    /// <summary>Reads the whole file and compares it with its checksum.</summary>
    /// <exception cref="ModelFileException">The file has no checksum, or its content has changed since it was written.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public void VerifyChecksum()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (!HasChecksum)
            throw new ModelFileException($"{Origin} has no checksum: metadata '{ChecksumKey}' with {ChecksumDigits} hexadecimal digits.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> digits = stackalloc byte[ChecksumDigits];
        var block = new byte[Math.Min(1 << 18, _length)];
        _stream.Position = _start;
        Append(hash, block, _checksum);
        ReadExactly(digits);
        hash.AppendData("0000000000000000000000000000000000000000000000000000000000000000"u8);
        Append(hash, block, _length - _checksum - digits.Length);
        if (Encoding.ASCII.GetString(digits) != Convert.ToHexStringLower(hash.GetHashAndReset()))
            throw new ModelFileException($"{Origin} is damaged: its content does not match its checksum.");
    }

    /// <summary>Closes the file. A stream that was passed in stays open.</summary>
    public void Dispose()
    {
        _isClosed = true;
        if (_ownsStream)
            _stream.Dispose();
    }

    /// <summary>Reads a tensor and converts its elements.</summary>
    internal void Read<T>(SafetensorsTensor tensor, Span<T> destination)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        _stream.Position = _start + _dataStart + tensor.Begin;
        try
        {
            TensorReading.Read(_stream, tensor.Type, destination);
        }
        catch (EndOfStreamException e)
        {
            throw Shortened(e);
        }
    }

    private SafetensorsTensor Tensor(int index) => (_tensors ??= new SafetensorsTensor?[_header.Tensors])[index] ??= _header.Tensor(index);

    private void Append(IncrementalHash hash, byte[] block, long count)
    {
        while (count > 0)
        {
            var part = block.AsSpan(0, (int)Math.Min(count, block.Length));
            ReadExactly(part);
            hash.AppendData(part);
            count -= part.Length;
        }
    }

    private void ReadExactly(Span<byte> bytes)
    {
        try
        {
            _stream.ReadExactly(bytes);
        }
        catch (EndOfStreamException e)
        {
            throw Shortened(e);
        }
    }

    private ModelFileException Shortened(Exception e) => new($"{Origin} had {_length} bytes when it was opened and has become shorter.", e);

    /// <summary>A list that makes its items on demand.</summary>
    private sealed class MadeList<TItem>(int count, Func<int, TItem> make) : IReadOnlyList<TItem>
    {
        public int Count => count;

        public TItem this[int index] => make(index);

        public IEnumerator<TItem> GetEnumerator()
        {
            for (var i = 0; i < count; i++)
                yield return make(i);
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
