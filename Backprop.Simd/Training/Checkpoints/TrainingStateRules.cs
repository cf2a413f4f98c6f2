using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Execution;
using Backprop.Simd.Networks;
using Backprop.Simd.Schedules;

namespace Backprop.Simd.Training;

/// <summary>What the numbers of a checkpoint can be, whoever wrote it: all of it is looked at before anything is changed.</summary>
internal static class TrainingStateRules
{
    /// <summary>Further than any training comes, and far enough from the largest number to count on.</summary>
    private const long MostSteps = 1L << 62;

    private const int MostEpochs = int.MaxValue - 1;

    /// <summary>What cannot be; null where all can.</summary>
    /// <param name="state">What was read.</param>
    /// <param name="batchesPerEpoch">The batches of an epoch.</param>
    /// <param name="definition">The network's graph.</param>
    /// <typeparam name="T">What the training computes in.</typeparam>
    public static string? Fault<T>(TrainingState state, int batchesPerEpoch, NetworkDefinition definition) where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (name, count, most) in ((string, long, long)[])[
            ("step", state.Step, MostSteps), ("step number", state.StepNumber, MostSteps), ("optimizer steps", state.OptimizerSteps, MostSteps),
            ("average updates", state.AverageUpdates ?? 0, MostSteps), ("epoch", state.Epoch, MostEpochs), ("batch", state.Batch, batchesPerEpoch - 1),
            ("rows of the epoch", state.EpochRows, MostSteps), ("skipped steps of the epoch", state.EpochSkipped, MostEpochs),
            ("skipped steps in a row", state.SkippedInARow, MostEpochs), ("elapsed ticks", state.Elapsed.Ticks, MostSteps),
            ("bad validations", state.Best?.BadValidations ?? 0, MostEpochs)])
        {
            if (count < 0 || count > most)
                return $"{name} {count}; expected 0 to {most}";
        }

        foreach (var (name, rate) in ((string, double)[])[("learning rate", state.LearningRate), ("rate of the plateau", state.Plateau?.Rate ?? 0)])
        {
            if (!IsRate(rate) || !T.IsFinite(T.CreateTruncating(rate)))
                return $"{name} {rate}; expected a number, 0 or more, that is finite in {typeof(T).Name}";
        }

        for (var i = 0; i < definition.Graph.Losses.Length; i++)
        {
            if (!CanBe(state.EpochLosses[i], definition.Graph.Nodes[definition.Graph.Edges[definition.Graph.Losses[i].Edge].Producer]))
                return $"parts of loss {i} of the epoch that the graph's loss cannot have: {state.EpochLosses[i]?.ToString() ?? "null"}";
        }

        if (!IsRate(state.EpochSeconds))
            return $"seconds of the epoch {state.EpochSeconds}; expected a finite number, 0 or more";
        if (state.EpochIsOpen && (state.Epoch == 0 || state.Batch != 0))
            return $"an epoch to be ended at epoch {state.Epoch}, batch {state.Batch}; expected a place behind an epoch";
        if (state.Best is { } best && double.IsNaN(best.Value))
            return "best figure NaN; expected a number";
        if (!state.Frozen.All(name => definition.Parameters.Entries.Any(e => e.Name == name)))
            return "frozen parameters that the network has not";
        if (state.Written is { } written && written.Names.Any(name => Path.GetFileName(name) != name || CheckpointDirectory.StepOf(name) < 0))
            return "written files that are no checkpoints";
        return PlateauFault(state.Plateau) ?? state.History.Select((record, i) => Fault(record, state, i)).FirstOrDefault(fault => fault is not null);
    }

    /// <summary>Whether a loss of this node has such parts; all are 0 before its first batch. Sample weights, the third input, can be negative.</summary>
    private static bool CanBe(LossState? parts, NodeInfo node)
    {
        if (parts is null || !double.IsFinite(parts.Numerator) || !double.IsFinite(parts.Denominator) || (parts.IsSum && parts.Denominator != 0))
            return false;
        var divisor = node.Declaration.Divisor;
        if (divisor == LossDivisor.Unknown || parts is { Numerator: 0, Denominator: 0, IsSum: false })
            return true;
        return parts.IsSum == (divisor == LossDivisor.None) && (parts.Denominator >= 0 || node.Inputs.Length == 3);
    }

    private static string? PlateauFault(PlateauState? state)
    {
        try
        {
            if (state is { } plateau)
                _ = new ReduceOnPlateau(rate: 0) { State = plateau };
            return null;
        }
        catch (ArgumentException error)
        {
            return $"a plateau that cannot be: {error.Message}";
        }
    }

    private static string? Fault(EpochRecord? record, TrainingState state, int index)
    {
        var isRight = record is { Epoch: >= 0 and <= MostEpochs, Steps: >= 0, Rows: >= 0, Skipped: >= 0 }
            && record.Steps <= state.Step && record.Elapsed >= TimeSpan.Zero && IsRate(record.LearningRate)
            && (record.Validation is not { } validation || (validation.Rows >= 0 && validation.Metrics is { } metrics && metrics.All(m => m.Name is not null)));
        return isRight ? null : $"record {index} of the history: {record?.ToString() ?? "null"}";
    }

    private static bool IsRate(double value) => value >= 0 && double.IsFinite(value);
}
