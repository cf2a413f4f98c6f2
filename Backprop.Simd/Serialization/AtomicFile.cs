using System.Globalization;
using System.Security.Cryptography;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Serialization;

/// <summary>Files that are there in whole or not at all.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file aside, flushes it to the disk and puts it into its place: whoever opens <paramref name="path"/> finds the old file or
    /// the new one, never a part. If anything fails, the old file is as it was, and what was written aside is deleted.
    /// </summary>
    /// <remarks>
    /// <para>The name aside is that of the file between a dot and eight random digits with the ending <c>.tmp</c>, in the same directory, so that
    /// one move within the file system replaces the old file; a process that is killed leaves it behind, and nothing ever reads it. The
    /// entry in the directory itself is not flushed (there is no such call in .NET): after a power cut the old file may be back.</para>
    /// <para>The new file has the mode of the old one, and the default mode where there was none; its owner is whoever writes it. A symbolic link
    /// stays: the file that it leads to is replaced, in that file's directory.</para>
    /// </remarks>
    /// <param name="path">The file; its directory exists.</param>
    /// <param name="write">What writes its content; the stream is closed behind it.</param>
    /// <exception cref="ArgumentException">The path is empty, or ends as that of a directory.</exception>
    /// <exception cref="DirectoryNotFoundException">Its directory does not exist.</exception>
    /// <exception cref="IOException">The file cannot be written, is a pipe or a device, or is a link that leads to nothing or to itself.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a directory.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        var (file, mode) = Target(path);
        var aside = Aside(file);
        var created = false;
        try
        {
            // Unbuffered: what writes here has blocks of its own. It is open, and so known to be in use, until it has its name.
            using var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 0);
            created = true;
            if (mode is { } old && !OperatingSystem.IsWindows())
                File.SetUnixFileMode(stream.SafeFileHandle, old); // Before anything is in it.
            write(stream);
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

    /// <summary>
    /// Finds out before long work whether <see cref="Write"/> can write its result: makes the file aside and deletes it. What is at
    /// <paramref name="path"/> stays as it is.
    /// </summary>
    /// <param name="path">The file; its directory exists.</param>
    /// <exception cref="ArgumentException">The path is empty, or ends as that of a directory.</exception>
    /// <exception cref="DirectoryNotFoundException">Its directory does not exist.</exception>
    /// <exception cref="IOException">The file cannot be written, is a pipe or a device, or is a link that leads to nothing or to itself.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a directory.</exception>
    public static void RequireWritable(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        new FileStream(Aside(Target(path).File), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
    }

    /// <summary>Deletes what a killed process has left of a file in the making; not what a living one has open.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="pattern">The names of the files that were to be made.</param>
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
                // Open elsewhere, or not ours to delete: it harms nobody.
            }
        }
    }

    private static string Aside(string file)
    {
        var number = RandomNumberGenerator.GetInt32(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture);
        return Path.Combine(Path.GetDirectoryName(file)!, $".{Path.GetFileName(file)}.{number}.tmp");
    }

    /// <summary>What is to be replaced, and its mode where it is there.</summary>
    private static (string File, UnixFileMode? Mode) Target(string path)
    {
        var full = Path.GetFullPath(path);
        if (Path.GetFileName(full).Length == 0)
            throw new ArgumentException($"Expected the path of a file; got that of a directory, '{path}'.", nameof(path));
        var file = RegularFile.Follow(full);
        if (Directory.Exists(file))
            throw new UnauthorizedAccessException($"Expected the path of a file; '{path}' is a directory.");
        if (!File.Exists(file))
        {
            if (file != full)
                throw new IOException($"'{path}' is a link to '{file}', which is not there.");
            if (!Directory.Exists(Path.GetDirectoryName(file)))
                throw new DirectoryNotFoundException($"'{path}' cannot be written: its directory is not there.");
            return (file, null);
        }

        if (RegularFile.IsSpecial(file))
            throw new IOException($"'{path}' is a pipe or a device, which no file can replace: write to a stream.");
        return (file, OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(file));
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
