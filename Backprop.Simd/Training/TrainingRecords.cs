using System.Globalization;

namespace Backprop.Simd.Training;

/// <summary>Why a training ended.</summary>
public enum StopReason
{
    /// <summary>All epochs are done.</summary>
    Epochs,

    /// <summary>All steps are done.</summary>
    Steps,

    /// <summary>The time is used up.</summary>
    Time,

    /// <summary>The monitored value has not improved for too long.</summary>
    EarlyStopping,

    /// <summary>The token was cancelled.</summary>
    Cancelled,

    /// <summary><see cref="Trainer{T}.Stop"/> was called.</summary>
    Stopped,
}

/// <summary>One step.</summary>
/// <param name="Step">The number of the step, from 0, skipped ones included.</param>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Rows">The rows of all micro-batches of the step.</param>
/// <param name="Loss">The loss before the update, over all rows of the step.</param>
/// <param name="LearningRate">The learning rate.</param>
/// <param name="GradientNorm">The norm of all gradients before clipping; NaN if it was not computed.</param>
/// <param name="Skipped">Whether the step was skipped, because the loss, a gradient or the new state was not finite.</param>
public readonly record struct StepRecord(long Step, int Epoch, int Rows, double Loss, double LearningRate, double GradientNorm, bool Skipped);

/// <summary>One epoch.</summary>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Steps">The steps done by its end, counted from the start of the training.</param>
/// <param name="Rows">The rows trained on, without the rows of skipped steps.</param>
/// <param name="Skipped">The number of skipped steps.</param>
/// <param name="Loss">
/// The loss over these rows, each taken before its step. For a mean, numerators and denominators of all steps are added before the division;
/// sums are added.
/// </param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="RowsPerSecond">Rows trained on per second, without the time of validation, callbacks and checkpoints.</param>
/// <param name="Elapsed">The time of the training by its end, including the time before a resumption.</param>
/// <param name="Validation">The validation; null if there was none.</param>
// More than eight parameters: the fields of one record.
public sealed record EpochRecord(
    int Epoch, long Steps, long Rows, int Skipped, double Loss, double LearningRate, double RowsPerSecond, TimeSpan Elapsed, Evaluation? Validation);

/// <summary>Loss and metrics over a set.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Loss">The loss over all rows; NaN if the set lacks a column that the losses need.</param>
/// <param name="Metrics">The metrics, in the order of the evaluator.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record Evaluation(long Rows, double Loss, IReadOnlyList<MetricValue> Metrics, double Seconds)
{
    /// <summary>The metrics, in the order of the evaluator.</summary>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    public IReadOnlyList<MetricValue> Metrics { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } =
        Metrics ?? throw new ArgumentNullException(nameof(Metrics));

    /// <summary>One metric.</summary>
    /// <param name="name">Its name, or <c>loss</c>.</param>
    /// <exception cref="ArgumentException">There is no such metric.</exception>
    public double this[string name]
    {
        get
        {
            if (name == "loss")
                return Loss;
            foreach (var metric in Metrics)
            {
                if (metric.Name == name)
                    return metric.Value;
            }

            throw new ArgumentException($"There is no metric '{name}'; there are: {string.Join(", ", Metrics.Select(m => m.Name).Prepend("loss"))}.",
                nameof(name));
        }
    }

    /// <summary>All numbers with their names, in the invariant culture.</summary>
    /// <returns>A text such as <c>Evaluation { Rows = 360, Loss = 0.1, accuracy = 0.97, Seconds = 0.01 }</c>.</returns>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"Evaluation {{ Rows = {Rows}, Loss = {Loss}{string.Concat(Metrics.Select(Text))}, Seconds = {Seconds} }}");

    private static string Text(MetricValue metric) => string.Create(CultureInfo.InvariantCulture, $", {metric.Name} = {metric.Value}");
}

/// <summary>A metric's name and value.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value; NaN if it is not defined.</param>
public readonly record struct MetricValue(string Name, double Value);

/// <summary>The progress of a training, for a display.</summary>
/// <param name="Step">The steps done.</param>
/// <param name="TotalSteps">The total number of steps; 0 if only time limits the training.</param>
/// <param name="Epoch">The current epoch, from 0.</param>
/// <param name="Fraction">The part that is done, 0 to 1: the larger of the parts of steps and of time.</param>
/// <param name="Loss">The loss of the epoch so far; NaN before its first step.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="RowsPerSecond">Rows trained on per second since the previous report.</param>
/// <param name="Elapsed">The time spent so far.</param>
/// <param name="Remaining">The estimated time left; null while there is no estimate.</param>
// More than eight parameters: the fields of one report.
public readonly record struct TrainingProgress(
    long Step, long TotalSteps, int Epoch, double Fraction, double Loss, double LearningRate, double RowsPerSecond, TimeSpan Elapsed, TimeSpan? Remaining);
