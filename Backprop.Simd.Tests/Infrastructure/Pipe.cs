using System.Diagnostics;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>A pipe with a name: to open it waits for whoever opens its other end.</summary>
internal static class Pipe
{
    public static void Make(string path)
    {
        using var process = Process.Start("mkfifo", [path]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
