using System.Globalization;
using System.Security.Cryptography;

namespace Backprop.Simd.Serialization;

/// <summary>Files that are there in whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file aside, flushes it to the disk and puts it into its place: whoever opens <paramref name="path"/> finds the old file or
    /// the new one, never a part. If anything fails, the old file is as it was, and what was written aside is deleted.
    /// </summary>
    /// <remarks>
    /// The name aside is that of the file between a dot and eight random digits with the ending <c>.tmp</c>, in the same directory, so that
    /// one move within the file system replaces the old file; a process that is killed leaves it behind, and nothing ever reads it. Two limits:
    /// the entry in the directory itself is not flushed (there is no such call in .NET), so that after a power cut the old file may be
    /// back; and the new file has the default permissions, also where the old one was a symbolic link, which it then replaces.
    /// </remarks>
    /// <param name="path">The file; its directory exists.</param>
    /// <param name="write">What writes its content; the stream is closed behind it.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a directory.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        var full = Path.GetFullPath(path);
        var name = Path.GetFileName(full);
        if (name.Length == 0)
            throw new ArgumentException($"Expected the path of a file; got that of a directory, '{path}'.", nameof(path));
        var number = RandomNumberGenerator.GetInt32(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture);
        var aside = Path.Combine(Path.GetDirectoryName(full)!, $".{name}.{number}.tmp");
        var created = false;
        try
        {
            // Unbuffered: what writes here has blocks of its own.
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0))
            {
                created = true;
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, full, overwrite: true);
            created = false;
        }
        finally
        {
            if (created)
                Delete(aside);
        }
    }

    /// <summary>Deletes what is left, and lets the failure be known that led here, not that of deleting.</summary>
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
