using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Bench;

/// <summary>One way to publish the cold-start program, and what its runs said, in milliseconds from the start of the process.</summary>
internal sealed class ColdStartForm(string name, double? target, params string[] publishArguments)
{
    private const string Program = "Backprop.Simd.Bench.ColdStart";

    private string _path = "";

    public string Name => name;

    /// <summary>Another library: it starts from other weights.</summary>
    public bool IsPeer { get; init; }

    public double? Target => target;

    public double Loss { get; private set; }

    public List<double> Main { get; } = [];

    public List<double> Built { get; } = [];

    public List<double> Filled { get; } = [];

    public List<double> Done { get; } = [];

    public List<double> Exit { get; } = [];

    public List<double> Step { get; } = [];

    /// <summary>Publishes this form below a folder; where that fails, says so and returns false.</summary>
    public bool Publish(string folder)
    {
        Console.Error.WriteLine($"publish: {name}");
        var output = Path.Combine(folder, name.Replace(",", "", StringComparison.Ordinal).Replace(' ', '-')); // MSBuild splits at commas.
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["publish", ProjectFile(), "-c", "Release", "--nologo", "-v", "quiet", "--artifacts-path",
            Path.Combine(folder, "artifacts"), "-o", output, .. publishArguments])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var messages = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        _path = Path.Combine(output, OperatingSystem.IsWindows() ? Program + ".exe" : Program);
        if (process.ExitCode == 0)
            return !IsPeer || PeersCommand.Prepare(folder: output) == 0;
        Console.WriteLine($"{name}: skipped, it could not be published:\n{messages}{errors.GetAwaiter().GetResult()}");
        return false;
    }

    /// <summary>Starts the program and waits for its end.</summary>
    public void Start(bool measured)
    {
        var begin = Stopwatch.GetTimestamp();
        var start = new ProcessStartInfo(_path, begin.ToString(CultureInfo.InvariantCulture)) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var line = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var exit = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        if (process.ExitCode != 0 || line.Split(' ') is not ["OK", var loss, var main, var built, var filled, var done])
            throw new InvalidOperationException($"{name} ended with {process.ExitCode}: {line}");
        Loss = double.Parse(loss, CultureInfo.InvariantCulture);
        if (!measured)
            return;
        Main.Add(Milliseconds(main));
        Built.Add(Milliseconds(built));
        Filled.Add(Milliseconds(filled));
        Done.Add(Milliseconds(done));
        Exit.Add(exit);
        Step.Add(Milliseconds(done) - Milliseconds(filled));
    }

    private static double Milliseconds(string microseconds) => long.Parse(microseconds, CultureInfo.InvariantCulture) / 1000.0;

    private static string ProjectFile([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "Program", Program + ".csproj");
}
