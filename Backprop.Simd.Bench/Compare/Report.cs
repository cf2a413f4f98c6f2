namespace Backprop.Simd.Bench;

/// <summary>All that a run has found.</summary>
internal sealed class Report
{
    /// <summary>The peak that absolute figures are scaled to, in GFLOP/s of 256-bit floats on one core.</summary>
    public const double ReferenceGflops = 103;

    public required IReadOnlyList<KeyValuePair<string, string>> Machine { get; init; }

    public required IReadOnlyList<(string Name, string Description)> Peers { get; init; }

    public required IReadOnlyList<(string Name, string Reason)> Missing { get; init; }

    public required int Threads { get; init; }

    /// <summary>GFLOP/s of float multiply-adds in registers, all threads.</summary>
    public required double PeakGflops { get; init; }

    public required double PeakGflopsDouble { get; init; }

    /// <summary>As <see cref="PeakGflops"/>, with 256-bit registers.</summary>
    public required double PeakGflops256 { get; init; }

    public required double CopyGBs { get; init; }

    public required IReadOnlyList<Row> Rows { get; init; }

    /// <summary>The same cases with each side in a process of its own; empty if not asked for.</summary>
    public required IReadOnlyList<Row> SeparateRows { get; init; }

    /// <summary>A time here, times this, is the time on a core of <see cref="ReferenceGflops"/> with 256-bit registers.</summary>
    public double Scale => PeakGflops256 / Threads / ReferenceGflops;

    public double Peak(Row row) => row.Type == "float" ? PeakGflops : PeakGflopsDouble;

    public double LimitNs(Row row) => row.LimitNs(Peak(row));

    /// <summary>Rows above their limit: measured wrongly.</summary>
    public IEnumerable<Row> Impossible() => Rows.Concat(SeparateRows).Where(row => row.IsImpossible(Peak(row)));

    /// <summary>The geometric mean of the ratios of medians to the best peer, by area.</summary>
    public IEnumerable<(string Area, double Mean, int Cases)> GeometricMeans() => Rows
        .Where(r => !double.IsNaN(r.Ratio))
        .GroupBy(r => r.Area)
        .Select(area => (area.Key, Statistics.GeometricMean(area.Select(r => r.Ratio)), area.Count()));

    /// <summary>The geometric mean of the ratios to one peer.</summary>
    public IEnumerable<(string Area, string Peer, double Mean, int Cases)> GeometricMeansByPeer() => Rows
        .Where(r => r.Ours is not null)
        .SelectMany(r => r.Peers.Select(p => (r.Area, p.Key, Ratio: p.Value.Median / r.Ours!.Median)))
        .GroupBy(p => (p.Area, p.Key))
        .Select(g => (g.Key.Area, g.Key.Key, Statistics.GeometricMean(g.Select(p => p.Ratio)), g.Count()));
}
