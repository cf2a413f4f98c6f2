using Backprop.Simd.Serialization;

namespace Backprop.Simd.Samples;

/// <summary>Tries before the work begins whether results can be written; reports a problem on one line.</summary>
internal static class OutputPath
{
    /// <summary>Whether a file can be written. An existing file stays as it is.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The file; null where none is asked for.</param>
    /// <param name="problem">What is wrong; empty if nothing is.</param>
    public static bool CanWrite(string option, string? path, out string problem)
    {
        problem = "";
        try
        {
            if (path is not null)
                AtomicFile.RequireWritable(path);
        }
        catch (Exception error) when (IsUnwritable(error))
        {
            problem = Unwritable(option, path!, error);
        }

        return problem.Length == 0;
    }

    /// <summary>Makes a directory if it is missing, and tells whether files can be written into it.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="directory">The directory; null where none is asked for.</param>
    /// <param name="names">The names of the files.</param>
    /// <param name="problem">What is wrong; empty if nothing is.</param>
    public static bool CanWriteInto(string option, string? directory, ReadOnlySpan<string> names, out string problem)
    {
        problem = "";
        if (directory is null)
            return true;
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception error) when (IsUnwritable(error))
        {
            problem = Unwritable(option, directory, error);
            return false;
        }

        foreach (var name in names)
        {
            if (!CanWrite(option, Path.Combine(directory, name), out problem))
                return false;
        }

        return true;
    }

    /// <summary>Whether a failure to write is reported rather than thrown.</summary>
    public static bool IsUnwritable(Exception error) => error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    /// <summary>The problem on one line.</summary>
    public static string Unwritable(string option, string path, Exception error) =>
        $"{option} '{path}': expected a path that can be written ({error.Message.ReplaceLineEndings(" ")})";
}
