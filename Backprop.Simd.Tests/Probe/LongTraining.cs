using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Probe;

/// <summary>
/// A training with all that has state: convolution, batch normalization, dropout, augmentation read ahead, micro-batches, clipping, a
/// schedule or a plateau, an average, validation and early stopping. On one thread, the same bits in every process of this machine.
/// </summary>
internal sealed class LongTraining : IDisposable
{
    private const int Side = 16, Classes = 5, Rows = 600, ValidationRows = 200, Batch = 16;

    private readonly ComputeContext _compute = new(1);
    private readonly BatchLoader<float> _batches;

    /// <param name="options">Epochs, steps or time, checkpoints and callbacks; the rest is set here.</param>
    /// <param name="plateau">Whether the rate follows the validations instead of a schedule.</param>
    public LongTraining(TrainerOptions<float> options, bool plateau)
    {
        var graph = new GraphBuilder();
        graph.Input("x", Side, Side, 1).Convolution2D(12, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2)
            .Convolution2D(24, 3, padding: 1).Relu().MaxPooling2D(2).Flatten().Affine(32).Relu().Dropout(0.2).Affine(Classes)
            .SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 3);
        _batches = new BatchLoader<float>(Images(Rows, first: 0), Batch, new LoaderOptions<float>
        {
            Seed = 11,
            Prefetch = 4,
            Workers = 2,
            Transforms = [new RandomShift<float>(2), new GaussianNoise<float>(0.3)],
        });
        var count = network.Parameters.Length;
        Trainer = new Trainer<float>(network, plateau ? new AdamW<float>(count, amsGrad: true) : new NAdam<float>(count), _batches, options with
        {
            Schedule = plateau ? null : new CosineSchedule(0.003, 400, 0.0003),
            Plateau = plateau ? new ReduceOnPlateau(0.002, 0.7, patience: 1) : null,
            ClipNorm = 1,
            ClipValue = 0.5,
            MicroBatches = 2,
            Average = new ExponentialMovingAverage<float>(count, 0.95),
            Validation = new Evaluator<float>(network, Images(ValidationRows, first: Rows), [new AccuracyMetric<float>()], new() { Compute = _compute }),
            EarlyStopping = new EarlyStopping { Monitor = "accuracy", Patience = 1000 },
            Compute = _compute,
        });
    }

    public Trainer<float> Trainer { get; }

    /// <summary>
    /// The hash of all that must come out the same. Where there are checkpoints it goes back to the last, because the end of the
    /// training has put the best weights in place, and looks at both.
    /// </summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (Trainer.Options.Checkpoints is not null && !Trainer.TryResume())
            throw new InvalidOperationException("The training has left no checkpoint.");
        Weights(hash);
        foreach (var name in Trainer.Optimizer.StateNames)
            hash.AppendData(MemoryMarshal.AsBytes(Trainer.Optimizer.State(name)));
        hash.AppendData(MemoryMarshal.AsBytes(Trainer.Options.Average!.Average));
        Number(hash, Trainer.Optimizer.Steps);
        Number(hash, Trainer.Step);
        Number(hash, Trainer.Options.Average.Updates);
        Number(hash, Trainer.Batches.Cursor.Epoch);
        Number(hash, Trainer.Batches.Cursor.Batch);
        Number(hash, Trainer.Optimizer.LearningRate);
        if (!Trainer.RestoreBest())
            throw new InvalidOperationException("There are no best weights.");
        Weights(hash);
        foreach (var epoch in Trainer.History)
        {
            foreach (var number in (long[])[epoch.Epoch, epoch.Steps, epoch.Rows, epoch.Skipped])
                Number(hash, number);
            foreach (var number in (double[])[epoch.Loss, epoch.LearningRate, epoch.Validation!.Loss, epoch.Validation["accuracy"]])
                Number(hash, number);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _batches.Dispose();
        _compute.Dispose();
    }

    /// <summary>TRAIN DIRECTORY EPOCHS schedule|plateau: goes on from what is there, saves without pause, and prints one line at its end.</summary>
    public static int Run(string directory, string epochs, string rate)
    {
        using var training = new LongTraining(
            new()
            {
                Epochs = int.Parse(epochs, CultureInfo.InvariantCulture),
                Checkpoints = new CheckpointOptions
                {
                    Directory = directory,
                    EverySteps = 3,
                    Every = TimeSpan.FromMilliseconds(25),
                    EveryEpoch = true,
                    Keep = 3,
                },
            },
            rate == "plateau");
        training.Trainer.TryResume();
        var reason = training.Trainer.Run();
        Console.WriteLine($"{reason} {training.Trainer.Step} {training.Hash()}");
        return 0;
    }

    /// <summary>STAND DIRECTORY: saves after its first step, prints a line, and waits for ever.</summary>
    public static int Stand(string directory)
    {
        using var training = new LongTraining(
            new() { Epochs = 2, Checkpoints = new CheckpointOptions { Directory = directory, EverySteps = 1 }, Callbacks = [new StandsStill()] },
            plateau: false);
        training.Trainer.Run();
        return 1;
    }

    private void Weights(IncrementalHash hash)
    {
        hash.AppendData(MemoryMarshal.AsBytes(Trainer.Network.Parameters));
        hash.AppendData(MemoryMarshal.AsBytes(Trainer.Network.State));
    }

    private static void Number(IncrementalHash hash, double number) => Number(hash, BitConverter.DoubleToInt64Bits(number));

    private static void Number(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }

    /// <summary>Waves, a direction for each class, with noise.</summary>
    private static Dataset<float> Images(int count, int first)
    {
        var (pixels, labels) = (new byte[count * Side * Side], new byte[count]);
        var random = new Random(first + 1);
        for (var i = 0; i < count; i++)
        {
            labels[i] = (byte)(i % Classes);
            var (sin, cos) = Math.SinCos(Math.PI * labels[i] / Classes);
            var phase = random.NextDouble() * 6;
            for (var p = 0; p < Side * Side; p++)
                pixels[(i * Side * Side) + p] = (byte)(127 + (60 * Math.Sin((((p / Side * sin) + (p % Side * cos)) * 0.9) + phase))
                    + (random.NextDouble() * 120) - 60);
        }

        return new Dataset<float>(Columns.Bytes<float>("x", new Shape(Side, Side, 1), pixels), Columns.Labels("labels", labels, Classes));
    }

    /// <summary>In the second step, behind the first checkpoint.</summary>
    private sealed class StandsStill : ITrainingCallback<float>
    {
        public void StepDone(Trainer<float> trainer, in StepRecord step)
        {
            if (step.Step == 0)
                return;
            Console.WriteLine("running");
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
