using System.Globalization;

namespace Backprop.Simd.Training;

/// <summary>Why a training ended.</summary>
public enum StopReason
{
    /// <summary>The number of epochs is reached.</summary>
    Epochs,

    /// <summary>The number of steps is reached.</summary>
    Steps,

    /// <summary>The time is used up.</summary>
    Time,

    /// <summary>The monitored figure has not become better for as long as was to be borne.</summary>
    EarlyStopping,

    /// <summary>The cancellation token was set.</summary>
    Cancelled,

    /// <summary><see cref="Trainer{T}.Stop"/> was called.</summary>
    Stopped,
}

/// <summary>One step.</summary>
/// <param name="Step">The number of the step, from 0, skipped ones included.</param>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Rows">The rows of the step, all micro-batches together.</param>
/// <param name="Loss">The loss before the update, over all rows of the step.</param>
/// <param name="LearningRate">The learning rate.</param>
/// <param name="GradientNorm">The norm of all gradients before clipping; NaN where it was not computed.</param>
/// <param name="Skipped">Whether nothing was updated, because the loss, a gradient or a state to be kept was not finite.</param>
public readonly record struct StepRecord(long Step, int Epoch, int Rows, double Loss, double LearningRate, double GradientNorm, bool Skipped);

/// <summary>One epoch.</summary>
/// <param name="Epoch">The epoch, from 0.</param>
/// <param name="Steps">The steps done by its end, since the training began.</param>
/// <param name="Rows">The rows trained on, without those of skipped steps.</param>
/// <param name="Skipped">The steps skipped.</param>
/// <param name="Loss">The loss over these rows, each before its step: means divide by what all steps together divide by, sums add up.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="RowsPerSecond">Rows trained on per second, without the time of validation, callbacks and checkpoints.</param>
/// <param name="Elapsed">The time of the training by its end, that before a resumption included.</param>
/// <param name="Validation">The validation; null without one.</param>
public sealed record EpochRecord(
    int Epoch, long Steps, long Rows, int Skipped, double Loss, double LearningRate, double RowsPerSecond, TimeSpan Elapsed, Evaluation? Validation);

/// <summary>Loss and metrics over a set.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Loss">The loss over all rows; NaN where the set has not what the losses need.</param>
/// <param name="Metrics">The metrics, in the order of the evaluator.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record Evaluation(long Rows, double Loss, IReadOnlyList<MetricValue> Metrics, double Seconds)
{
    /// <summary>The metrics, in the order of the evaluator.</summary>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    public IReadOnlyList<MetricValue> Metrics { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } =
        Metrics ?? throw new ArgumentNullException(nameof(Metrics));

    /// <summary>One metric.</summary>
    /// <param name="name">Its name; <c>loss</c> is the loss.</param>
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

            throw new ArgumentException($"There is no metric '{name}'; there are: {string.Join(", ", Metrics.Select(m => m.Name).Prepend("loss"))}.", nameof(name));
        }
    }

    /// <summary>All numbers by name, in the invariant culture.</summary>
    /// <returns>As <c>Evaluation { Rows = 360, Loss = 0.1, accuracy = 0.97, Seconds = 0.01 }</c>.</returns>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"Evaluation {{ Rows = {Rows}, Loss = {Loss}{string.Concat(Metrics.Select(m => string.Create(CultureInfo.InvariantCulture, $", {m.Name} = {m.Value}")))}, Seconds = {Seconds} }}");
}

/// <summary>A metric's name and value.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value; NaN where it is not defined.</param>
public readonly record struct MetricValue(string Name, double Value);

/// <summary>How far a training is, for a display.</summary>
/// <param name="Step">The steps done.</param>
/// <param name="TotalSteps">The steps to do, as far as epochs or steps limit them; 0 where only time does.</param>
/// <param name="Epoch">The epoch in progress, from 0.</param>
/// <param name="Fraction">What is done, 0 to 1: of steps or time, whichever is further.</param>
/// <param name="Loss">The loss of the epoch so far; NaN before its first step.</param>
/// <param name="LearningRate">The learning rate of the last step.</param>
/// <param name="RowsPerSecond">Rows trained on per second, since the report before.</param>
/// <param name="Elapsed">The time of the training so far.</param>
/// <param name="Remaining">The time left at this pace; null before it is known.</param>
public readonly record struct TrainingProgress(
    long Step, long TotalSteps, int Epoch, double Fraction, double Loss, double LearningRate, double RowsPerSecond, TimeSpan Elapsed, TimeSpan? Remaining);
