using System.Text.Json;
using System.Text.Json.Serialization;

namespace Backprop.Simd.Bench;

/// <summary>What a row reached when the baseline was stored: the time of its yardstick over ours, best and median.</summary>
internal sealed record StoredRatio(double Best, double Median);

/// <summary>The committed ratios, by processor and then by case: ratios differ between processors, and with the kernels that OpenBLAS picks.</summary>
internal static class Baseline
{
    private static readonly JsonSerializerOptions _options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.Strict,
    };

    /// <summary>Guard/ratios.json of the project that the program was built from; beside the program if there is none.</summary>
    public static string DefaultPath()
    {
        var name = Path.Combine("Guard", "ratios.json");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, name)))
                return Path.Combine(folder.FullName, name);
        }

        return Path.Combine(AppContext.BaseDirectory, name);
    }

    public static SortedDictionary<string, SortedDictionary<string, StoredRatio>> Read(string path) => File.Exists(path)
        ? JsonSerializer.Deserialize<SortedDictionary<string, SortedDictionary<string, StoredRatio>>>(File.ReadAllText(path), _options)!
        : [];

    public static void Write(string path, SortedDictionary<string, SortedDictionary<string, StoredRatio>> ratios)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, JsonSerializer.Serialize(ratios, _options) + "\n");
    }
}
