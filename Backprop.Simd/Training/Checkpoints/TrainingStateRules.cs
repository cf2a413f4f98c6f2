using System.Numerics;
using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Schedules;

namespace Backprop.Simd.Training;

/// <summary>The values that the numbers of a checkpoint may have. Everything is checked before anything is changed.</summary>
internal static class TrainingStateRules
{
    /// <summary>More than any training reaches, and small enough that counting on does not overflow.</summary>
    private const long MostSteps = 1L << 62;

    private const int MostEpochs = int.MaxValue - 1;

    /// <summary>The first value that is not allowed, as a text; null if all are allowed.</summary>
    /// <param name="state">The state that was read.</param>
    /// <param name="batchesPerEpoch">The number of batches in an epoch.</param>
    /// <param name="definition">The network's graph.</param>
    /// <typeparam name="T">The element type of the training.</typeparam>
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
                return $"{name} {rate}; expected 0 or more, and finite in {typeof(T).Name}";
        }

        for (var i = 0; i < definition.Graph.Losses.Length; i++)
        {
            if (!CanBe(state.EpochLosses[i], definition.Graph.Nodes[definition.Graph.Edges[definition.Graph.Losses[i].Edge].Producer]))
                return $"impossible parts of loss {i} of the epoch: {state.EpochLosses[i]?.ToString() ?? "null"}";
        }

        if (!IsRate(state.EpochSeconds))
            return $"seconds of the epoch {state.EpochSeconds}; expected a finite number, 0 or more";
        if (state.EpochIsOpen && (state.Epoch == 0 || state.Batch != 0))
            return $"an unfinished epoch at epoch {state.Epoch}, batch {state.Batch}; expected the end of an epoch";
        if (state.Best is { } best && double.IsNaN(best.Value))
            return "the best value NaN; expected a number";
        if (!state.Frozen.All(name => name is not null && (definition.Parameters.TryFind(name, out _) || definition.State.TryFind(name, out _))))
            return "frozen parameters that the network does not have";
        if (state.Evaluating?.All(name => Array.Exists(definition.Graph.Nodes, node => node.Name == name)) == false)
            return "nodes that act as in inference and that the network does not have";
        if (state.Written is { } written && written.Names.Any(name => Path.GetFileName(name) != name || CheckpointDirectory.StepOf(name) < 0))
            return "written files that are not checkpoints";
        return PlateauFault(state.Plateau) ?? state.History.Select((record, i) => Fault(record, state, i)).FirstOrDefault(fault => fault is not null);
    }

    /// <summary>
    /// Whether a loss of this node can have these parts. All are 0 before the first batch. Sample weights, the third input or one behind it, can be negative.
    /// </summary>
    private static bool CanBe(LossState? parts, NodeInfo node)
    {
        if (parts is null || !double.IsFinite(parts.Numerator) || !double.IsFinite(parts.Denominator) || (parts.IsSum && parts.Denominator != 0))
            return false;
        var divisor = node.Declaration.Divisor;
        if (divisor == LossDivisor.Unknown || parts is { Numerator: 0, Denominator: 0, IsSum: false })
            return true;
        return parts.IsSum == (divisor == LossDivisor.None) && (parts.Denominator >= 0 || (divisor == LossDivisor.Data && node.Inputs.Length >= 3));
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
            return $"an impossible plateau: {error.Message}";
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
