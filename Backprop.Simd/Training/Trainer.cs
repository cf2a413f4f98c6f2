using System.Diagnostics;
using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Execution;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Training;

/// <summary>
/// Trains a network: batches, steps, learning rate, validation, early stopping, checkpoints. A step allocates nothing. A training that was
/// killed and resumed ends with the same bits as one without interruption.
/// </summary>
/// <remarks>
/// <code>
/// using var batches = new BatchLoader&lt;float&gt;(set, 100, new() { Seed = 1 });
/// var trainer = new Trainer&lt;float&gt;(network, new AdamW&lt;float&gt;(network), batches, new()
/// {
///     Epochs = 10,
///     Checkpoints = new() { Directory = "run1", EveryEpoch = true },
/// });
/// trainer.TryResume(); // false in a new directory
/// trainer.Run();
/// </code>
/// Each column of the loader's set feeds the input of the same name. If the loss, a gradient or the new state of a step is not finite, the
/// step is refused and changes nothing. Only one thread at a time may use a trainer.
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

    /// <summary>True from the last step of an epoch to the end of its validation, so that a cancelled validation is repeated.</summary>
    private bool _epochIsOpen;

    /// <summary>Makes a trainer and allocates the buffers of its steps.</summary>
    /// <param name="network">The network, with one loss or more.</param>
    /// <param name="optimizer">Updates the parameters.</param>
    /// <param name="batches">The training data. The trainer does not dispose it.</param>
    /// <param name="options">How and how long to train.</param>
    /// <exception cref="ArgumentException">The options contradict each other, the network has no loss, the optimizer or the average has another
    /// length, the validation belongs to another network, or a column is missing or does not fit.</exception>
    public Trainer(Network<T> network, Optimizer<T> optimizer, BatchLoader<T> batches, TrainerOptions<T> options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (network.Definition.Graph.Losses.Length == 0)
            throw new ArgumentException("The network has no loss to minimize. End its graph with a loss.", nameof(network));
        if (optimizer.ParameterCount != network.Parameters.Length)
        {
            throw new ArgumentException($"The optimizer has the length {optimizer.ParameterCount}; it must have the network's Parameters.Length, "
                + $"{network.Parameters.Length}.", nameof(optimizer));
        }

        if (options.Average is { } average && average.ParameterCount != network.Parameters.Length)
        {
            throw new ArgumentException($"The average has the length {average.ParameterCount}; it must have the network's Parameters.Length, "
                + $"{network.Parameters.Length}.", nameof(options));
        }

        if (options.Validation is { } validation && !validation.Evaluates(network))
            throw new ArgumentException("The validation evaluates another network.", nameof(options));
        Network = network;
        Optimizer = optimizer;
        Batches = batches;
        Options = options;
        _callbacks = [.. options.Callbacks];
        _binding = BatchBinding<T>.Of(network.Definition, batches.Dataset, losses: true);
        _workspace = network.CreateWorkspace(batches.BatchSize, null, options.Compute);
        _accumulator = options.MicroBatches == 1 ? null : new GradientAccumulator<T>(network, _workspace);
        _epochLosses = new LossSums(network.Definition);
        _stateBefore = new T[options.MicroBatches > 1 ? network.State.Length : 0];
        _guard = new StepGuard(options.CheckGradients || options.NonFinite == NonFinitePolicy.Skip, options.ClipNorm, options.ClipValue);
    }

    /// <summary>The network.</summary>
    public Network<T> Network { get; }

    /// <summary>The optimizer.</summary>
    public Optimizer<T> Optimizer { get; }

    /// <summary>The training data. Its cursor is the position of the training.</summary>
    public BatchLoader<T> Batches { get; }

    /// <summary>How and how long to train.</summary>
    public TrainerOptions<T> Options { get; }

    /// <summary>The steps done since the training began, skipped ones included.</summary>
    public long Step { get; private set; }

    /// <summary>The epoch of the next step, from 0.</summary>
    public int Epoch => Batches.Cursor.Epoch;

    /// <summary>The epochs done so far.</summary>
    public IReadOnlyList<EpochRecord> History => _epochs;

    /// <summary>The time spent so far, including the time before a resumption.</summary>
    public TimeSpan Elapsed => _elapsedBefore + _clock.Elapsed;

    /// <summary>The total number of steps, as limited by epochs and steps; 0 if only time limits the training.</summary>
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

    /// <summary>Ends the training after the current step. Any thread may call it.</summary>
    public void Stop() => _stop = true;

    /// <summary>Trains to the end that the options set. Another call continues from there.</summary>
    /// <param name="cancellation">Ends the training before the next step. The steps done are kept, and saved if there are checkpoints.</param>
    /// <returns>Why it ended.</returns>
    /// <exception cref="NonFiniteException">The loss, a gradient or the new state was infinite or NaN; the step changed nothing.</exception>
    /// <exception cref="InvalidOperationException">The trainer is running, or another training has already used all epochs of the
    /// loader.</exception>
    /// <exception cref="CheckpointException">The directory holds checkpoints of an earlier training and <see cref="TryResume"/> was not called,
    /// or another running training saves into it.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written. As after every exception, another call continues with the step that was
    /// not done.</exception>
    /// <exception cref="UnauthorizedAccessException">A checkpoint may not be written.</exception>
    public StopReason Run(CancellationToken cancellation = default)
    {
        if (_running)
            throw new InvalidOperationException("The trainer is running. A callback cannot run it again.");
        if (Step == 0 && !_resumed && Options.Epochs is > 0 and var epochs && epochs <= Epoch)
        {
            throw new InvalidOperationException($"The training has not begun, but the loader is already at epoch {Epoch} of {epochs}, "
                + "because another training used it. Set its Cursor to default, or use a new loader.");
        }

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

    /// <summary>Restores the parameters and the state of the best validation so far, which <see cref="EarlyStopping"/> has kept.</summary>
    /// <returns>False if there was no validation yet, or if no weights were to be kept.</returns>
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

    /// <summary>A reason that always ends the training; not cancellation or <see cref="Stop"/>, after which it may continue.</summary>
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

    /// <summary>Validates and records an epoch. If the validation is cancelled, it returns false and nothing changes.</summary>
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

    /// <summary>Evaluates the averaged parameters, if there is an average.</summary>
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
