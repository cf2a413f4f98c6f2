namespace Backprop.Simd.Bench;

/// <summary><c>peers prepare</c>: makes LibTorch load on systems whose libstdc++ is older than the one it was built with.</summary>
internal static class PeersCommand
{
    public const string Usage = """
          peers prepare [VERSION]
                              lets LibTorch load on an older libstdc++, such as Debian 12's (VERSION: GLIBCXX_3.4.32)
        """;

    private const string Library = "libLibTorchSharp.so";

    public static int Prepare(string version = "GLIBCXX_3.4.32", string? folder = null)
    {
        var path = Path.Combine(folder ?? AppContext.BaseDirectory, Library);
        if (!File.Exists(path))
        {
            Console.Error.WriteLine($"There is no {path}: build with -p:Peers=true.");
            return 1;
        }

        // The time is kept, so that the next build takes the file for up to date and does not copy the original again.
        var written = File.GetLastWriteTimeUtc(path);
        var content = File.ReadAllBytes(path);
        var changed = ElfVersionNeeds.Weaken(content, version);
        if (changed > 0)
        {
            // A new file: packages may be linked into the output, and theirs must stay as it is.
            File.Delete(path);
            File.WriteAllBytes(path, content);
            File.SetLastWriteTimeUtc(path, written);
        }

        Console.WriteLine($"{Library}: {changed} request(s) for {version} made weak.");
        return 0;
    }
}
