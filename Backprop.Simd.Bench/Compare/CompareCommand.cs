using System.Globalization;

namespace Backprop.Simd.Bench;

/// <summary><c>compare</c>: this library beside every peer, on the same data, in one run.</summary>
internal static class CompareCommand
{
    public const string Usage = """
          compare [gemm|elementwise|array|step|conv|model|all] [--threads N] [--json FILE] [--markdown FILE] [--plot FILE.svg]
                  [--separate] [--filter TEXT] [--rounds N | --quick] [--side NAME]...
                              this library beside its peers (build with -p:Peers=true for all of them; peers/README.md);
                              --filter: the cases whose name has TEXT in it
        """;

    public static int Run(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        CompareOptions options;
        try
        {
            options = CompareOptions.Parse(args);
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            Console.Error.WriteLine("usage:\n" + Usage);
            return 2;
        }

        if (!options.Cases().Any())
        {
            Console.Error.WriteLine($"--filter: no case of {string.Join(", ", options.Selected)} has '{options.Filter}' in its name.");
            return 2;
        }

        var report = Measure(options, options.Raw is null ? Console.Out : TextWriter.Null);
        if (options.Raw is { } raw)
        {
            using var stream = File.Create(raw);
            SideTimes.Write(stream, report.Rows);
            return 0;
        }

        Save(options, report, args);
        foreach (var row in report.Impossible())
            Console.Error.WriteLine($"{row.Area} {row.Case} {row.Type} lies above its limit: it was measured wrongly, and the report does not count.");
        return report.Impossible().Any() || report.Rows.Any(r => r.Wrong.Any(w => w.Side == BackpropPeer.Ours)) ? 1 : 0;
    }

    /// <summary>Runs the selected cases and prints each as it is done.</summary>
    public static Report Measure(CompareOptions options, TextWriter output)
    {
        using var peers = new PeerSet(options.Threads, options.Sides);
        var machine = MachineInfo.Describe(options.Threads);
        (string Name, string Description)[] described = [.. peers.Peers.Select(p => (p.Name, p.Description))];
        foreach (var (name, value) in machine)
            output.WriteLine($"{name}: {value}");
        foreach (var (name, description) in described)
            output.WriteLine($"{name}: {description}");
        foreach (var (name, reason) in peers.Missing)
            output.WriteLine($"{name}: skipped: {reason}");
        if (MachineInfo.Warning() is { } warning)
            output.WriteLine($"WARNING: {warning}");

        var copy = CopyBandwidth.Measure(options.Threads);
        using var runner = new Runner(peers.Peers, options.Threads, options.Rounds);
        output.WriteLine($"FMA peak {runner.FloatPeak.Gflops:F1} GFLOP/s float ({runner.FloatPeak.Gflops256:F1} with 256 bits), "
            + $"{runner.DoublePeak.Gflops:F1} double; copy {copy:F1} GB/s read + written");
        var rows = new List<Row>();
        ConsoleTable.Header(output);
        foreach (var c in options.Cases())
        {
            Progress(c.ToString());
            if (runner.Measure(c) is not { } row)
                continue;
            rows.Add(row);
            ConsoleTable.Write(output, row, runner.PeakGflops(row.Type));
        }

        var separate = new List<Row>();
        if (options.Separate)
        {
            output.WriteLine();
            output.WriteLine("Each side in a process of its own:");
            ConsoleTable.Header(output);
            foreach (var row in SeparateProcesses.Measure(options, rows, described.Select(p => p.Name)))
            {
                separate.Add(row);
                ConsoleTable.Write(output, row, runner.PeakGflops(row.Type));
            }
        }

        Progress("");
        var report = new Report
        {
            Machine = machine,
            Peers = described,
            Missing = peers.Missing,
            Threads = options.Threads,
            PeakGflops = runner.FloatPeak.Gflops,
            PeakGflops256 = runner.FloatPeak.Gflops256,
            PeakGflopsDouble = runner.DoublePeak.Gflops,
            CopyGBs = copy,
            Rows = rows,
            SeparateRows = separate,
        };
        output.WriteLine();
        foreach (var (area, mean, cases) in report.GeometricMeans())
            output.WriteLine($"{area}: geometric mean of the ratio to the best peer {mean:F2} over {cases} cases");
        foreach (var (area, peer, mean, cases) in report.GeometricMeansByPeer())
            output.WriteLine($"  {area}: to {peer} {mean:F2} over {cases} cases");
        return report;
    }

    private static void Save(CompareOptions options, Report report, string[] args)
    {
        if (options.Json is { } json)
        {
            using var stream = Create(json);
            JsonReport.Write(stream, report);
        }

        if (options.Plot is { } plot)
        {
            using var writer = new StreamWriter(Create(plot));
            SvgPlot.Write(writer, report);
        }

        if (options.Markdown is { } markdown)
        {
            using var writer = new StreamWriter(Create(markdown));
            var relative = options.Plot is null ? null : Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(markdown))!, options.Plot);
            MarkdownReport.Write(writer, report, string.Join(' ', args), relative);
        }
    }

    private static FileStream Create(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return File.Create(path);
    }

    /// <summary>The case being measured, on one line of the terminal; nothing where the output is a file.</summary>
    private static void Progress(string text)
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write($"\r{text,-70}\r");
    }
}
