using System.Diagnostics;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>Runs a scenario of Backprop.Simd.Tests.Probe, or another program of the tests, in a process of its own.</summary>
internal static class ProbeProcess
{
    /// <summary>Starts the probe, waits for its end and returns what it printed.</summary>
    public static async Task<string> Run(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var process = Start(environment, arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }

    /// <summary>Starts the probe; the caller reads both of its outputs.</summary>
    public static Process Start(IReadOnlyDictionary<string, string> environment, params string[] arguments) => StartIn("Probe", environment, arguments);

    /// <summary>Starts the program of a folder of the tests; the caller reads both of its outputs.</summary>
    public static Process StartIn(string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        foreach (var argument in (string[])["exec", PathOf(folder), .. arguments])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    /// <summary>The programs are built beside the tests, in the same configuration.</summary>
    private static string PathOf(string folder)
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(RepositoryRoot.Path, "Backprop.Simd.Tests", folder, "bin", framework.Parent!.Name, framework.Name,
            $"Backprop.Simd.Tests.{folder}.dll");
    }
}
