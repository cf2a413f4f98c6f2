namespace Backprop.Simd.Bench;

/// <summary>A row as a line of text, while the run goes on.</summary>
internal static class ConsoleTable
{
    public static void Header(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"{"case",-34}{"type",-7}{"ours: median",13}{"best",10}{"limit",8}{"ratio",8}   peers: median (ratio)");
    }

    public static void Write(TextWriter output, Row row, double peakGflops)
    {
        var ours = row.Ours;
        output.Write($"{row.Case,-34}{row.Type,-7}{Time(ours?.Median),13}{Time(ours?.Best),10}"
            + $"{(ours is null || row.LimitNs(peakGflops) == 0 ? "-" : $"{100 * row.Share(ours.Median, peakGflops):F0} %"),8}{row.Ratio,8:F2}  ");
        if (row.OneThread.Count > 0)
            output.Write($" {row.SpeedUp:F2} x one thread;");
        foreach (var (name, timing) in row.Peers.OrderBy(p => p.Value.Median))
            output.Write($" {name} {Time(timing.Median)}{(ours is null ? "" : $" ({timing.Median / ours.Median:F2})")}");
        output.WriteLine();
        foreach (var (side, error) in row.Wrong)
            output.WriteLine($"    WRONG RESULT, not timed: {side}: {error}");
    }

    /// <summary>Nanoseconds in a unit that keeps three or four digits.</summary>
    public static string Time(double? nanoseconds) => nanoseconds switch
    {
        null or double.NaN => "-",
        < 1e3 => $"{nanoseconds:F1} ns",
        < 1e4 => $"{nanoseconds / 1e3:F2} us",
        < 1e6 => $"{nanoseconds / 1e3:F1} us",
        < 1e7 => $"{nanoseconds / 1e6:F2} ms",
        _ => $"{nanoseconds / 1e6:F1} ms",
    };
}
