using System.IO.Compression;
using Backprop.Simd.Data;

namespace Backprop.Simd.Serialization;

/// <summary>
/// NumPy's files of several arrays, .npz: <c>Npz.Read("data.npz")["x"].ToArray&lt;float&gt;()</c>,
/// <c>Npz.Write("data.npz", file => file.Add("x", values, 100, 10))</c>. What <c>numpy.savez</c> and <c>numpy.savez_compressed</c> write is read,
/// and what is written <c>numpy.load</c> reads.
/// </summary>
/// <remarks>A .npz is a zip file whose entries are .npy files; the name of an array is that of its entry without <c>.npy</c>.</remarks>
public static class Npz
{
    internal const string Extension = ".npy";

    private const int BlockBytes = 1 << 16;

    /// <summary>Reads all arrays of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maximumBytes">The most bytes that all entries may have together once they are expanded. What the file says about their sizes is not
    /// trusted.</param>
    /// <returns>The arrays by name, in the order of the file. For a name that is not there, the indexer throws <see cref="KeyNotFoundException"/>
    /// with those that are.</returns>
    /// <exception cref="DataFormatException">The file has another format, is damaged or expands to more bytes; an entry is encrypted, is no .npy, has
    /// the name of another or a name that leads out of a folder.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static IReadOnlyDictionary<string, NpyArray> Read(string path, long maximumBytes = Npy.DefaultMaximumBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegative(maximumBytes);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Read(stream, path, maximumBytes);
    }

    /// <summary>Reads all arrays from a stream, from its position to its end. The stream stays open. If it is not seekable, or not at its beginning,
    /// its bytes are read into memory first.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="maximumBytes">The most bytes that all entries may have together once they are expanded, and that are read into memory first.</param>
    /// <returns>The arrays by name, in the order of the file. For a name that is not there, the indexer throws <see cref="KeyNotFoundException"/>
    /// with those that are.</returns>
    /// <exception cref="ArgumentException">The stream cannot be read.</exception>
    /// <exception cref="DataFormatException">The file has another format, is damaged or expands to more bytes; an entry is encrypted, is no .npy, has
    /// the name of another or a name that leads out of a folder.</exception>
    public static IReadOnlyDictionary<string, NpyArray> Read(Stream stream, long maximumBytes = Npy.DefaultMaximumBytes)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegative(maximumBytes);
        if (!stream.CanRead)
            throw new ArgumentException("The stream cannot be read.", nameof(stream));
        if (stream.CanSeek && stream.Position == 0)
            return Read(stream, "stream", maximumBytes);
        using var memory = new MemoryStream();
        var block = new byte[BlockBytes];
        for (int read; (read = stream.Read(block)) > 0;)
        {
            if (memory.Length + read > Math.Min(maximumBytes, Array.MaxLength))
                throw new DataFormatException($"The stream has more than the {maximumBytes} bytes of '{nameof(maximumBytes)}'.");
            memory.Write(block, 0, read);
        }

        memory.Position = 0;
        return Read(memory, "stream", maximumBytes);
    }

    /// <summary>Writes a file completely or not at all.</summary>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <param name="add">Adds the arrays, one after the other; each is written at once.</param>
    /// <param name="compress">Whether the arrays are compressed (deflate), as by <c>numpy.savez_compressed</c>.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write(string path, Action<NpzWriter> add, bool compress = false)
    {
        ArgumentNullException.ThrowIfNull(add);
        AtomicFile.Write(path, stream => Write(stream, add, compress));
    }

    /// <summary>Writes arrays to a stream at its current position. The stream stays open.</summary>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="add">Adds the arrays, one after the other; each is written at once.</param>
    /// <param name="compress">Whether the arrays are compressed (deflate), as by <c>numpy.savez_compressed</c>.</param>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Write(Stream stream, Action<NpzWriter> add, bool compress = false)
    {
        Npy.Writable(stream);
        ArgumentNullException.ThrowIfNull(add);
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        var writer = new NpzWriter(zip, compress);
        add(writer);
        writer.Close();
    }

    /// <summary>What is wrong with the name of an array; null if nothing is. Other programs may make files of the entries.</summary>
    internal static string? Problem(string name) =>
        name.Length == 0 ? "is empty"
        : name.Length > 1000 ? "has more than 1000 characters"
        : name[0] is '/' or '\\' || name.Length > 1 && name[1] == ':' ? "is an absolute path"
        : name.Split('/', '\\').Contains("..") ? "leads out of its folder"
        : name.AsSpan().ContainsAnyInRange('\0', '\u001F') ? "has control characters"
        : null;

    private static NpzArrays Read(Stream stream, string file, long maximumBytes)
    {
        try
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            var arrays = new NpzArrays(file);
            foreach (var entry in zip.Entries)
            {
                var name = Name(entry, file);
                var path = $"{file}/{entry.FullName}";
                using var expanded = entry.Open();
                var content = new NpzEntryStream(expanded, path, maximumBytes);
                var array = Npy.Read(content, path, maximumBytes);
                content.RequireEnd(entry.Crc32);
                maximumBytes -= content.Count;
                if (!arrays.TryAdd(name, array))
                    throw new DataFormatException($"'{file}' has two arrays named '{name}'.");
            }

            return arrays;
        }
        catch (Exception e) when (e is not DataFormatException and (IOException or InvalidDataException or NotSupportedException or ArgumentException
            or OverflowException))
        {
            throw new DataFormatException($"'{file}' is no zip file, or a damaged one: {e.Message}", e);
        }
    }

    private static string Name(ZipArchiveEntry entry, string file)
    {
        if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
            throw new DataFormatException($"'{file}' holds '{Short(entry.FullName)}'; expected arrays only, NAME{Extension}.");
        var name = entry.FullName[..^Extension.Length];
        if (Problem(name) is { } problem)
            throw new DataFormatException($"'{file}' holds an array whose name {problem}: '{Short(name)}'.");
        return entry.IsEncrypted ? throw new DataFormatException($"'{file}' holds '{name}' encrypted, which is not supported.") : name;
    }

    internal static string Short(string name) => name.Length <= 100 ? name : name[..100] + "...";
}
