using System.Text.Json;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Samples;

/// <summary>The numbers of a run, and their file.</summary>
internal sealed record DigitsResult
{
    /// <summary>The share of the test images that are classified correctly.</summary>
    public required double TestAccuracy { get; init; }

    /// <summary>Training images per second in the median epoch.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Bytes that a training step allocates.</summary>
    public required double BytesPerStep { get; init; }

    /// <summary>Per parameter, the mean absolute difference of analytic and numerical gradient.</summary>
    public required IReadOnlyList<(string Parameter, double MeanAbsoluteDifference)> GradientCheck { get; init; }

    /// <summary>Seconds of the whole program.</summary>
    public required double Seconds { get; init; }

    /// <summary>Writes the file completely or not at all.</summary>
    public bool TryWrite(string path, out string problem)
    {
        try
        {
            AtomicFile.Write(path, file =>
            {
                using var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
                Write(json);
            });
            problem = "";
            return true;
        }
        catch (Exception error) when (OutputPath.IsUnwritable(error))
        {
            problem = OutputPath.Unwritable("--json", path, error);
            return false;
        }
    }

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
