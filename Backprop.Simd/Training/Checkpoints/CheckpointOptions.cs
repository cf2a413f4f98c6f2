namespace Backprop.Simd.Training;

/// <summary>Where and how often a training is saved, and how many files are kept.</summary>
/// <remarks>
/// A training is also saved when it ends or is cancelled. Each file is written under a temporary name and then renamed. While a training
/// runs, no other training can save into its directory: a lock on the file <c>.checkpoints.lock</c> prevents it, if the file system supports
/// locks. The lock ends with the process.
/// </remarks>
public sealed record CheckpointOptions
{
    /// <summary>The directory, for this training only. It is created if it does not exist.</summary>
    public required string Directory { get; init; }

    /// <summary>The number of steps between two saves; null to ignore steps.</summary>
    public long? EverySteps { get; init; }

    /// <summary>The time between two saves; null to ignore time.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>Whether to save after each epoch.</summary>
    public bool EveryEpoch { get; init; }

    /// <summary>
    /// How many of the newest files to keep, 1 or more. Older files are deleted if this training wrote them, also before a resumption; files
    /// of others are not. With two or more, a damaged file has a predecessor.
    /// </summary>
    public int Keep { get; init; } = 3;

    /// <summary>Texts to write into every file.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    internal void Check()
    {
        if (string.IsNullOrEmpty(Directory))
            throw new ArgumentException("Checkpoints need a Directory.", "options");
        if (Keep < 1 || EverySteps < 1 || Every <= TimeSpan.Zero)
        {
            throw new ArgumentException(
                $"Keep and EverySteps must be 1 or more and Every must be positive; they are {Keep}, {EverySteps} and {Every}.", "options");
        }
    }
}
