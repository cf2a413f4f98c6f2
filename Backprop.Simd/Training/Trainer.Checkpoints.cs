using System.Diagnostics;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Training;

/// <content>Saving and resuming.</content>
public sealed partial class Trainer<T>
{
    private readonly List<RejectedCheckpoint> _rejected = [];
    private long _lastSave;
    private bool _changed, _resumed;

    /// <summary>Claimed while the training runs.</summary>
    private CheckpointDirectory? _directory;

    /// <summary>What may be deleted.</summary>
    private WrittenFiles? _written;

    /// <summary>
    /// The files that <see cref="TryResume"/> passed over, newest first, and behind them those that this training did not write and found in its
    /// way when it saved: newer than the step that it had come to, or of the name that it was to write. Each was renamed where that is possible, with
    /// <c>.rejected</c> at its end; none was deleted.
    /// </summary>
    public IReadOnlyList<RejectedCheckpoint> Rejected => _rejected;

    /// <summary>
    /// Goes on from the newest checkpoint that is not damaged of the directory of <see cref="TrainerOptions{T}.Checkpoints"/>. Everything that the coming
    /// steps depend on is restored: parameters, state, optimizer, average, learning rate, random layers, place in the data, early stopping, history.
    /// </summary>
    /// <returns>False where the directory holds no checkpoint: the training begins.</returns>
    /// <exception cref="InvalidOperationException">The options name no directory, or the trainer is running.</exception>
    /// <exception cref="CheckpointException">There are checkpoints, all of them damaged or of another training; the message says why. Nothing was changed.</exception>
    /// <exception cref="CheckpointException">There is no checkpoint, but files <c>*.rejected</c> that were checkpoints. Nothing was changed.</exception>
    /// <exception cref="CheckpointException">A training that is running saves into the directory. Nothing was changed.</exception>
    /// <exception cref="IOException">The directory cannot be written to. Nothing was changed.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written to. Nothing was changed.</exception>
    public bool TryResume()
    {
        RequireRest();
        var options = Options.Checkpoints ?? throw new InvalidOperationException("There is no directory to resume from: set Checkpoints in the options.");
        _rejected.Clear();
        if (!Directory.Exists(options.Directory))
            return false;
        using var directory = CheckpointDirectory.Claim(options.Directory);
        var files = directory.Files();
        foreach (var path in files)
        {
            Checkpoint<T> checkpoint;
            try
            {
                checkpoint = Checkpoint<T>.Read(path);
                checkpoint.Require(Graph(), LoaderOf(Batches), this);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _rejected.Add(new RejectedCheckpoint(path, error.Message));
                continue;
            }

            Resume(checkpoint);
            foreach (var rejected in _rejected)
                CheckpointDirectory.SetAside(rejected.Path);
            return true;
        }

        if (files.Count == 0 && directory.FindSetAside() is { } aside)
            throw new CheckpointException(
                $"'{options.Directory}' holds no checkpoint but files that were set aside, as '{Path.GetFileName(aside)}': "
                + "rename them to go on with one, or delete them to begin anew.");
        return _rejected.Count == 0
            ? false
            : throw new CheckpointException($"None of the {files.Count} checkpoints in '{options.Directory}' can be used: {Reasons()}");
    }

    /// <summary>Goes on from one checkpoint.</summary>
    /// <param name="path">The file, as <see cref="Save"/> has written it.</param>
    /// <exception cref="CheckpointException">The file is damaged, or of another training: the message says what differs. Nothing was changed.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidOperationException">The trainer is running.</exception>
    public void Resume(string path)
    {
        RequireRest();
        ArgumentException.ThrowIfNullOrEmpty(path);
        var checkpoint = Checkpoint<T>.Read(path);
        checkpoint.Require(Graph(), LoaderOf(Batches), this);
        Resume(checkpoint);
    }

    /// <summary>Goes on from a checkpoint that has been found to be one of this training.</summary>
    private void Resume(Checkpoint<T> checkpoint)
    {
        var state = checkpoint.State;
        checkpoint.CopyWeights(this);
        Optimizer.RestoreSteps(state.OptimizerSteps);
        Optimizer.LearningRate = state.LearningRate;
        Options.Average?.Restore(checkpoint.Tensor(Checkpoint.Average), state.AverageUpdates!.Value);
        if (Options.Plateau is { } plateau)
            plateau.State = state.Plateau!.Value;
        foreach (var entry in Network.Definition.Parameters.Entries)
        {
            if (state.Frozen.Contains(entry.Name))
                Network.Freeze(entry.Name);
            else
                Network.Unfreeze(entry.Name);
        }

        _best = null;
        if (state.Best is { } best && Options.EarlyStopping is { } early)
        {
            _best = NewBest(early);
            _best.Restore(best.Value, best.BadValidations, best.HasWeights ? Network : null);
            if (best.HasWeights)
            {
                checkpoint.Tensor(Checkpoint.BestParameters).CopyTo(_best.Parameters);
                checkpoint.Tensor(Checkpoint.BestState).CopyTo(_best.State);
            }
        }

        Step = state.Step;
        _workspace.StepNumber = state.StepNumber;
        Batches.Cursor = new Data.DataCursor(state.Epoch, state.Batch);
        _epochIsOpen = state.EpochIsOpen;
        for (var i = 0; i < state.EpochLosses.Length; i++)
        {
            var loss = state.EpochLosses[i];
            _epochLosses.Parts[i] = loss.IsSum ? LossParts.Sum(loss.Numerator) : LossParts.Mean(loss.Numerator, loss.Denominator);
        }

        _sums = new EpochSums { Rows = state.EpochRows, Skipped = state.EpochSkipped, Seconds = state.EpochSeconds };
        _skippedInARow = state.SkippedInARow;
        _epochs.Clear();
        _epochs.AddRange(state.History);
        _elapsedBefore = state.Elapsed;
        _clock.Reset();
        _written = StillThere(state.Written);
        _changed = false;
        _resumed = true;
    }

    /// <summary>Without the names whose files are gone: what comes under such a name later is somebody else's.</summary>
    private WrittenFiles? StillThere(WrittenFiles? written) => written is null || Options.Checkpoints is not { } options
        ? written
        : written with { Names = [.. written.Names.Where(name => File.Exists(Path.Combine(options.Directory, name)))] };

    /// <summary>Saves the training: before or after <see cref="Run"/>, or in a callback.</summary>
    /// <param name="path">The file; one of this name is replaced once the new one is on the disk.</param>
    /// <exception cref="IOException">The file cannot be written; one of this name is as before.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written; one of this name is as before.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Checkpoint<T>.Write(path, this, CurrentState(_written));
    }

    internal bool LargerIsBetter(EarlyStopping early) => early.LargerIsBetter ?? Options.Validation!.LargerIsBetter(early.Monitor);

    internal ReadOnlyMemory<T> BestParameters => _best!.ParameterMemory;

    internal ReadOnlyMemory<T> BestState => _best!.StateMemory;

    private void RequireRest()
    {
        if (_running)
            throw new InvalidOperationException("The trainer is running: resume before Run.");
    }

    private string Graph() => string.Join(", ", Network.Definition.Graph.Nodes.Select(n => $"{n.Name} ({n.Layer.Kind})"));

    /// <summary>Why files were rejected: each reason once, with the newest file that has it.</summary>
    private string Reasons()
    {
        var groups = _rejected.GroupBy(r => r.Reason.Replace($"'{r.Path}'", "", StringComparison.Ordinal)).Select(group => group.ToArray());
        return string.Join(" ", groups.Select(same =>
            same.Length == 1 ? same[0].Reason : $"{same[0].Reason} And the same is true of {string.Join(", ", same.Skip(1).Select(r => $"'{Path.GetFileName(r.Path)}'"))}."));
    }

    private LoaderState LoaderOf(Data.BatchLoader<T> loader) =>
        new(loader.RowsPerEpoch, loader.BatchSize, loader.Options.Shuffle, loader.Seed, loader.Options.DropLast, Options.MicroBatches);

    private TrainingState CurrentState(WrittenFiles? written) => new()
    {
        ElementType = typeof(T).Name,
        NetworkSeed = Network.Seed,
        Graph = Graph(),
        Loader = LoaderOf(Batches),
        Optimizer = Checkpoint.NameOf(Optimizer.GetType()),
        OptimizerSteps = Optimizer.Steps,
        LearningRate = Optimizer.LearningRate,
        Step = Step,
        StepNumber = _workspace.StepNumber,
        Epoch = Batches.Cursor.Epoch,
        Batch = Batches.Cursor.Batch,
        EpochIsOpen = _epochIsOpen,
        EpochLosses = [.. _epochLosses.Parts.ToArray().Select(p => new LossState(p.Numerator, p.Denominator, p.IsSum))],
        EpochRows = _sums.Rows,
        EpochSkipped = _sums.Skipped,
        EpochSeconds = _sums.Seconds,
        SkippedInARow = _skippedInARow,
        Elapsed = Elapsed,
        Frozen = [.. Network.Definition.Parameters.Entries.Where(e => Network.IsFrozen(e.Name)).Select(e => e.Name)],
        AverageUpdates = Options.Average?.Updates,
        Plateau = Options.Plateau?.State,
        PlateauMonitor = Options.Plateau is null ? null : Options.PlateauMonitor,
        Best = _best is null ? null : new BestState(Options.EarlyStopping!.Monitor, _best.LargerIsBetter, _best.Best, _best.BadValidations, _best.HasWeights),
        History = [.. _epochs],
        Written = written,
    };

    /// <summary>Claims the directory, where there is one, and looks whether it is this training's.</summary>
    /// <returns>The claim, to be disposed when the run ends.</returns>
    private CheckpointDirectory? BeginCheckpoints()
    {
        if (Options.Checkpoints is not { } options)
            return null;
        var directory = CheckpointDirectory.Claim(options.Directory);
        directory.DeleteAbandoned();
        if (Step == 0 && !_resumed && directory.Files().Find(path => !Directory.Exists(path)) is { } newest)
        {
            directory.Dispose();
            throw new CheckpointException(
                $"'{options.Directory}' holds checkpoints of an earlier training, the newest '{Path.GetFileName(newest)}': call TryResume to go on with it, or give this training a directory of its own.");
        }

        if (_written?.Directory != directory.Id)
            _written = new WrittenFiles(directory.Id, []);
        _lastSave = Stopwatch.GetTimestamp();
        return _directory = directory;
    }

    private void SaveIfDue(bool epochEnded)
    {
        if (Options.Checkpoints is not { } options)
            return;
        if ((options.EverySteps is { } steps && Step % steps == 0)
            || (options.EveryEpoch && epochEnded)
            || (options.Every is { } period && Stopwatch.GetElapsedTime(_lastSave) >= period))
        {
            SaveNow(options);
        }
    }

    private void SaveAtEnd()
    {
        if (_changed && Options.Checkpoints is { } options)
            SaveNow(options);
    }

    private void SaveNow(CheckpointOptions options)
    {
        var (directory, name) = (_directory!, CheckpointDirectory.NameOf(Step));
        List<string> strangers =
            [.. directory.Files().Where(f => CheckpointDirectory.StepOf(f) >= Step && !_written!.Names.Contains(Path.GetFileName(f)))];

        // Only what has the very name moves before the new file is on the disk: were the disk full, nothing else would be lost from view.
        SetAside(strangers.Where(f => Path.GetFileName(f) == name));

        // What is to go is not in the list any more: a file of that name may be somebody's copy when the list is read.
        string[] all = [.. _written!.Names.Where(n => n != name), name];
        var written = _written with { Names = all[Math.Max(0, all.Length - options.Keep)..] };
        Checkpoint<T>.Write(directory.PathOf(name), this, CurrentState(written));
        _written = written;
        SetAside(strangers.Where(f => Path.GetFileName(f) != name));
        foreach (var old in all.Except(written.Names))
            File.Delete(directory.PathOf(old));
        _changed = false;
        _lastSave = Stopwatch.GetTimestamp();
    }

    private void SetAside(IEnumerable<string> strangers)
    {
        foreach (var path in strangers)
        {
            var aside = CheckpointDirectory.SetAside(path);
            if (_rejected.All(r => r.Path != path))
                _rejected.Add(new RejectedCheckpoint(
                    path, $"'{path}' was not written by this training, which saved its step {Step}: it {(aside is null ? "cannot be renamed" : $"is now '{aside}'")}."));
        }
    }
}
