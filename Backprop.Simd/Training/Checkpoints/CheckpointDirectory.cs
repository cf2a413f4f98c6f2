using System.Globalization;

namespace Backprop.Simd.Training;

/// <summary>The checkpoints of one training: <c>checkpoint-000000001200.safetensors</c> is that behind step 1200.</summary>
internal sealed class CheckpointDirectory(CheckpointOptions options)
{
    private const string Prefix = "checkpoint-", Suffix = ".safetensors";
    private const int Digits = 12;

    public string PathOf(long step) =>
        Path.Combine(options.Directory, Prefix + step.ToString("D" + Digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) + Suffix);

    /// <summary>Newest first.</summary>
    public List<string> Files() => !Directory.Exists(options.Directory)
        ? []
        : [.. Directory.EnumerateFiles(options.Directory, Prefix + "*" + Suffix).Where(path => StepOf(path) >= 0).OrderByDescending(StepOf)];

    /// <summary>Makes the directory, and deletes what killed processes were about to write.</summary>
    public void Prepare()
    {
        Directory.CreateDirectory(options.Directory);
        foreach (var path in Directory.EnumerateFiles(options.Directory, "." + Prefix + "*" + Suffix + ".*.tmp"))
            File.Delete(path);
    }

    /// <summary>Leaves the newest, <see cref="CheckpointOptions.Keep"/> of them; one behind <paramref name="step"/> is of a run that was given up.
    /// What was rejected is not this training's to delete.</summary>
    public void DeleteOld(long step, IReadOnlyList<RejectedCheckpoint> rejected)
    {
        var kept = 0;
        foreach (var path in Files())
        {
            if (rejected.Any(r => r.Path == path))
                continue;
            if (StepOf(path) > step || ++kept > options.Keep)
                File.Delete(path);
        }
    }

    /// <summary>The step in a file's name; -1 where it is another name.</summary>
    private static long StepOf(string path)
    {
        var name = Path.GetFileName(path.AsSpan());
        return name.Length >= Prefix.Length + Digits + Suffix.Length
            && long.TryParse(name[Prefix.Length..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1;
    }
}
