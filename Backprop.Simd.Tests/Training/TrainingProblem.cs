using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>Three classes of points in eight dimensions that overlap a little.</summary>
internal static class TrainingProblem
{
    public const int Features = 8, Classes = 3;

    public static Dataset<float> Points(int count, ulong seed = 5)
    {
        var random = new TestRandom(seed);
        var (values, labels) = (new float[count * Features], new int[count]);
        for (var i = 0; i < count; i++)
        {
            labels[i] = i % Classes;
            for (var j = 0; j < Features; j++)
                values[(i * Features) + j] = (j % Classes == labels[i] ? 0.7f : 0) + random.Signed<float>();
        }

        return new Dataset<float>(Columns.Values<float>("x", new Shape(Features), values), Columns.Labels("labels", labels));
    }

    /// <summary>With random layers and state, so that a resumed run can differ in each.</summary>
    public static Network<float> Network(ulong seed = 1) =>
        GraphBuilder.Chain(Features).Affine(16).BatchNormalization().Relu().Dropout(0.2).Affine(Classes).SoftmaxCrossEntropy().Build<float>(seed);

    public static Network<float> Plain(ulong seed = 1) =>
        GraphBuilder.Chain(Features).Affine(12).Tanh().Affine(Classes).SoftmaxCrossEntropy().Build<float>(seed);

    public static BatchLoader<float> Loader(Dataset<float> set, int batch = 16, ulong seed = 7, int prefetch = 0) =>
        new(set, batch, new LoaderOptions<float> { Shuffle = true, Seed = seed, Prefetch = prefetch });

    public static AdamW<float> Optimizer(Network<float> network) => new(network.Parameters.Length, 0.02);

    /// <summary>A training with everything: schedule, micro-batches, clipping, average, validation, early stopping.</summary>
    public static Trainer<float> Everything(CheckpointOptions? checkpoints = null, int epochs = 6, int prefetch = 0, bool plateau = false,
        ITrainingCallback<float>? callback = null, int validationPeriod = 1, BatchLoader<float>? batches = null)
    {
        var network = Network();
        return new Trainer<float>(network, Optimizer(network), batches ?? Loader(Points(100), prefetch: prefetch), new TrainerOptions<float>
        {
            Epochs = epochs,
            Schedule = plateau ? null : new CosineSchedule(0.03, 30),
            Plateau = plateau ? new ReduceOnPlateau(0.03, patience: 0) : null,
            MicroBatches = 2,
            ClipNorm = 1,
            Average = new ExponentialMovingAverage<float>(network.Parameters.Length, 0.9),
            Validation = new Evaluator<float>(network, Points(60, seed: 6), [new AccuracyMetric<float>()]),
            ValidationPeriod = validationPeriod,
            EarlyStopping = new EarlyStopping { Patience = 3 },
            Checkpoints = checkpoints,
            Callbacks = callback is null ? [] : [callback],
        });
    }
}
