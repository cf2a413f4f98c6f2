using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Fuzz;

/// <summary>Checkpoints of a training with all that a checkpoint holds.</summary>
internal static class TrainingTarget
{
    /// <summary>Bytes that begin with a brace are the state of a checkpoint that is right otherwise, others are a file.</summary>
    public static Target Checkpoint { get; } = new("checkpoint", Read, Seeds);

    private static readonly string _path =
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"backprop-fuzz-{Environment.ProcessId}.checkpoint");

    private static readonly Lazy<(Trainer<float> Trainer, byte[] Saved)> _training = new(Trained);

    private static bool Read(byte[] bytes)
    {
        var (trainer, saved) = _training.Value;
        File.WriteAllBytes(_path, bytes is [(byte)'{', ..] ? TensorTargets.With(saved, "training", bytes) : TensorTargets.Sealed(bytes));
        try
        {
            trainer.Resume(_path);
            return true;
        }
        catch (CheckpointException)
        {
            return false;
        }
        finally
        {
            File.Delete(_path);
        }
    }

    private static IEnumerable<byte[]> Seeds() => [_training.Value.Saved, TensorTargets.TextOf(_training.Value.Saved, "training")];

    private static (Trainer<float>, byte[]) Trained()
    {
        var network = GraphBuilder.Chain(3).Affine(2).BatchNormalization().SoftmaxCrossEntropy().Build<float>(seed: 1);
        var numbers = new float[30 * 3];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = i % 7;
        var set = new Dataset<float>(Columns.Values<float>("x", new Shape(3), numbers), Columns.Labels("labels", new byte[30], 2));
        var batches = new BatchLoader<float>(set, 5, new() { Rows = Enumerable.Range(0, 20).ToArray() });
        var trainer = new Trainer<float>(network, new AdamW<float>(network), batches, new()
        {
            Epochs = 2,
            Average = new ExponentialMovingAverage<float>(network),
            Plateau = new ReduceOnPlateau(0.01, 0.5, patience: 1),
            Validation = new(network, set, [new AccuracyMetric<float>()], new() { Rows = Enumerable.Range(20, 10).ToArray() }),
            EarlyStopping = new() { Monitor = "accuracy", Patience = 5, RestoreBest = true },
        });
        trainer.Run();
        trainer.Save(_path);
        var saved = File.ReadAllBytes(_path);
        File.Delete(_path);
        return (trainer, saved);
    }
}
