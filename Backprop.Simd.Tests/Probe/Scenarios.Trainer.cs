using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Probe;

/// <content>A trainer that is stopped behind each step; with two threads it reads ahead as well.</content>
internal static partial class Scenarios
{
    private static Action<int> TrainerSteps(int threads)
    {
        const int Rows = 1 << 20, Features = 4;
        var values = new float[Rows * Features];
        for (var i = 0; i < values.Length; i++)
            values[i] = MathF.Sin(i);
        var set = new Dataset<float>(
            Columns.Values<float>("x", new Shape(Features), values), Columns.Labels("labels", new byte[Rows]));
        var network = GraphBuilder.Chain(Features).Affine(16).BatchNormalization().Relu().Dropout(0.1).Affine(3).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var batches = new BatchLoader<float>(set, 16, new() { Seed = 1, Prefetch = threads == 1 ? 0 : 4 });
        var each = new Each();
        var trainer = new Trainer<float>(network, new AdamW<float>(network.Parameters.Length), batches, new()
        {
            Epochs = 1000,
            Schedule = new CosineSchedule(0.001, 1000),
            ClipNorm = 1,
            ClipValue = 1,
            Average = new ExponentialMovingAverage<float>(network.Parameters.Length),
            MicroBatches = threads,
            Callbacks = [each],
            Progress = each,
            ProgressPeriod = TimeSpan.Zero,
            Compute = new ComputeContext(threads),
        });
        return _ => trainer.Run();
    }

    private sealed class Each : ITrainingCallback<float>, IProgress<TrainingProgress>
    {
        private double _sum;

        public void StepDone(Trainer<float> trainer, in StepRecord step)
        {
            _sum += step.Loss;
            trainer.Stop();
        }

        public void Report(TrainingProgress value) => _sum += value.Fraction;
    }
}
