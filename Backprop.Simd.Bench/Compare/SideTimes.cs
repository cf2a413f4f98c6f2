using System.Text.Json;

namespace Backprop.Simd.Bench;

/// <summary>The samples of one side, handed from the process that took them to the one that reports.</summary>
internal static class SideTimes
{
    /// <summary>The key of the samples of the streams without arithmetic, beside the names of sides.</summary>
    private const string Streams = "streams";

    /// <summary>case => side => samples in nanoseconds.</summary>
    public static void Write(Stream stream, IEnumerable<Row> rows) => JsonSerializer.Serialize(stream, rows.ToDictionary(
        r => r.Key,
        r => r.Sides.Append(new(Streams, r.Stream)).ToDictionary(s => s.Key, s => s.Value.Samples)));

    /// <summary>Adds the samples to the rows of their cases; those of streams to their limits.</summary>
    public static void Merge(Stream stream, IReadOnlyList<Row> rows)
    {
        var read = JsonSerializer.Deserialize<Dictionary<string, Dictionary<string, double[]>>>(stream)!;
        foreach (var row in rows)
        {
            foreach (var (side, samples) in read.GetValueOrDefault(row.Key) ?? [])
            {
                if (side != Streams)
                    row.Sides[side] = new Timing(samples);
                else
                    Array.ForEach(samples, row.Stream.Add);
            }
        }
    }
}
