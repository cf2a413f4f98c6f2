using System.Diagnostics;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Training;

/// <content>Saving and resuming.</content>
public sealed partial class Trainer<T>
{
    private readonly List<RejectedCheckpoint> _rejected = [];
    private long _lastSave;
    private bool _changed, _resumed;

    /// <summary>The directory, claimed while the training runs.</summary>
    private CheckpointDirectory? _directory;

    /// <summary>The files that this training wrote, and so may delete.</summary>
    private WrittenFiles? _written;

    /// <summary>
    /// The files that <see cref="TryResume"/> could not use, newest first. After them come files in the way of a save that this training did
    /// not write: files newer than the current step, or with the name to be written. Each file was renamed to end with <c>.rejected</c> if
    /// possible; none was deleted.
    /// </summary>
    public IReadOnlyList<RejectedCheckpoint> Rejected => _rejected;

    /// <summary>
    /// Resumes from the newest undamaged checkpoint in the directory of <see cref="TrainerOptions{T}.Checkpoints"/>. Restores everything that
    /// later steps depend on: parameters, state, optimizer, average, learning rate, random layers, position in the data, early stopping, history.
    /// </summary>
    /// <returns>False if the directory holds no checkpoint: the training starts from the beginning.</returns>
    /// <exception cref="InvalidOperationException">The options name no directory, or the trainer is running.</exception>
    /// <exception cref="CheckpointException">Every checkpoint is damaged or belongs to another training; the message says why. Nothing was
    /// changed.</exception>
    /// <exception cref="CheckpointException">There is no checkpoint, only files <c>*.rejected</c>. Nothing was changed.</exception>
    /// <exception cref="CheckpointException">Another running training saves into the directory. Nothing was changed.</exception>
    /// <exception cref="IOException">The directory cannot be written to. Nothing was changed.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written to. Nothing was changed.</exception>
    public bool TryResume()
    {
        RequireRest();
        var options = Options.Checkpoints ?? throw new InvalidOperationException("There is no directory to resume from. Set Checkpoints in the options.");
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
                $"'{options.Directory}' holds no checkpoint, only files that were set aside, such as '{Path.GetFileName(aside)}'. "
                + "Rename one to resume from it, or delete them to start again.");
        return _rejected.Count == 0
            ? false
            : throw new CheckpointException($"None of the {files.Count} checkpoints in '{options.Directory}' can be used: {Reasons()}");
    }

    /// <summary>Resumes from one checkpoint.</summary>
    /// <param name="path">A file written by <see cref="Save"/>.</param>
    /// <exception cref="CheckpointException">The file is damaged or belongs to another training; the message says what differs. Nothing was
    /// changed.</exception>
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

    /// <summary>Resumes from a checkpoint that was checked to belong to this training.</summary>
    private void Resume(Checkpoint<T> checkpoint)
    {
        var state = checkpoint.State;
        checkpoint.CopyWeights(this);
        Optimizer.RestoreSteps(state.OptimizerSteps);
        Optimizer.LearningRate = state.LearningRate;
        Options.Average?.Restore(checkpoint.Tensor(Checkpoint.Average), state.AverageUpdates!.Value);
        if (Options.Plateau is { } plateau)
            plateau.State = state.Plateau!.Value;
        foreach (var entry in Network.Definition.Parameters.Entries.Concat(Network.Definition.State.Entries))
        {
            if (state.Frozen.Contains(entry.Name))
                Network.Freeze(entry.Name);
            else
                Network.Unfreeze(entry.Name);
        }

        Network.SetTraining(name => state.Evaluating?.Contains(name) == true, false);
        Network.SetTraining(name => state.Evaluating?.Contains(name) != true, true);
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

    /// <summary>Drops the names of deleted files: a later file of such a name belongs to somebody else.</summary>
    private WrittenFiles? StillThere(WrittenFiles? written) => written is null || Options.Checkpoints is not { } options
        ? written
        : written with { Names = [.. written.Names.Where(name => File.Exists(Path.Combine(options.Directory, name)))] };

    /// <summary>Saves the training. Call it before or after <see cref="Run"/>, or in a callback.</summary>
    /// <param name="path">The file. An old file is replaced once the new one is on the disk.</param>
    /// <exception cref="IOException">The file cannot be written; an old file is unchanged.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written; an old file is unchanged.</exception>
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
            throw new InvalidOperationException("The trainer is running. Resume before Run.");
    }

    private string Graph() => string.Join(", ", Network.Definition.Graph.Nodes.Select(n => $"{n.Name} ({n.Layer.Kind})"));

    /// <summary>Why files were rejected: each reason once, with the newest file first.</summary>
    private string Reasons()
    {
        var groups = _rejected.GroupBy(r => r.Reason.Replace($"'{r.Path}'", "", StringComparison.Ordinal)).Select(group => group.ToArray());
        return string.Join(" ", groups.Select(same =>
            same.Length == 1
                ? same[0].Reason
                : $"{same[0].Reason} The same holds for {string.Join(", ", same.Skip(1).Select(r => $"'{Path.GetFileName(r.Path)}'"))}."));
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
        Frozen = [.. Network.Definition.Parameters.Entries.Concat(Network.Definition.State.Entries).Where(e => Network.IsFrozen(e.Name)).Select(e => e.Name)],
        Evaluating = Network.Blocks.Evaluating is { } rests ? [.. Network.Definition.Graph.Nodes.Where((_, n) => rests[n]).Select(n => n.Name)] : null,
        AverageUpdates = Options.Average?.Updates,
        Plateau = Options.Plateau?.State,
        PlateauMonitor = Options.Plateau is null ? null : Options.PlateauMonitor,
        Best = _best is null ? null : new BestState(Options.EarlyStopping!.Monitor, _best.LargerIsBetter, _best.Best, _best.BadValidations, _best.HasWeights),
        History = [.. _epochs],
        Written = written,
    };

    /// <summary>Claims the directory, if the options name one, and checks that it belongs to this training.</summary>
    /// <returns>The claim. Dispose it when the run ends.</returns>
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
                $"'{options.Directory}' holds checkpoints of an earlier training, the newest '{Path.GetFileName(newest)}'. "
                + "Call TryResume to continue it, or use another directory.");
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

        // Before the new file is on the disk, only a file of the same name is renamed. If the disk is full, the other files keep their names.
        SetAside(strangers.Where(f => Path.GetFileName(f) == name));

        // The list no longer names the files to be deleted: when it is read, a file of that name may be somebody's copy.
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
            {
                var fate = aside is null ? "It cannot be renamed" : $"It is now '{aside}'";
                _rejected.Add(new RejectedCheckpoint(path, $"'{path}' was not written by this training, which saved its step {Step}. {fate}."));
            }
        }
    }
}
