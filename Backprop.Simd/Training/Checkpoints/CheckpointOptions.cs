namespace Backprop.Simd.Training;

/// <summary>Where a training is saved, how often, and how many files are kept.</summary>
/// <remarks>
/// A training is saved too when it ends, also when it is cancelled. Files are written aside and then renamed. While a training runs, no
/// other saves into its directory: a lock on the file <c>.checkpoints.lock</c>, which ends with the process, sees to it where the file
/// system has locks.
/// </remarks>
public sealed record CheckpointOptions
{
    /// <summary>The directory, for this training alone; made where it is missing.</summary>
    public required string Directory { get; init; }

    /// <summary>Every how many steps; null not to count them.</summary>
    public long? EverySteps { get; init; }

    /// <summary>After how much time; null not to look at the clock.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>Whether after each epoch.</summary>
    public bool EveryEpoch { get; init; }

    /// <summary>The newest files of this training that are kept, 1 or more; older ones that it has written, resumptions included, are deleted, and
    /// nobody else's. With two or more, a damaged one has a predecessor.</summary>
    public int Keep { get; init; } = 3;

    /// <summary>Texts that are written into every file, for the reader.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    internal void Check()
    {
        if (string.IsNullOrEmpty(Directory))
            throw new ArgumentException("Checkpoints need a Directory.", "options");
        if (Keep < 1 || EverySteps < 1 || Every <= TimeSpan.Zero)
            throw new ArgumentException($"Keep and EverySteps are 1 or more, Every is positive; they are {Keep}, {EverySteps} and {Every}.", "options");
    }
}
