using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Training;

/// <summary>
/// How and how long a <see cref="Trainer{T}"/> trains. Set at least one of <see cref="Epochs"/>, <see cref="Steps"/> and <see cref="Time"/>.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
public sealed record TrainerOptions<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// The number of epochs, counted from the start of the training across resumptions. The cursor of the loader says which epoch is next.
    /// Set it to <c>default</c> if another training has used the loader.
    /// </summary>
    public int? Epochs { get; init; }

    /// <summary>The number of steps, counted from the start of the training.</summary>
    public long? Steps { get; init; }

    /// <summary>The time, counted from the start of the training without the pauses before resumptions. It is checked before each step.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>The learning rate as a function of the step; null to keep the optimizer's.</summary>
    public Schedule? Schedule { get; init; }

    /// <summary>True if the schedule's argument is the epoch, false if it is the step.</summary>
    public bool ScheduleByEpoch { get; init; }

    /// <summary>Sets the learning rate from the validations so far. It records <see cref="PlateauMonitor"/> after each validation.</summary>
    public ReduceOnPlateau? Plateau { get; init; }

    /// <summary>The value that <see cref="Plateau"/> records: <c>loss</c> or the name of a metric of the validation.</summary>
    public string PlateauMonitor { get; init; } = "loss";

    /// <summary>The largest norm of all gradients together; null for no clipping by norm.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>The largest absolute value of a gradient's element, applied before the norm; null for no clipping by value.</summary>
    public double? ClipValue { get; init; }

    /// <summary>
    /// The number of batches in a step, 1 or more. Together their gradients equal those of one large batch: see
    /// <see cref="GradientAccumulator{T}"/>. A step does not cross the end of an epoch.
    /// </summary>
    public int MicroBatches { get; init; } = 1;

    /// <summary>What to do if the loss, a gradient or the new state is infinite or NaN.</summary>
    public NonFinitePolicy NonFinite { get; init; }

    /// <summary>With <see cref="NonFinitePolicy.Skip"/>: the most steps skipped in a row. The next such step throws.</summary>
    public int SkipLimit { get; init; } = 100;

    /// <summary>
    /// True to check all gradients before the update. False to check only the loss and the state: a step may then apply a gradient as soon as it
    /// is computed, which is faster for batches of one row, but gradients that are not finite under a finite loss are found one step later.
    /// </summary>
    public bool CheckGradients { get; init; } = true;

    /// <summary>An average of the parameters, updated after each step. Validation and <see cref="EarlyStopping"/> use it.</summary>
    public ExponentialMovingAverage<T>? Average { get; init; }

    /// <summary>The evaluator to run after an epoch; null for no validation.</summary>
    public Evaluator<T>? Validation { get; init; }

    /// <summary>The number of epochs between validations, 1 or more. The last epoch is always validated.</summary>
    public int ValidationPeriod { get; init; } = 1;

    /// <summary>When to end early; null for never.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>The callbacks, called in this order.</summary>
    public IReadOnlyList<ITrainingCallback<T>> Callbacks { get; init; } = [];

    /// <summary>Where and when to save the training; null for never.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>Receives the progress of the training every <see cref="ProgressPeriod"/>.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>The time between two reports to <see cref="Progress"/>.</summary>
    public TimeSpan ProgressPeriod { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The threads of a step; null for <see cref="ComputeContext.Default"/>.</summary>
    public ComputeContext? Compute { get; init; }

    internal void Check()
    {
        if (Epochs is null && Steps is null && Time is null)
            throw new ArgumentException("A training needs an end: set Epochs, Steps or Time.", "options");
        if (Epochs < 0 || Steps < 0 || Time < TimeSpan.Zero)
            throw new ArgumentException($"Epochs, Steps and Time must not be negative; they are {Epochs}, {Steps} and {Time}.", "options");
        if (MicroBatches < 1 || ValidationPeriod < 1)
            throw new ArgumentException($"MicroBatches and ValidationPeriod must be 1 or more; they are {MicroBatches} and {ValidationPeriod}.", "options");
        if (SkipLimit < 0)
            throw new ArgumentException($"SkipLimit must not be negative; it is {SkipLimit}.", "options");
        if (ClipNorm is { } norm && !(norm > 0 && double.IsFinite(norm)))
            throw new ArgumentException($"ClipNorm must be finite and positive; it is {norm}.", "options");
        if (ClipValue is { } value && !(value > 0 && double.IsFinite(value)))
            throw new ArgumentException($"ClipValue must be finite and positive; it is {value}.", "options");
        if (Schedule is not null && Plateau is not null)
            throw new ArgumentException("Schedule and Plateau both set the learning rate: set only one.", "options");
        if (Validation is null && (Plateau is not null || EarlyStopping is not null))
            throw new ArgumentException("Plateau and EarlyStopping need a Validation.", "options");
        if (Plateau is not null)
            Validation!.RequireMetric(PlateauMonitor, nameof(PlateauMonitor));
        if (EarlyStopping is { } early)
            Validation!.RequireMetric(early.Monitor, nameof(EarlyStopping));
        NullGuard.Filled(Callbacks);
        Checkpoints?.Check();
    }
}
