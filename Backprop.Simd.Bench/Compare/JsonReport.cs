using System.Text.Json;

namespace Backprop.Simd.Bench;

/// <summary>The report as JSON: medians in nanoseconds per call.</summary>
internal static class JsonReport
{
    public static void Write(Stream stream, Report report)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteStartObject("machine");
        foreach (var (name, value) in report.Machine)
            json.WriteString(name, value);
        json.WriteStartObject("peers");
        foreach (var (name, description) in report.Peers)
            json.WriteString(name, description);
        foreach (var (name, reason) in report.Missing)
            json.WriteString(name, "skipped: " + reason);
        json.WriteEndObject();
        json.WriteNumber("peakGflops256", Round(report.PeakGflops256));
        json.WriteNumber("peakGflopsDouble", Round(report.PeakGflopsDouble));
        json.WriteEndObject();
        json.WriteNumber("peakGflops", Round(report.PeakGflops));
        json.WriteNumber("copyGBs", Round(report.CopyGBs));
        WriteRows(json, "rows", report, report.Rows);
        if (report.SeparateRows.Count > 0)
            WriteRows(json, "separateRows", report, report.SeparateRows);
        json.WriteStartObject("geomean");
        foreach (var (area, mean, _) in report.GeometricMeans())
            json.WriteNumber(area, Round(mean));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRows(Utf8JsonWriter json, string name, Report report, IReadOnlyList<Row> rows)
    {
        json.WriteStartArray(name);
        foreach (var row in rows)
        {
            json.WriteStartObject();
            json.WriteString("area", row.Area);
            json.WriteString("case", row.Case);
            json.WriteString("type", row.Type);
            json.WriteNumber("threads", row.Threads);
            if (row.Ours is { } ours)
                json.WriteNumber("oursNs", Round(ours.Median));
            else
                json.WriteNull("oursNs");
            json.WriteStartObject("peers");
            foreach (var (peer, timing) in row.Peers)
                json.WriteNumber(peer, Round(timing.Median));
            json.WriteEndObject();
            json.WriteNumber("limitNs", Round(report.LimitNs(row)));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static double Round(double value) => Math.Round(value, 4);
}
