using System.Diagnostics;

namespace Backprop.Simd.Bench;

/// <summary>The second mode of a comparison: each side alone in a process, so that no side's threads, memory or caches meet another's.</summary>
internal static class SeparateProcesses
{
    /// <summary>Measures the cases of <paramref name="rows"/> once more; they share their limits.</summary>
    /// <exception cref="InvalidOperationException">A process failed.</exception>
    public static IReadOnlyList<Row> Measure(CompareOptions options, IReadOnlyList<Row> rows, IEnumerable<string> sides)
    {
        Row[] result = [.. rows.Select(r => new Row(r.Area, r.Case, r.Type, r.Threads, r.Operations) { Stream = r.Stream })];
        foreach (var side in sides)
        {
            var file = Path.GetTempFileName();
            try
            {
                Run(options, side, file);
                using var stream = File.OpenRead(file);
                SideTimes.Merge(stream, result);
            }
            finally
            {
                File.Delete(file);
            }
        }

        return result;
    }

    private static void Run(CompareOptions options, string side, string file)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!);
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(SeparateProcesses).Assembly.Location);
        string[] arguments = ["compare", .. options.Selected, "--threads", options.Threads.ToString(), "--rounds", options.Rounds.ToString(),
            "--filter", options.Filter, "--side", side, "--raw", file];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException("The process of a side did not start.");
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"The process of {side} ended with {process.ExitCode}.");
    }
}
