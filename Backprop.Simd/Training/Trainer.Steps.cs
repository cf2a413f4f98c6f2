using System.Diagnostics;
using Backprop.Simd.Data;
using Backprop.Simd.Execution;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Training;

/// <content>One step.</content>
public sealed partial class Trainer<T>
{
    /// <summary>The sums of the current epoch.</summary>
    private struct EpochSums
    {
        public long Rows;
        public int Skipped;
        public double Seconds;
    }

    /// <summary>The time of the last report, and the start of the run.</summary>
    private struct ProgressClock(double firstFraction)
    {
        public readonly double FirstFraction = firstFraction;
        public readonly long Began = Stopwatch.GetTimestamp();
        public long Last = Stopwatch.GetTimestamp();
        public long Rows;
    }

    /// <summary>
    /// The network's state before a step of micro-batches. Every micro-batch changes the state, so a refused step copies it back. Empty for
    /// steps of one batch, which need no copy.
    /// </summary>
    private readonly T[] _stateBefore;

    /// <summary>The losses of the current epoch.</summary>
    private readonly LossSums _epochLosses;

    private long _rowsSeen;

    /// <summary>The loss of the current epoch over the rows so far; NaN before the first.</summary>
    private double EpochLoss => _sums.Rows == 0 ? double.NaN : _epochLosses.Value;

    private void RunStep()
    {
        var start = Stopwatch.GetTimestamp();
        var epoch = Epoch;
        if (Options.Schedule is { } schedule)
            Optimizer.LearningRate = schedule.At(Options.ScheduleByEpoch ? epoch : Step);
        else if (Options.Plateau is { } plateau)
            Optimizer.LearningRate = plateau.Rate;
        var (cursor, number) = (Batches.Cursor, _workspace.StepNumber);
        StepOutcome outcome;
        int rows;
        double loss, norm;
        try
        {
            outcome = _accumulator is null ? RunBatch(out rows, out loss, out norm) : RunMicroBatches(_accumulator, epoch, out rows, out loss, out norm);
        }
        catch
        {
            // The step was not done. It is the next step again, and its batches are read again.
            _stateBefore.CopyTo(Network.State);
            _workspace.StepNumber = number;
            Batches.Cursor = cursor;
            throw;
        }

        var skipped = outcome != StepOutcome.Updated;
        if (skipped)
        {
            _stateBefore.CopyTo(Network.State);
            _skippedInARow++;
            _sums.Skipped++;
            _workspace.StepNumber++;
        }
        else
        {
            _skippedInARow = 0;
            if (_accumulator is null)
                _epochLosses.Add(_workspace);
            else
                _epochLosses.Add(_accumulator.Losses);
            _sums.Rows += rows;
            Options.Average?.Update(Network.Parameters, _workspace.Executor.ActiveCompute);
        }

        _rowsSeen += rows;
        var record = new StepRecord(Step, epoch, rows, loss, Optimizer.LearningRate, norm, skipped);
        Step++;
        (_changed, _epochIsOpen) = (true, Batches.Cursor.Batch == 0);
        _sums.Seconds += Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (var callback in _callbacks)
            callback.StepDone(this, in record);
    }

    private StepOutcome RunBatch(out int rows, out double loss, out double norm)
    {
        var batch = Batches.Next();
        rows = batch.Rows;
        _binding.Bind(_workspace, batch);
        var outcome = _workspace.Executor.GuardedStep(Optimizer, in _guard, out loss, out norm);
        if (outcome != StepOutcome.Updated && MustThrow)
            throw NotFinite(outcome, batch, loss);
        return outcome;
    }

    private StepOutcome RunMicroBatches(GradientAccumulator<T> accumulator, int epoch, out int rows, out double loss, out double norm)
    {
        rows = 0;
        norm = double.NaN;
        accumulator.Reset();
        Network.State.CopyTo(_stateBefore);
        Batch<T> batch;
        StepOutcome outcome;
        do
        {
            batch = Batches.Next();
            rows += batch.Rows;
            _binding.Bind(_workspace, batch);
            loss = accumulator.Add();
            outcome = _workspace.Executor.LookAtForward(loss);
            if (outcome == StepOutcome.Updated)
                continue;
            if (MustThrow)
                throw NotFinite(outcome, batch, loss);

            // The remaining batches of the step are skipped too, so that every step begins at the same batch as before.
            for (var left = Options.MicroBatches - accumulator.Count; left > 0 && Epoch == epoch; left--)
                rows += Batches.Next().Rows;
            return outcome;
        }
        while (accumulator.Count < Options.MicroBatches && Epoch == epoch);

        loss = accumulator.Average();
        outcome = !double.IsFinite(loss) ? StepOutcome.LossNotFinite : _workspace.Executor.GuardedUpdate(Optimizer, in _guard, out norm);
        if (outcome != StepOutcome.Updated && MustThrow)
            throw NotFinite(outcome, batch, loss);
        return outcome;
    }

    private bool MustThrow => Options.NonFinite == NonFinitePolicy.Throw || _skippedInARow >= Options.SkipLimit;

    private NonFiniteException NotFinite(StepOutcome outcome, Batch<T> batch, double loss)
    {
        var (node, text) = NonFiniteSearch.Find(Network, _binding, batch, _workspace.StepNumber);
        var what = outcome switch
        {
            StepOutcome.LossNotFinite => $"the loss is {loss}",
            StepOutcome.StateNotFinite => "the new state is not finite",
            _ => "the gradients are not finite",
        };
        var limit = Options.NonFinite == NonFinitePolicy.Skip
            ? $" The {_skippedInARow} steps before it were skipped for such reasons, and SkipLimit allows no more."
            : "";
        return new NonFiniteException(
            $"In step {Step} (epoch {batch.Cursor.Epoch}, batch {batch.Cursor.Batch}) {what}: {text}. Nothing was updated.{limit}", node, Step);
    }

    private double Fraction()
    {
        var fraction = TotalSteps == 0 ? 0 : (double)Step / TotalSteps;
        if (Options.Time is { } time)
            fraction = Math.Max(fraction, time == TimeSpan.Zero ? 1 : Elapsed / time);
        return Math.Min(fraction, 1);
    }

    private void Report(ref ProgressClock clock, bool force)
    {
        if (Options.Progress is not { } progress)
            return;
        var since = Stopwatch.GetElapsedTime(clock.Last);
        if (!force && since < Options.ProgressPeriod)
            return;
        var fraction = Fraction();
        var done = fraction - clock.FirstFraction;
        TimeSpan? remaining = fraction >= 1 ? TimeSpan.Zero : done > 0 ? Stopwatch.GetElapsedTime(clock.Began) * ((1 - fraction) / done) : null;
        progress.Report(new TrainingProgress(
            Step, TotalSteps, Epoch, fraction, EpochLoss, Optimizer.LearningRate, (_rowsSeen - clock.Rows) / since.TotalSeconds, Elapsed, remaining));
        clock.Last = Stopwatch.GetTimestamp();
        clock.Rows = _rowsSeen;
    }
}
