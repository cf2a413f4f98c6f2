using System.Diagnostics.CodeAnalysis;
using System.Text;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>
/// A file of <c>torch.save</c> (<c>.pt</c>, <c>.pth</c>), open for reading: the tensors of a state dictionary. Opening reads the dictionary; the
/// data of a tensor is read when it is asked for. Only one thread at a time may use a file.
/// </summary>
/// <remarks>
/// <para>Such a file is a zip archive with a pickle, which is a program. Nothing of it is run: dictionaries, tuples, lists, texts, numbers and
/// tensors are read, and every other name is refused, by that name. What the file claims is checked before memory is allocated for it. The
/// checksum of each entry is compared when it is first read, unless PyTorch was told to write none.</para>
/// <para>Files from before PyTorch 1.6, whole modules (<c>torch.save(module)</c>) and TorchScript are refused.</para>
/// </remarks>
public sealed class PyTorchFile : ITensorFile, IDisposable
{
    /// <summary>The longest pickle that is read, in bytes. It holds names and shapes, some 200 bytes for a tensor, and no data.</summary>
    public const int MaxPickleLength = 1 << 24;

    private const string Pickle = "/data.pkl";

    private readonly Stream _stream;
    private readonly bool _ownsStream;
    private readonly string _folder;
    private readonly Dictionary<string, ZipEntry> _entries;
    private readonly List<PyTorchTensor> _tensors = [];
    private readonly Dictionary<string, PyTorchTensor> _byName = [];
    private readonly HashSet<string> _checked = [];
    private bool _isClosed;

    private PyTorchFile(Stream stream, bool ownsStream, string origin, string? dictionary)
    {
        if (!BitConverter.IsLittleEndian)
            throw new NotSupportedException("Files of PyTorch need a little-endian machine.");
        (_stream, _ownsStream, Origin) = (stream, ownsStream, origin);
        var start = stream.Position;
        FileKinds.RequireZip(stream, start, origin);
        _entries = ZipDirectory.Read(stream, start, origin);
        var pickles = _entries.Keys.Where(static name => name.EndsWith(Pickle, StringComparison.Ordinal) && name.IndexOf('/') == name.Length - Pickle.Length)
            .ToList();
        if (pickles.Count != 1)
            throw new ModelFileException($"{origin} is a zip archive, but not of PyTorch: it has {pickles.Count} entries 'folder{Pickle}'.");
        _folder = pickles[0][..^Pickle.Length];
        if (_entries.ContainsKey(_folder + "/constants.pkl"))
            throw new ModelFileException($"{origin} is TorchScript, a program. Save the state alone: torch.save(module.state_dict(), path).");
        if (_entries.TryGetValue(_folder + "/byteorder", out var byteOrder))
        {
            var order = Encoding.ASCII.GetString(EntryReader.All(stream, byteOrder, origin, 16)).Trim();
            IsBigEndian = order == "big" || (order == "little" ? false : throw new ModelFileException($"{origin} has the byte order '{Texts.Shown(order)}'."));
        }

        var root = new Unpickler(EntryReader.All(stream, _entries[pickles[0]], origin, MaxPickleLength), origin).Read();
        (Dictionary, var chosen) = StateDictionaries.Choose(root, dictionary, origin);
        foreach (var (name, value) in chosen.Items)
        {
            if (value is not PickleTensor tensor)
                continue;
            RequireData(name, tensor);
            _tensors.Add(new PyTorchTensor(this, name, tensor));
            _byName.Add(name, _tensors[^1]);
        }
    }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <summary>The path of the dictionary that was read, its keys joined by <c>/</c>; empty if it is the whole file.</summary>
    public string Dictionary { get; }

    /// <summary>The tensors, in the order of the dictionary, which for <c>module.state_dict()</c> is that of the registration.</summary>
    public IReadOnlyList<PyTorchTensor> Tensors => _tensors;

    /// <inheritdoc/>
    IReadOnlyList<INamedTensor> ITensorFile.Tensors => _tensors;

    /// <inheritdoc/>
    public bool IsInOrder => true;

    internal bool IsBigEndian { get; }

    /// <summary>Finds a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ModelFileException">There is no tensor of this name.</exception>
    public PyTorchTensor this[string name] =>
        TryFind(name, out var tensor) ? tensor : throw new ModelFileException($"{Origin}: there is no tensor '{name}'.");

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dictionary">The keys that lead to the state dictionary, joined by <c>/</c>: <c>model</c> for
    /// <c>{'model': model.state_dict(), 'epoch': 3}</c>. Null for the dictionary with the most tensors.</param>
    /// <returns>The file. Dispose it.</returns>
    /// <exception cref="ModelFileException">The file is damaged, not a file of PyTorch, or wants something made that is no tensor.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static PyTorchFile Open(string path, string? dictionary = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (new FileInfo(path) is { Exists: true, Length: 0 })
            throw new ModelFileException($"'{path}' is empty, or a pipe or a device.");
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            return new PyTorchFile(stream, ownsStream: true, $"'{path}'", dictionary);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a file from a stream, from its position to its end. Keep the stream open while tensors are read.</summary>
    /// <param name="stream">The stream. If it cannot seek, it is read into memory first.</param>
    /// <param name="dictionary">The keys that lead to the state dictionary, joined by <c>/</c>; null for the dictionary with the most
    /// tensors.</param>
    /// <returns>The file. Disposing it leaves the stream open.</returns>
    /// <exception cref="ModelFileException">The bytes are damaged, not a file of PyTorch, or want something made that is no tensor.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static PyTorchFile Open(Stream stream, string? dictionary = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.CanSeek)
            return new PyTorchFile(stream, ownsStream: false, "the stream", dictionary);
        var memory = new MemoryStream();
        stream.CopyTo(memory);
        memory.Position = 0;
        return new PyTorchFile(memory, ownsStream: true, "the stream", dictionary);
    }

    /// <summary>Finds a tensor if it exists.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="tensor">The tensor.</param>
    /// <returns>Whether it exists.</returns>
    public bool TryFind(string name, [NotNullWhen(true)] out PyTorchTensor? tensor)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _byName.TryGetValue(name, out tensor);
    }

    /// <summary>Closes the file. A stream that was passed in stays open.</summary>
    public void Dispose()
    {
        _isClosed = true;
        if (_ownsStream)
            _stream.Dispose();
    }

    internal EntryReader Reader(PickleStorage storage)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        return new EntryReader(_stream, _entries[DataName(storage)], Origin, _checked.Contains(storage.Key));
    }

    /// <summary>Reads what a reader has left, and compares the whole entry with its checksum, once.</summary>
    internal void Finish(EntryReader reader, PickleStorage storage)
    {
        reader.Finish();
        _checked.Add(storage.Key);
    }

    private string DataName(PickleStorage storage) => $"{_folder}/data/{storage.Key}";

    /// <summary>Throws unless the archive has the data of a tensor.</summary>
    private void RequireData(string name, PickleTensor tensor)
    {
        if (!_entries.TryGetValue(DataName(tensor.Storage), out var entry))
            throw new ModelFileException($"{Origin}: the data of '{Texts.Shown(name)}' is missing, '{Texts.Shown(DataName(tensor.Storage))}'.");
        if (entry.Size / TensorElements.Size(tensor.Storage.Type) < tensor.Storage.Count)
        {
            throw new ModelFileException($"{Origin}: the storage of '{Texts.Shown(name)}' should have {tensor.Storage.Count} elements "
                + $"of {tensor.Storage.Type}; it has {entry.Size} bytes.");
        }
    }
}
