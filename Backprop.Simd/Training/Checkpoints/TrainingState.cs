using System.Text.Json.Serialization;
using Backprop.Simd.Schedules;

namespace Backprop.Simd.Training;

/// <summary>Everything in a training that is not a tensor. It is written into the checkpoint's metadata as JSON.</summary>
internal sealed record TrainingState
{
    public required string ElementType { get; init; }

    public required ulong NetworkSeed { get; init; }

    /// <summary>The graph: name and kind of each node, in execution order.</summary>
    public required string Graph { get; init; }

    public required LoaderState Loader { get; init; }

    public required string Optimizer { get; init; }

    public required long OptimizerSteps { get; init; }

    public required double LearningRate { get; init; }

    public required long Step { get; init; }

    /// <summary>The number from which random layers derive their numbers.</summary>
    public required long StepNumber { get; init; }

    public required int Epoch { get; init; }

    public required int Batch { get; init; }

    public required bool EpochIsOpen { get; init; }

    /// <summary>The parts of each loss.</summary>
    public required LossState[] EpochLosses { get; init; }

    public required long EpochRows { get; init; }

    public required int EpochSkipped { get; init; }

    public required double EpochSeconds { get; init; }

    public required int SkippedInARow { get; init; }

    public required TimeSpan Elapsed { get; init; }

    public required string[] Frozen { get; init; }

    /// <summary>The nodes that act as in inference; null if all train.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Evaluating { get; init; }

    public long? AverageUpdates { get; init; }

    public PlateauState? Plateau { get; init; }

    public string? PlateauMonitor { get; init; }

    public BestState? Best { get; init; }

    public required EpochRecord[] History { get; init; }

    /// <summary>The checkpoints that this training keeps; null if <see cref="Trainer{T}.Save"/> wrote the file.</summary>
    public WrittenFiles? Written { get; init; }
}

/// <summary>The files that a training has written and may delete.</summary>
/// <param name="Directory">The directory: see <see cref="CheckpointDirectory.Id"/>.</param>
/// <param name="Names">The names of the files, oldest first.</param>
internal sealed record WrittenFiles(string Directory, string[] Names);

/// <summary>The settings that define a sequence of batches.</summary>
internal sealed record LoaderState(int Rows, int BatchSize, bool Shuffle, ulong Seed, bool DropLast, int MicroBatches);

/// <summary>The parts of a loss.</summary>
internal sealed record LossState(double Numerator, double Denominator, bool IsSum);

/// <summary>The best validation.</summary>
internal sealed record BestState(string Monitor, bool LargerIsBetter, double Value, int BadValidations, bool HasWeights);

/// <summary>JSON without reflection.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TrainingState))]
internal sealed partial class TrainingStateJson : JsonSerializerContext;
