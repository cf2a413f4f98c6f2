using System.Diagnostics;
using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Execution;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Training;

/// <summary>
/// Trains a network: batches, steps, learning rate, validation, early stopping, checkpoints. A step allocates nothing, and a training
/// that was killed and resumed ends with the bits of an undisturbed one.
/// </summary>
/// <remarks>
/// <code>
/// using var batches = new BatchLoader&lt;float&gt;(set, 100, new() { Seed = 1 });
/// var trainer = new Trainer&lt;float&gt;(network, new AdamW&lt;float&gt;(network.Parameters.Length), batches, new()
/// {
///     Epochs = 10,
///     Checkpoints = new() { Directory = "run1", EveryEpoch = true },
/// });
/// trainer.TryResume(); // false in a new directory
/// trainer.Run();
/// </code>
/// The columns of the loader's set feed the inputs of their names. A step is refused before anything changes where its loss, its
/// gradients or the state that it would keep are not finite. One thread at a time uses a trainer.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed partial class Trainer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Workspace<T> _workspace;
    private readonly BatchBinding<T> _binding;
    private readonly GradientAccumulator<T>? _accumulator;
    private readonly StepGuard _guard;
    private readonly List<EpochRecord> _epochs = [];
    private readonly Stopwatch _clock = new();
    private TimeSpan _elapsedBefore;
    private EpochSums _sums;
    private BestWeights<T>? _best;
    private int _skippedInARow;
    private readonly ITrainingCallback<T>[] _callbacks;
    private volatile bool _stop;
    private bool _running;

    /// <summary>Set from the last step of an epoch to the end of its validation: one that was cancelled is made up for.</summary>
    private bool _epochIsOpen;

    /// <summary>Makes a trainer, the buffers of its steps included.</summary>
    /// <param name="network">The network, with one loss or more.</param>
    /// <param name="optimizer">What updates its parameters.</param>
    /// <param name="batches">What it is trained on; the trainer does not dispose of it.</param>
    /// <param name="options">How long and how.</param>
    /// <exception cref="ArgumentException">The options contradict each other, the network has no loss, the optimizer or the average is of another
    /// size, the validation is of another network, or a column is missing or does not fit.</exception>
    public Trainer(Network<T> network, Optimizer<T> optimizer, BatchLoader<T> batches, TrainerOptions<T> options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (network.Definition.Graph.Losses.Length == 0)
            throw new ArgumentException("The network has no loss to make small: end its graph with one.", nameof(network));
        if (optimizer.ParameterCount != network.Parameters.Length)
            throw new ArgumentException($"The optimizer must be made for the network's Parameters.Length, {network.Parameters.Length}; it was made for {optimizer.ParameterCount}.", nameof(optimizer));
        if (options.Average is { } average && average.ParameterCount != network.Parameters.Length)
            throw new ArgumentException($"The average must be made for the network's Parameters.Length, {network.Parameters.Length}; it was made for {average.ParameterCount}.", nameof(options));
        if (options.Validation is { } validation && !validation.Evaluates(network))
            throw new ArgumentException("The validation evaluates another network.", nameof(options));
        Network = network;
        Optimizer = optimizer;
        Batches = batches;
        Options = options;
        _callbacks = [.. options.Callbacks];
        _binding = new BatchBinding<T>(network.Definition, batches.Dataset, losses: true);
        _workspace = network.CreateWorkspace(batches.BatchSize, null, options.Compute);
        _accumulator = options.MicroBatches == 1 ? null : new GradientAccumulator<T>(network, _workspace);
        _epochLosses = new LossSums(network.Definition);
        _stateBefore = new T[options.MicroBatches > 1 ? network.State.Length : 0];
        _guard = new StepGuard(options.CheckGradients || options.NonFinite == NonFinitePolicy.Skip, options.ClipNorm, options.ClipValue);
    }

    /// <summary>The network.</summary>
    public Network<T> Network { get; }

    /// <summary>What updates its parameters.</summary>
    public Optimizer<T> Optimizer { get; }

    /// <summary>What it is trained on; its cursor is the place of the training.</summary>
    public BatchLoader<T> Batches { get; }

    /// <summary>How long and how.</summary>
    public TrainerOptions<T> Options { get; }

    /// <summary>The steps done since the training began, skipped ones included.</summary>
    public long Step { get; private set; }

    /// <summary>The epoch of the next step, from 0.</summary>
    public int Epoch => Batches.Cursor.Epoch;

    /// <summary>The epochs done so far.</summary>
    public IReadOnlyList<EpochRecord> History => _epochs;

    /// <summary>The time of the training so far, that before a resumption included.</summary>
    public TimeSpan Elapsed => _elapsedBefore + _clock.Elapsed;

    /// <summary>The steps that epochs and steps ask for in all; 0 where only time limits the training.</summary>
    public long TotalSteps
    {
        get
        {
            var steps = Options.Steps ?? long.MaxValue;
            if (Options.Epochs is { } epochs)
                steps = Math.Min(steps, (long)epochs * StepsPerEpoch);
            return steps == long.MaxValue ? 0 : steps;
        }
    }

    /// <summary>The steps of an epoch.</summary>
    public int StepsPerEpoch => (Batches.BatchesPerEpoch + Options.MicroBatches - 1) / Options.MicroBatches;

    /// <summary>Ends the training after the step in progress; from any thread.</summary>
    public void Stop() => _stop = true;

    /// <summary>Trains up to the end that the options set; another call goes on from there.</summary>
    /// <param name="cancellation">Ends the training before the next step; what was done is kept, and saved where there are checkpoints.</param>
    /// <returns>Why it ended.</returns>
    /// <exception cref="NonFiniteException">A loss, a gradient or a state to be kept was infinite or NaN; the step was not made.</exception>
    /// <exception cref="InvalidOperationException">The trainer is running, or it would begin where it is to end: another training has used the loader.</exception>
    /// <exception cref="CheckpointException">The directory holds checkpoints of an earlier training, and <see cref="TryResume"/> was not called;
    /// or another training that is running saves into it.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written. As behind every exception, another call goes on with the step that was not made.</exception>
    /// <exception cref="UnauthorizedAccessException">A checkpoint may not be written.</exception>
    public StopReason Run(CancellationToken cancellation = default)
    {
        if (_running)
            throw new InvalidOperationException("The trainer is running: a callback cannot run it again.");
        if (Step == 0 && !_resumed && Options.Epochs is > 0 and var epochs && epochs <= Epoch)
            throw new InvalidOperationException($"The training has not begun, and no epoch is left of {epochs}: the loader stands at epoch {Epoch}, where another training has left it. Set its Cursor to default, or give this training a loader of its own.");
        using var claim = BeginCheckpoints();
        _running = true;
        _stop = false;
        StopReason? reason = null;
        _clock.Start();
        try
        {
            foreach (var callback in _callbacks)
                callback.Started(this);
            var ended = RunSteps(cancellation);
            SaveAtEnd();
            if (ended is not (StopReason.Cancelled or StopReason.Stopped) && Options.EarlyStopping is { RestoreBest: true })
                RestoreBest();
            reason = ended;
            return ended;
        }
        finally
        {
            _clock.Stop();
            _running = false;
            foreach (var callback in _callbacks)
                callback.Finished(this, reason);
        }
    }

    /// <summary>Puts the parameters and the state of the best validation so far in place, as <see cref="EarlyStopping"/> has kept them.</summary>
    /// <returns>False where there was no validation yet, or none was to be kept.</returns>
    public bool RestoreBest()
    {
        if (_best is null || !_best.HasWeights)
            return false;
        _best.CopyTo(Network);
        return true;
    }

    private StopReason RunSteps(CancellationToken cancellation)
    {
        var progress = new ProgressClock(Fraction());
        while (true)
        {
            if (_epochIsOpen && !TryEndEpoch(cancellation))
                return StopReason.Cancelled;
            if (EndReached(cancellation) is { } reason)
            {
                Report(ref progress, force: true);
                return reason;
            }

            RunStep();
            var epochEnded = _epochIsOpen && TryEndEpoch(cancellation);
            Report(ref progress, force: false);
            SaveIfDue(epochEnded);
        }
    }

    private StopReason? EndReached(CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return StopReason.Cancelled;
        return _stop ? StopReason.Stopped : LimitReached();
    }

    /// <summary>What ends the training whoever runs it: not somebody who ends it to go on later.</summary>
    private StopReason? LimitReached()
    {
        if (_best is { } best && best.BadValidations > Options.EarlyStopping!.Patience)
            return StopReason.EarlyStopping;
        if (Options.Epochs <= Epoch)
            return StopReason.Epochs;
        if (Options.Steps <= Step)
            return StopReason.Steps;
        return Options.Time <= Elapsed ? StopReason.Time : null;
    }

    /// <summary>Validates and records an epoch; false, and nothing changes, where the validation was cancelled.</summary>
    private bool TryEndEpoch(CancellationToken cancellation)
    {
        var epoch = Epoch - 1;
        Evaluation? validation = null;
        if (Options.Validation is not null && ((epoch + 1) % Options.ValidationPeriod == 0 || LimitReached() is not null))
        {
            try
            {
                validation = Validate(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return false;
            }
        }

        var record = new EpochRecord(
            epoch, Step, _sums.Rows, _sums.Skipped, EpochLoss, Optimizer.LearningRate, _sums.Rows / _sums.Seconds, Elapsed, validation);
        (_sums, _epochIsOpen) = (default, false);
        _epochLosses.Clear();
        _epochs.Add(record);
        _changed = true;
        if (validation is not null)
        {
            Options.Plateau?.Record(validation[Options.PlateauMonitor]);
            if (Options.EarlyStopping is { } early)
            {
                _best ??= NewBest(early);
                _best.Record(early, validation[early.Monitor], Network, Options.Average);
            }
        }

        foreach (var callback in _callbacks)
            callback.EpochDone(this, record);
        return true;
    }

    private BestWeights<T> NewBest(EarlyStopping early) => new(LargerIsBetter(early));

    /// <summary>With the averaged parameters, where there are such.</summary>
    private Evaluation Validate(CancellationToken cancellation)
    {
        var average = Options.Average is { Updates: > 0 } ? Options.Average : null;
        average?.Swap(Network.Parameters);
        try
        {
            return Options.Validation!.Run(cancellation);
        }
        finally
        {
            average?.Swap(Network.Parameters);
        }
    }
}
