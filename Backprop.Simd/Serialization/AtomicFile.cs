using System.Globalization;
using System.Security.Cryptography;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Serialization;

/// <summary>Writes a file completely or not at all.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a temporary file, flushes it to the disk and moves it to <paramref name="path"/>. Readers see the old file or the new one,
    /// never a part. If anything fails, the old file stays unchanged and the temporary file is deleted.
    /// </summary>
    /// <remarks>
    /// <para>The temporary file is named <c>.NAME.DIGITS.tmp</c>, with eight random digits, and lies in the same directory, so that one move
    /// within the file system replaces the old file. A killed process leaves it behind; nothing ever reads it. The directory entry is not
    /// flushed (.NET has no call for it), so that the old file may be back after a power cut.</para>
    /// <para>The new file gets the mode of the old one, or the default mode if there was no old file. Its owner is the user who writes it. A
    /// symbolic link stays: the file it points to is replaced, in that file's directory.</para>
    /// </remarks>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <param name="write">Writes the content. The stream is closed when it returns.</param>
    /// <exception cref="ArgumentException">The path is empty or ends with a directory separator.</exception>
    /// <exception cref="DirectoryNotFoundException">Its directory does not exist.</exception>
    /// <exception cref="IOException">The file cannot be written, is a pipe or a device, or is a link that leads to nothing or to itself.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a directory.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        Write(path, write, static (stream, write) => write(stream));
    }

    /// <summary>As the other overload, for content that a lambda cannot capture: a span, for example.</summary>
    internal static void Write<TContent>(string path, TContent content, ContentWriter<TContent> write) where TContent : allows ref struct
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var (file, mode) = Target(path);
        var aside = Aside(file);
        var created = false;
        try
        {
            // No buffer: the callers write in blocks. The file stays open, and so marked as in use, until it has its final name.
            using var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 0);
            created = true;
            if (mode is { } old && !OperatingSystem.IsWindows())
                File.SetUnixFileMode(stream.SafeFileHandle, old); // While it is still empty.
            write(stream, content);
            stream.Flush(flushToDisk: true);
            File.Move(aside, file, overwrite: true);
            created = false;
        }
        finally
        {
            if (created)
                Delete(aside);
        }
    }

    internal delegate void ContentWriter<TContent>(Stream stream, TContent content) where TContent : allows ref struct;

    /// <summary>
    /// Checks, before long work starts, that <see cref="Write"/> will be able to write its result: makes the temporary file and deletes it.
    /// A file at <paramref name="path"/> is not touched.
    /// </summary>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <exception cref="ArgumentException">The path is empty or ends with a directory separator.</exception>
    /// <exception cref="DirectoryNotFoundException">Its directory does not exist.</exception>
    /// <exception cref="IOException">The file cannot be written, is a pipe or a device, or is a link that leads to nothing or to itself.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a directory.</exception>
    public static void RequireWritable(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        new FileStream(Aside(Target(path).File), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
    }

    /// <summary>Deletes the temporary files that killed processes left behind, but no file that a running process has open.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="pattern">The pattern of the final names.</param>
    internal static void DeleteAbandoned(string directory, string pattern)
    {
        foreach (var path in Directory.EnumerateFiles(directory, $".{pattern}.????????.tmp"))
        {
            try
            {
                new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The file is open, or we may not delete it. It does no harm.
            }
        }
    }

    private static string Aside(string file)
    {
        var number = RandomNumberGenerator.GetInt32(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture);
        return Path.Combine(Path.GetDirectoryName(file)!, $".{Path.GetFileName(file)}.{number}.tmp");
    }

    /// <summary>The file to replace, and its mode if it exists.</summary>
    private static (string File, UnixFileMode? Mode) Target(string path)
    {
        var full = Path.GetFullPath(path);
        if (Path.GetFileName(full).Length == 0)
            throw new ArgumentException($"Expected the path of a file; got the path of a directory, '{path}'.", nameof(path));
        var file = RegularFile.Follow(full);
        if (Directory.Exists(file))
            throw new UnauthorizedAccessException($"Expected the path of a file; '{path}' is a directory.");
        if (!File.Exists(file))
        {
            if (file != full)
                throw new IOException($"'{path}' is a link to '{file}', which does not exist.");
            if (!Directory.Exists(Path.GetDirectoryName(file)))
                throw new DirectoryNotFoundException($"'{path}' cannot be written: its directory does not exist.");
            return (file, null);
        }

        if (RegularFile.IsSpecial(file))
            throw new IOException($"'{path}' is a pipe or a device and cannot be replaced by a file. Write to a stream instead.");
        return (file, OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(file));
    }

    /// <summary>Deletes the temporary file. A failure to delete it is ignored, so that the caller sees the first failure.</summary>
    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
