using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Probe;

/// <summary>
/// Trains the same network from the same seed, round after round, with all that goes with it: readers ahead, augmentation, validation,
/// checkpoints. Memory must stand still, and each round must end with the bits of the first.
/// </summary>
internal sealed class Soak : ITrainingCallback<float>
{
    private const long Megabyte = 1 << 20, Growth = 8 * Megabyte;

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(30);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly TimeSpan _time, _warm;
    private TimeSpan _last;
    private long _steps, _rows, _rowsBefore, _baseline, _end;

    private Soak(TimeSpan time)
    {
        _time = time;
        _warm = TimeSpan.FromSeconds(Math.Min(60, time.TotalSeconds / 2));
    }

    /// <summary>soak SECONDS [STEPS], 2 seconds or more: exit code 0 where the working set grew by no more than some megabytes since the first minute (or since
    /// half of the time, if that is less), and all rounds of STEPS ended with the same bits.</summary>
    public static int Run(string seconds, string[] round)
    {
        var steps = round is [var text] ? long.Parse(text, CultureInfo.InvariantCulture) : 2000;
        return new Soak(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture))).Train(steps);
    }

    public void StepDone(Trainer<float> trainer, in StepRecord step)
    {
        _steps++;
        _rows += step.Rows;
        if (_clock.Elapsed >= _time)
        {
            _end = Report(settle: true);
            trainer.Stop();
        }
        else if (_baseline == 0 && _clock.Elapsed >= _warm)
            _baseline = Report(settle: true);
        else if (_clock.Elapsed - _last >= _period)
            Report(settle: false);
    }

    private int Train(long stepsOfRound)
    {
        var (rounds, different) = (0, 0);
        var first = "";
        while (_end == 0)
        {
            var directory = Directory.CreateTempSubdirectory("backprop-soak").FullName;
            try
            {
                using var training = new LongTraining(
                    new()
                    {
                        Steps = stepsOfRound,
                        Checkpoints = new CheckpointOptions { Directory = directory, Every = TimeSpan.FromSeconds(10), Keep = 2 },
                        Callbacks = [this],
                    },
                    plateau: false);
                if (training.Trainer.Run() != StopReason.Steps)
                    break;
                var hash = training.Hash();
                if (rounds++ == 0)
                    first = hash;
                else if (hash != first)
                    different++;
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }

        var growth = _end - _baseline;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{rounds} rounds of {stepsOfRound} steps, {different} with other bits than the first; hash {(rounds == 0 ? "none" : first)}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"working set grew by {growth / (double)Megabyte:F1} MB since second {_warm.TotalSeconds:F0}, {Growth / Megabyte} allowed"));
        return rounds > 0 && different == 0 && growth <= Growth ? 0 : 1;
    }

    /// <summary>Prints a line.</summary>
    /// <param name="settle">Whether garbage is collected first, so that two readings can be compared; both are taken in mid-training.</param>
    /// <returns>The working set.</returns>
    private long Report(bool settle)
    {
        if (settle)
        {
            for (var i = 0; i < 2; i++)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
            }
        }

        var now = _clock.Elapsed;
        var memory = Environment.WorkingSet;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{now.TotalSeconds,8:F0} s  working set {memory / (double)Megabyte:F1} MB  heap {GC.GetTotalMemory(false) / (double)Megabyte:F1} MB  "
            + $"collections {GC.CollectionCount(0)}/{GC.CollectionCount(1)}/{GC.CollectionCount(2)}  "
            + $"{_steps} steps  {(_rows - _rowsBefore) / (now - _last).TotalSeconds:F0} images/s"));
        (_last, _rowsBefore) = (now, _rows);
        return memory;
    }
}
