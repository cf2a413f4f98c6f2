using System.Net;

namespace Backprop.Simd.Bench;

/// <summary>The report as a page of tables.</summary>
internal static class MarkdownReport
{
    private static readonly Dictionary<string, string> _titles = new()
    {
        ["gemm"] = "Matrix multiply",
        ["elementwise"] = "Elementwise, reductions, softmax, optimizers",
        ["step"] = "Training steps and inference",
        ["array"] = "Arrays",
        ["conv"] = "Convolutions",
        ["model"] = "Networks of other pieces",
    };

    /// <param name="output">Where to.</param>
    /// <param name="report">What was found.</param>
    /// <param name="command">The arguments that repeat it.</param>
    /// <param name="plot">The plot's path relative to the page, or null.</param>
    public static void Write(TextWriter output, Report report, string command, string? plot)
    {
        output.WriteLine($"# {BackpropPeer.Ours} beside its peers, {report.Threads} thread{(report.Threads == 1 ? "" : "s")}");
        output.WriteLine();
        output.WriteLine($"Made by `dotnet run -c Release --project Backprop.Simd.Bench -p:Peers=true -- compare {command}`.");
        output.WriteLine();
        output.WriteLine("| | |");
        output.WriteLine("|---|---|");
        foreach (var (name, value) in report.Machine)
            output.WriteLine($"| {name} | {WebUtility.HtmlEncode(value)} |");
        foreach (var (name, description) in report.Peers)
            output.WriteLine($"| {name} | {description} |");
        foreach (var (name, reason) in report.Missing)
            output.WriteLine($"| {name} | skipped: {reason} |");
        output.WriteLine($"| FMA peak, float | {report.PeakGflops:F1} GFLOP/s ({report.PeakGflops256:F1} with 256 bits) |");
        output.WriteLine($"| FMA peak, double | {report.PeakGflopsDouble:F1} GFLOP/s |");
        output.WriteLine($"| copy, read + written | {report.CopyGBs:F1} GB/s |");
        output.WriteLine();
        output.WriteLine($"""
            Times are medians per call, the best in brackets. `(r)` after a peer's time is its median over ours: above 1 we are faster.
            "Ratio" is the ratio of the best peer.
            "Limit" is the share that our median reaches of the row's limit, which is the slower of two, measured in the same run:
            the operations at the FMA peak, or the same streams without arithmetic (elementwise rows and products with a vector).
            "Scaled" is our median on a core of {Report.ReferenceGflops} GFLOP/s with 256-bit registers, by the ratio of 256-bit peaks
            ({report.Scale:F3}). It is a rule of three: right for rows that arithmetic limits, as far as wider registers do not help.
            """);
        if (report.Threads > 1)
            output.WriteLine("\"x 1 thread\" is our median on one thread, in the same rounds, over that on all.");
        if (MachineInfo.Warning() is { } warning)
        {
            output.WriteLine();
            output.WriteLine($"**{warning}**");
        }

        output.WriteLine();
        output.WriteLine("## Geometric means of the ratio");
        output.WriteLine();
        output.WriteLine("| area | against | ratio | cases |");
        output.WriteLine("|---|---|---|---|");
        foreach (var (area, mean, cases) in report.GeometricMeans())
            output.WriteLine($"| {area} | the best peer of each row | {mean:F2} | {cases} |");
        foreach (var (area, peer, mean, cases) in report.GeometricMeansByPeer())
            output.WriteLine($"| {area} | {peer} | {mean:F2} | {cases} |");
        if (plot is not null)
        {
            output.WriteLine();
            output.WriteLine($"![Share of the limit, its top edge]({plot})");
        }

        WriteAreas(output, report, report.Rows, "");
        WriteAreas(output, report, report.SeparateRows, ", each side in a process of its own");
        WriteFailures(output, report);
    }

    private static void WriteAreas(TextWriter output, Report report, IReadOnlyList<Row> rows, string suffix)
    {
        foreach (var area in rows.GroupBy(r => r.Area))
        {
            var peers = report.Peers.Select(p => p.Name).Where(p => area.Any(r => r.Peers.Any(x => x.Key == p))).ToArray();
            var speedUps = area.Any(r => r.OneThread.Count > 0);
            output.WriteLine();
            output.WriteLine($"## {_titles[area.Key]}{suffix}");
            output.WriteLine();
            var names = string.Concat(peers.Select(p => $" {p} |"));
            output.WriteLine($"| case | type | ours | scaled | limit | ratio |{(speedUps ? " x 1 thread |" : "")}{names}");
            output.WriteLine($"|---|---|---|---|---|---|{(speedUps ? "---|" : "")}{string.Concat(peers.Select(_ => "---|"))}");
            foreach (var row in area)
            {
                var ours = row.Ours;
                var limit = report.LimitNs(row);
                output.WriteLine($"| {row.Case} | {row.Type} | {Both(ours)} | {ConsoleTable.Time(ours?.Median * report.Scale)} | "
                    + $"{(ours is null || limit == 0 ? "-" : $"{100 * limit / ours.Median:F0} %")} | {row.Ratio:F2} |"
                    + (speedUps ? $" {row.SpeedUp:F2} |" : "")
                    + string.Concat(peers.Select(p => $" {Peer(row, p)} |")));
            }
        }
    }

    private static void WriteFailures(TextWriter output, Report report)
    {
        var lines = report.Rows.Concat(report.SeparateRows).SelectMany(r => r.Wrong.Select(w => $"{r.Area} {r.Case} {r.Type}: {w.Side}: {w.Error}"))
            .Concat(report.Impossible().Select(r => $"{r.Area} {r.Case} {r.Type}: above its limit; this report does not count")).Distinct().ToArray();
        if (lines.Length == 0)
            return;
        output.WriteLine();
        output.WriteLine("## Wrong");
        output.WriteLine();
        foreach (var line in lines)
            output.WriteLine($"- {line}");
    }

    private static string Both(Timing? timing) => timing is null ? "-" : $"{ConsoleTable.Time(timing.Median)} ({ConsoleTable.Time(timing.Best)})";

    private static string Peer(Row row, string name) =>
        row.Wrong.Any(w => w.Side == name) ? "wrong"
        : row.Sides.TryGetValue(name, out var timing) ? $"{Both(timing)}{(row.Ours is { } ours ? $" ({timing.Median / ours.Median:F2})" : "")}"
        : "";
}
