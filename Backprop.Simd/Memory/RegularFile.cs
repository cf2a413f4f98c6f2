namespace Backprop.Simd.Memory;

/// <summary>Tells what a path leads to without opening it: opening a pipe would wait for the process at its other end.</summary>
internal static class RegularFile
{
    /// <summary>A path with more links counts as a circle, as in Linux.</summary>
    private const int MostLinks = 40;

    /// <summary>The path of the file itself, behind all symbolic links. The file need not exist.</summary>
    /// <exception cref="IOException">The links go round in a circle.</exception>
    public static string Follow(string path)
    {
        path = Path.GetFullPath(path);
        if (new FileInfo(path).LinkTarget is null)
            return path;
        var rest = new Stack<string>();
        var reached = Begin(path, rest);
        for (var links = 0; rest.TryPop(out var part);)
        {
            // The meaning of ".." is known only after the links before it are followed.
            if (part == "..")
            {
                reached = Path.GetDirectoryName(reached) ?? reached;
                continue;
            }

            var next = Path.Combine(reached, part);
            if (new FileInfo(next).LinkTarget is not { } target)
                reached = next;
            else if (++links > MostLinks)
                throw new IOException($"'{path}' is a link that leads to itself.");
            else
                reached = Begin(Path.Combine(reached, target), rest);
        }

        return reached;
    }

    /// <summary>False if a file is empty, or is a pipe or a device, whose length reads as 0. True if there is no file: opening it then says so.</summary>
    public static bool HasBytes(string path) => new FileInfo(Follow(path)) is not { Exists: true, Length: 0 };

    /// <summary>Whether an existing file is a pipe or a device.</summary>
    /// <param name="path">The file, behind all links.</param>
    /// <exception cref="UnauthorizedAccessException">The file has no bytes, and may not be written.</exception>
    public static bool IsSpecial(string path)
    {
        if (OperatingSystem.IsWindows() || HasBytes(path))
            return false;
        try
        {
            // Opened for both directions, so that a pipe does not wait. A file accepts its own length; a pipe or device has no length to set.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            stream.SetLength(stream.Length);
            return false;
        }
        catch (Exception error) when (error is IOException or NotSupportedException)
        {
            return true;
        }
    }

    /// <summary>Puts the parts of a path on the stack of parts still to follow.</summary>
    /// <returns>Where they begin.</returns>
    private static string Begin(string path, Stack<string> rest)
    {
        var root = Path.GetPathRoot(path)!;
        foreach (var part in path[root.Length..].Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).Reverse())
        {
            if (part is not ("" or "."))
                rest.Push(part);
        }

        return root;
    }
}
