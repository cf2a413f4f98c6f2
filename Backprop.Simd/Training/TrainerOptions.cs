using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Training;

/// <summary>How long and how a <see cref="Trainer{T}"/> trains. At least one of <see cref="Epochs"/>, <see cref="Steps"/> and <see cref="Time"/> is needed.</summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed record TrainerOptions<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The epochs, counted from the beginning of the training, resumptions included. The cursor of the loader says which is next: set it
    /// to <c>default</c> where another training has used the loader before.</summary>
    public int? Epochs { get; init; }

    /// <summary>The steps, counted from the beginning of the training.</summary>
    public long? Steps { get; init; }

    /// <summary>The time, counted from the beginning of the training, without pauses between resumptions; looked at before each step.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>The learning rate, as a function of the step; null to leave the optimizer's alone.</summary>
    public Schedule? Schedule { get; init; }

    /// <summary>True where the schedule's argument is the epoch, false where it is the step.</summary>
    public bool ScheduleByEpoch { get; init; }

    /// <summary>The learning rate as a function of the validations so far; it records <see cref="PlateauMonitor"/> after each.</summary>
    public ReduceOnPlateau? Plateau { get; init; }

    /// <summary>What <see cref="Plateau"/> records: <c>loss</c>, or the name of a metric of the validation.</summary>
    public string PlateauMonitor { get; init; } = "loss";

    /// <summary>The largest norm of all gradients; null not to clip by norm.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The largest size of a gradient's element, applied before the norm is taken; null not to clip by value.</summary>
    public double? ClipValue { get; init; }

    /// <summary>The micro-batches of a step, whose gradients together are those of one batch: see <see cref="GradientAccumulator{T}"/>. A step
    /// does not cross the end of an epoch.</summary>
    public int MicroBatches { get; init; } = 1;

    /// <summary>What is done about a loss, a gradient or a state to be kept that is infinite or NaN.</summary>
    public NonFinitePolicy NonFinite { get; init; }

    /// <summary>With <see cref="NonFinitePolicy.Skip"/>: more steps than these in a row are not skipped but throw.</summary>
    public int SkipLimit { get; init; } = 100;

    /// <summary>
    /// True to look at all gradients before the update. False to look at the loss and the state alone, so that a step may apply gradients as it
    /// makes them, which pays for batches of one row: gradients that are not finite under a finite loss then come to light one step later.
    /// </summary>
    public bool CheckGradients { get; init; } = true;

    /// <summary>An average of the parameters, updated after each step; validation and <see cref="EarlyStopping"/> look at it.</summary>
    public ExponentialMovingAverage<T>? Average { get; init; }

    /// <summary>What is evaluated after each epoch.</summary>
    public Evaluator<T>? Validation { get; init; }

    /// <summary>Every how many epochs it is evaluated, 1 or more; after the last one in any case.</summary>
    public int ValidationPeriod { get; init; } = 1;

    /// <summary>When to end early; null not to.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>What is called in the course of the training.</summary>
    public IReadOnlyList<ITrainingCallback<T>> Callbacks { get; init; } = [];

    /// <summary>Where and when the training is saved; null not to.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>
    /// The normalizations among the loader's transforms: they are saved in every checkpoint, and a resumed training must have the same, bit for
    /// bit. The trainer does not apply them.
    /// </summary>
    public IReadOnlyList<Normalization> Normalizations { get; init; } = [];

    /// <summary>Told how far the training is, every <see cref="ProgressPeriod"/>.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>How often <see cref="Progress"/> is told.</summary>
    public TimeSpan ProgressPeriod { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The threads of a step; <see cref="ComputeContext.Default"/> if null.</summary>
    public ComputeContext? Compute { get; init; }

    internal void Check()
    {
        if (Epochs is null && Steps is null && Time is null)
            throw new ArgumentException("A training needs an end: set Epochs, Steps or Time.");
        if (Epochs < 0 || Steps < 0 || Time < TimeSpan.Zero)
            throw new ArgumentException($"Epochs, Steps and Time must not be negative; they are {Epochs}, {Steps} and {Time}.");
        if (MicroBatches < 1 || ValidationPeriod < 1)
            throw new ArgumentException($"MicroBatches and ValidationPeriod are 1 or more; they are {MicroBatches} and {ValidationPeriod}.");
        if (SkipLimit < 0)
            throw new ArgumentException($"SkipLimit must not be negative; it is {SkipLimit}.");
        if (ClipNorm is { } norm && !(norm > 0 && double.IsFinite(norm)))
            throw new ArgumentException($"ClipNorm must be finite and positive; it is {norm}.");
        if (ClipValue is { } value && !(value > 0 && double.IsFinite(value)))
            throw new ArgumentException($"ClipValue must be finite and positive; it is {value}.");
        if (Schedule is not null && Plateau is not null)
            throw new ArgumentException("Schedule and Plateau both set the learning rate: give one of them.");
        if (Validation is null && (Plateau is not null || EarlyStopping is not null))
            throw new ArgumentException("Plateau and EarlyStopping need a Validation to look at.");
        if (Plateau is not null)
            Validation!.RequireMetric(PlateauMonitor, nameof(PlateauMonitor));
        if (EarlyStopping is { } early)
            Validation!.RequireMetric(early.Monitor, nameof(EarlyStopping));
        foreach (var callback in Callbacks)
            ArgumentNullException.ThrowIfNull(callback, nameof(Callbacks));
        Checkpoints?.Check();
    }
}
