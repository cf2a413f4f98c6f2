using System.Globalization;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>Takes down what a trainer calls.</summary>
internal sealed class Recorder : ITrainingCallback<float>
{
    public List<string> Calls { get; } = [];

    public List<StepRecord> Steps { get; } = [];

    public List<EpochRecord> Epochs { get; } = [];

    public Action<Trainer<float>, StepRecord>? OnStep { get; set; }

    public Action<Trainer<float>, EpochRecord>? OnEpoch { get; set; }

    public void Started(Trainer<float> trainer) => Calls.Add("started");

    public void StepDone(Trainer<float> trainer, in StepRecord step)
    {
        Calls.Add(string.Create(CultureInfo.InvariantCulture, $"step {step.Step}"));
        Steps.Add(step);
        OnStep?.Invoke(trainer, step);
    }

    public void EpochDone(Trainer<float> trainer, EpochRecord epoch)
    {
        Calls.Add(string.Create(CultureInfo.InvariantCulture, $"epoch {epoch.Epoch}"));
        Epochs.Add(epoch);
        OnEpoch?.Invoke(trainer, epoch);
    }

    public void Finished(Trainer<float> trainer, StopReason? reason) => Calls.Add($"finished {reason}");
}
