namespace Backprop.Simd.Memory;

/// <summary>What a path leads to, found out without opening it: to open a pipe waits for whoever has its other end.</summary>
internal static class RegularFile
{
    /// <summary>More links than these in one path are taken for a circle, as Linux does.</summary>
    private const int MostLinks = 40;

    /// <summary>The path of the file itself, behind all symbolic links; the file need not be there.</summary>
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
            // What ".." means is known only where the links before it have been followed.
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

    /// <summary>False where a file has no bytes or is a pipe or a device, whose length reads as 0. Where there is no file, opening is to say so.</summary>
    public static bool HasBytes(string path) => new FileInfo(Follow(path)) is not { Exists: true, Length: 0 };

    /// <summary>Whether a file that is there is a pipe or a device.</summary>
    /// <param name="path">The file, behind all links.</param>
    /// <exception cref="UnauthorizedAccessException">The file has no bytes, and may not be written.</exception>
    public static bool IsSpecial(string path)
    {
        if (OperatingSystem.IsWindows() || HasBytes(path))
            return false;
        try
        {
            // For both directions, so that a pipe does not wait. A file takes its own length, a pipe and a device have none to take.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            stream.SetLength(stream.Length);
            return false;
        }
        catch (Exception error) when (error is IOException or NotSupportedException)
        {
            return true;
        }
    }

    /// <summary>Puts the parts of a path onto those still to go.</summary>
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
