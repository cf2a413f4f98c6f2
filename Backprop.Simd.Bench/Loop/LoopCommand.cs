using System.Diagnostics;
using System.Globalization;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Bench;

/// <summary>
/// What of the bare step's speed is left when a <see cref="Trainer{T}"/> runs it on 60,000 shuffled images kept as bytes: both take turns
/// in one process.
/// </summary>
internal static class LoopCommand
{
    /// <summary>What the command does, for the program's help.</summary>
    public const string Usage = """
          loop [--threads N] [--quick]
                              images/s of the trainer with data and shuffling beside those of the bare step, and of the FMA peak
        """;

    private const int Images = 60_000, Pixels = 784, Classes = 10;

    private static readonly Case[] Cases =
    [
        new("784-50-10, SGD", 100, x => x.Affine(50).Sigmoid(), n => new Sgd<float>(n, 0.01), Flat: true, (2 * Pixels * 50) + (3 * 50 * Classes)),
        new("784-256-10, AdamW", 128, x => x.Affine(256).Relu(), n => new AdamW<float>(n), Flat: true, (2 * Pixels * 256) + (3 * 256 * Classes)),
        new("784-512-256-10, Adam", 128, x => x.Affine(512).Relu().Affine(256).Relu(), n => new Adam<float>(n), Flat: true,
            (2 * Pixels * 512) + (3 * ((512 * 256) + (256 * Classes)))),
        new("conv 5x5x12, 3x3x24, 64, AdamW", 64,
            x => x.Convolution2D(12, 5).Relu().MaxPooling2D(2).Convolution2D(24, 3).Relu().MaxPooling2D(2).Flatten().Affine(64).Relu(),
            n => new AdamW<float>(n), Flat: false,
            (2 * 24 * 24 * 25 * 12) + (3 * ((10 * 10 * 9 * 12 * 24) + (5 * 5 * 24 * 64) + (64 * Classes)))),
    ];

    public static int Run(string[] options)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var (threads, quick) = (1, false);
        for (var i = 0; i < options.Length; i++)
        {
            switch (options[i])
            {
                case "--quick":
                    quick = true;
                    break;
                case "--threads" when i + 1 < options.Length && int.TryParse(options[i + 1], CultureInfo.InvariantCulture, out threads) && threads >= 1:
                    i++;
                    break;
                default:
                    Console.Error.WriteLine($"loop: '{options[i]}' is no option of it.\n{Usage}");
                    return 2;
            }
        }

        foreach (var (name, value) in MachineInfo.Describe(threads))
            Console.WriteLine($"{name}: {value}");
        using var meter = new PeakMeter<float>(threads);
        Console.WriteLine($"peak: {meter.Gflops:F0} GFLOP/s\n");
        Console.WriteLine("| network | batch | read | bare step, images/s | trainer, images/s | fraction (best, median) "
            + "| bare, % of peak | trainer, % of peak |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var problem in Cases)
        {
            foreach (var prefetch in (int[])[0, 16])
                Console.WriteLine(Measure(problem, threads, prefetch, quick ? 5 : 21, meter));
        }

        return 0;
    }

    private static string Measure(Case problem, int threads, int prefetch, int rounds, PeakMeter<float> meter)
    {
        using var compute = new ComputeContext(threads);
        var set = Set(problem.Flat);
        var (bare, inLoop) = (problem.Build(), problem.Build());
        var workspace = bare.CreateWorkspace(problem.Batch, compute: compute);
        set.Read([.. Enumerable.Range(0, problem.Batch)], out var values, out var labels);
        workspace.BindInput("x", values);
        workspace.BindIndexInput("labels", labels);
        var optimizer = problem.Optimizer(bare.Parameters.Length);
        using var batches = new BatchLoader<float>(set, problem.Batch, new() { Seed = 1, Prefetch = prefetch, DropLast = true, Compute = compute });
        var pause = new StopEvery();
        var trainer = new Trainer<float>(inLoop, problem.Optimizer(inLoop.Parameters.Length), batches,
            new() { Epochs = int.MaxValue, Callbacks = [pause], Compute = compute });

        // As many steps as take a fifth of a second, both warm and past the choice of threads.
        for (var i = 0; i < 600; i++)
            bare.Step(workspace, optimizer);
        pause.Period = 600;
        trainer.Run();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < 50; i++)
            bare.Step(workspace, optimizer);
        var steps = Math.Max(20, (int)(0.2 / (Stopwatch.GetElapsedTime(start).TotalSeconds / 50)));
        pause.Period = steps;

        var (bareTimes, loopTimes) = (new double[rounds], new double[rounds]);
        for (var round = 0; round < rounds; round++)
        {
            start = Stopwatch.GetTimestamp();
            for (var i = 0; i < steps; i++)
                bare.Step(workspace, optimizer);
            bareTimes[round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            start = Stopwatch.GetTimestamp();
            trainer.Run();
            loopTimes[round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            meter.Sample();
        }

        var ratios = bareTimes.Zip(loopTimes, (b, l) => b / l).Order().ToArray();
        var images = (double)steps * problem.Batch;
        var (bareRate, loopRate) = (images / Median(bareTimes), images / Median(loopTimes));
        double OfPeak(double rate) => 100 * rate * 2 * problem.MultiplyAdds / (meter.Gflops * 1e9);
        return $"| {problem.Name} | {problem.Batch} | {(prefetch == 0 ? "by the caller" : $"{prefetch} ahead")} | {bareRate:N0} | {loopRate:N0} "
            + $"| {bareTimes.Min() / loopTimes.Min():F2}, {ratios[rounds / 2]:F2} | {OfPeak(bareRate):F0} | {OfPeak(loopRate):F0} |";
    }

    private static double Median(double[] times) => times.Order().ElementAt(times.Length / 2);

    private static Dataset<float> Set(bool flat)
    {
        var random = new Random(1);
        var (pixels, labels) = (new byte[Images * Pixels], new byte[Images]);
        random.NextBytes(pixels);
        for (var i = 0; i < Images; i++)
            labels[i] = (byte)random.Next(Classes);
        return new Dataset<float>(
            Columns.Bytes<float>("x", flat ? new Shape(Pixels) : new Shape(28, 28, 1), pixels), Columns.Labels("labels", labels));
    }

    private static void Read(this Dataset<float> set, int[] rows, out float[] values, out int[] labels)
    {
        values = new float[rows.Length * Pixels];
        labels = new int[rows.Length];
        ((ValueColumn<float>)set["x"]).Read(rows, values);
        ((IndexColumn)set["labels"]).Read(rows, labels);
    }

    /// <param name="Name">What the table calls it.</param>
    /// <param name="Batch">The rows of a step.</param>
    /// <param name="Layers">The layers up to the logits.</param>
    /// <param name="Optimizer">What updates so many parameters.</param>
    /// <param name="Flat">Whether images are rows of pixels.</param>
    /// <param name="MultiplyAdds">Multiplications and additions of a step per image, those of the first layer's dX left out.</param>
    private sealed record Case(string Name, int Batch, Func<Node, Node> Layers, Func<int, Optimizer<float>> Optimizer, bool Flat, double MultiplyAdds)
    {
        public Network<float> Build() =>
            Layers(GraphBuilder.Chain(Flat ? new Shape(Pixels) : new Shape(28, 28, 1))).Affine(Classes).SoftmaxCrossEntropy().Build<float>(seed: 1);
    }

    /// <summary>Stops the trainer behind so many steps.</summary>
    private sealed class StopEvery : ITrainingCallback<float>
    {
        private int _steps;

        public int Period { get; set; }

        public void StepDone(Trainer<float> trainer, in StepRecord step)
        {
            if (++_steps < Period)
                return;
            _steps = 0;
            trainer.Stop();
        }
    }
}
