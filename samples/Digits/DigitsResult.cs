using System.Text.Json;

namespace Backprop.Simd.Samples;

/// <summary>The numbers of a run, and their file.</summary>
internal sealed record DigitsResult
{
    /// <summary>The part of the test images put into the right class.</summary>
    public required double TestAccuracy { get; init; }

    /// <summary>Training images per second in the median epoch.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Bytes that a training step allocates.</summary>
    public required double BytesPerStep { get; init; }

    /// <summary>Per parameter, the mean absolute difference of analytic and numerical gradient.</summary>
    public required IReadOnlyList<(string Parameter, double MeanAbsoluteDifference)> GradientCheck { get; init; }

    /// <summary>Seconds of the whole program.</summary>
    public required double Seconds { get; init; }

    /// <summary>Whether a file can be written there: tried with the file that the results are first written to.</summary>
    public static bool CanWrite(string path, out string problem)
    {
        problem = "";
        try
        {
            if (path.Length == 0 || Directory.Exists(path))
                problem = $"'{path}': expected the path of a file.";
            else
                new FileStream(Aside(path), FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problem = Unwritable(path, e);
        }

        return problem.Length == 0;
    }

    /// <summary>Writes the file aside, then renames it: nobody ever sees half of it.</summary>
    public bool TryWrite(string path, out string problem)
    {
        try
        {
            using (var file = new FileStream(Aside(path), FileMode.Create, FileAccess.Write, FileShare.None))
            {
                using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
                    Write(json);
                file.Flush(flushToDisk: true);
            }

            File.Move(Aside(path), path, overwrite: true);
            problem = "";
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"--json {Unwritable(path, e)}";
            return false;
        }
    }

    private static string Aside(string path) => $"{path}.{Environment.ProcessId}.tmp";

    private static string Unwritable(string path, Exception reason) =>
        $"'{path}': expected a path that can be written ({reason.Message.ReplaceLineEndings(" ")})";

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("testAccuracy", TestAccuracy);
        json.WriteNumber("imagesPerSecond", Math.Round(ImagesPerSecond));
        json.WriteNumber("bytesPerStep", BytesPerStep);
        json.WriteStartObject("gradientCheck");
        foreach (var (parameter, difference) in GradientCheck)
            json.WriteNumber(parameter, difference);
        json.WriteEndObject();
        json.WriteNumber("seconds", Math.Round(Seconds, 3));
        json.WriteEndObject();
    }
}
