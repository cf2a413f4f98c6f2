using System.Globalization;
using Backprop.Simd.Data;
using Backprop.Simd.Inference;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>A training that was ended anywhere and resumed ends with the bits of an undisturbed one.</summary>
public sealed class CheckpointTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("backprop-checkpoints").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 3)]
    public void Resumed_at_every_step_it_ends_with_the_same_bits(bool plateau, int prefetch)
    {
        var undisturbed = TrainingProblem.Everything(plateau: plateau, prefetch: prefetch);
        var reason = undisturbed.Run();
        var steps = (int)undisturbed.Step;
        Assert.InRange(steps, 8, 24);
        for (var end = 1; end < steps; end++)
        {
            var options = new CheckpointOptions { Directory = Path.Combine(_directory, end.ToString(CultureInfo.InvariantCulture)) };
            var first = TrainingProblem.Everything(options, plateau: plateau, prefetch: prefetch,
                callback: new Recorder { OnStep = (t, s) => { if (s.Step + 1 == end) t.Stop(); } });
            Assert.Equal(StopReason.Stopped, first.Run());
            first.Batches.Dispose();

            var second = TrainingProblem.Everything(options, plateau: plateau, prefetch: prefetch);
            second.Network.Parameters.Fill(7);
            Assert.True(second.TryResume());
            Assert.Equal(end, second.Step);
            Assert.Equal(reason, second.Run());
            AssertSame(undisturbed, second);
            second.Batches.Dispose();
        }

        undisturbed.Batches.Dispose();
    }

    [Fact]
    public void Saved_while_running_as_often_as_asked_and_old_files_go()
    {
        var options = new CheckpointOptions
        {
            Directory = _directory,
            EverySteps = 4,
            EveryEpoch = true,
            Keep = 3,
            Metadata = new Dictionary<string, string> { ["note"] = "ü" },
        };
        var undisturbed = TrainingProblem.Everything();
        undisturbed.Run();
        var trainer = TrainingProblem.Everything(options);
        trainer.Run();
        AssertSame(undisturbed, trainer);
        var files = Files();
        Assert.Equal(3, files.Length);
        Assert.Equal($"checkpoint-{trainer.Step:D12}.safetensors", Path.GetFileName(files[^1]));

        // From each of the files left, by path.
        foreach (var file in files)
        {
            var resumed = TrainingProblem.Everything();
            resumed.Resume(file);
            resumed.Run();
            AssertSame(undisturbed, resumed);
        }

        // Resumed at its end, a training is at its end.
        var again = TrainingProblem.Everything(options);
        Assert.True(again.TryResume());
        again.Run();
        AssertSame(undisturbed, again);
        Assert.Empty(again.Rejected);
    }

    [Fact]
    public void By_the_clock_too_and_on_cancellation()
    {
        using var source = new CancellationTokenSource();
        var options = new CheckpointOptions { Directory = _directory, Every = TimeSpan.FromTicks(1), Keep = 100 };
        var trainer = TrainingProblem.Everything(options, callback: new Recorder { OnStep = (_, s) => { if (s.Step == 4) source.Cancel(); } });
        Assert.Equal(StopReason.Cancelled, trainer.Run(source.Token));
        Assert.Equal(5, Files().Length);
    }

    [Fact]
    public void A_validation_that_was_cancelled_is_made_up_for()
    {
        var undisturbed = TrainingProblem.Everything();
        undisturbed.Run();
        using var source = new CancellationTokenSource();

        // Four steps are an epoch; the token is set in the last step, before the validation.
        var options = new CheckpointOptions { Directory = _directory };
        var trainer = TrainingProblem.Everything(options, callback: new Recorder { OnStep = (_, s) => { if (s.Step == 3) source.Cancel(); } });
        Assert.Equal(StopReason.Cancelled, trainer.Run(source.Token));
        Assert.Empty(trainer.History);
        var resumed = TrainingProblem.Everything(options);
        Assert.True(resumed.TryResume());
        resumed.Run();
        AssertSame(undisturbed, resumed);
        trainer.Run();
        AssertSame(undisturbed, trainer);
    }

    [Fact]
    public void A_damaged_file_is_passed_over_and_its_predecessor_used()
    {
        var options = new CheckpointOptions { Directory = _directory, EverySteps = 3, Keep = 3 };
        var undisturbed = TrainingProblem.Everything(options);
        undisturbed.Run();
        var files = Files();
        var whole = files.Select(File.ReadAllBytes).ToArray();
        foreach (var damage in new Action<string, byte[]>[]
        {
            (path, bytes) => File.WriteAllBytes(path, bytes[..^1]),
            (path, bytes) => File.WriteAllBytes(path, bytes[..100]),
            (path, bytes) => File.WriteAllBytes(path, []),
            (path, bytes) => { bytes = [.. bytes]; bytes[^5] ^= 1; File.WriteAllBytes(path, bytes); },
            (path, bytes) => { bytes = [.. bytes]; bytes[bytes.AsSpan().IndexOf("OptimizerSteps"u8) + 17] ^= 1; File.WriteAllBytes(path, bytes); },
            (path, bytes) => File.WriteAllText(path, "not a checkpoint"),
        })
        {
            damage(files[2], whole[2]);
            File.Delete(files[2] + ".rejected");
            var resumed = TrainingProblem.Everything(options);
            Assert.True(resumed.TryResume());
            Assert.Equal(files[2], Assert.Single(resumed.Rejected).Path);
            Assert.NotEmpty(resumed.Rejected[0].Reason);
            Assert.True(File.Exists(files[2] + ".rejected"));
            resumed.Run();
            AssertSame(undisturbed, resumed);
            File.WriteAllBytes(files[0], whole[0]);
            File.WriteAllBytes(files[1], whole[1]);
        }

        // None is usable: the training does not silently begin anew.
        foreach (var file in Files())
            File.WriteAllText(file, "gone");
        var trainer = TrainingProblem.Everything(options);
        var before = trainer.Network.Parameters.ToArray();
        var error = Assert.Throws<CheckpointException>(() => trainer.TryResume());
        Assert.Contains("None of the 3", error.Message, StringComparison.Ordinal);
        Bits.AssertEqual<float>(before, trainer.Network.Parameters, "parameters");
    }

    [Fact]
    public void Another_training_is_refused_and_told_apart()
    {
        var options = new CheckpointOptions { Directory = _directory };
        TrainingProblem.Everything(options).Run();
        var file = Files().Single();
        var set = TrainingProblem.Points(100);

        void Refused(string message, Network<float> network, Optimizer<float>? optimizer = null, int batch = 16, ulong seed = 7, int microBatches = 2,
            bool average = true)
        {
            using var batches = TrainingProblem.Loader(set, batch, seed);
            var before = network.Parameters.ToArray();
            var trainer = new Trainer<float>(network, optimizer ?? TrainingProblem.Optimizer(network), batches, new()
            {
                Epochs = 1,
                MicroBatches = microBatches,
                Average = average ? new ExponentialMovingAverage<float>(network.Parameters.Length) : null,
            });
            var error = Assert.Throws<CheckpointException>(() => trainer.Resume(file));
            Assert.Contains("another training", error.Message, StringComparison.Ordinal);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            Bits.AssertEqual<float>(before, network.Parameters, "parameters");
            Assert.Equal(0, trainer.Step);
        }

        var network = TrainingProblem.Network();
        Refused("its graph", TrainingProblem.Plain());
        Refused("seed of the network: 1; here: 2", TrainingProblem.Network(2));
        Refused("BatchSize = 16", network, batch: 20);
        Refused("Seed = 8", network, seed: 8);
        Refused("MicroBatches = 3", network, microBatches: 3);
        Refused("optimizer: AdamW; here: Sgd", network, new Sgd<float>(network.Parameters.Length, 0.1));
        Refused("moving average", network, average: false);
        Refused("'@optimizer/largest'", network, new AdamW<float>(network.Parameters.Length, amsGrad: true));
        Refused("'affine1.weight' has 128 elements; expected 136",
            GraphBuilder.Chain(8).Affine(17).BatchNormalization().Relu().Dropout(0.2).Affine(3).SoftmaxCrossEntropy().Build<float>(1));
    }

    [Fact]
    public void A_reason_that_all_checkpoints_share_is_told_once()
    {
        var options = new CheckpointOptions { Directory = _directory };
        var first = TrainingProblem.Everything(options);
        first.Run();
        File.Copy(Files().Single(), Path.Combine(_directory, "checkpoint-000000000001.safetensors"));
        File.WriteAllText(Path.Combine(_directory, "checkpoint-000000000002.safetensors"), "half of a checkpoint");
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(100), 16, 7);
        var network = TrainingProblem.Network(2);
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 1, Checkpoints = options });
        var message = Assert.Throws<CheckpointException>(() => trainer.TryResume()).Message;
        Assert.Contains("None of the 3 checkpoints", message, StringComparison.Ordinal);
        Assert.Contains("checkpoint-000000000002.safetensors' is damaged", message, StringComparison.Ordinal);
        Assert.Equal(2, message.Split("seed of the network: 1; here: 2").Length);
        Assert.Contains("The same holds for 'checkpoint-000000000001.safetensors'", message, StringComparison.Ordinal);
        Assert.Equal(3, trainer.Rejected.Count);
    }

    [Fact]
    public void A_directory_of_an_earlier_training_is_not_overwritten()
    {
        var options = new CheckpointOptions { Directory = _directory };
        TrainingProblem.Everything(options).Run();
        var leftover = Path.Combine(_directory, ".checkpoint-000000000003.safetensors.0123abcd.tmp");
        File.WriteAllText(leftover, "half");
        var trainer = TrainingProblem.Everything(options);
        var error = Assert.Throws<CheckpointException>(() => trainer.Run());
        Assert.Contains("TryResume", error.Message, StringComparison.Ordinal);
        Assert.Single(Files());
        Assert.False(File.Exists(leftover));
        Assert.False(TrainingProblem.Everything(new CheckpointOptions { Directory = Path.Combine(_directory, "new") }).TryResume());
        Assert.Throws<ArgumentException>(() => TrainingProblem.Everything(new CheckpointOptions { Directory = "" }));
        Assert.Throws<ArgumentException>(() => TrainingProblem.Everything(new CheckpointOptions { Directory = "x", Keep = 0 }));
    }

    [Fact]
    public void A_checkpoint_holds_the_statistics_of_its_graph_and_is_a_model_file()
    {
        var set = TrainingProblem.Points(100);
        var file = Path.Combine(_directory, "one");
        Trainer<float> Make(Normalization statistics)
        {
            var network = GraphBuilder.Chain(TrainingProblem.Features).Normalize(statistics).Affine(16).BatchNormalization().Relu().Dropout(0.2)
                .Affine(TrainingProblem.Classes).SoftmaxCrossEntropy().Build<float>(seed: 1);
            return new(network, TrainingProblem.Optimizer(network), TrainingProblem.Loader(set), new() { Steps = 3 });
        }

        var normalization = Normalization.Standardize(set, "x");
        var trainer = Make(normalization);
        trainer.Run();
        trainer.Save(file);
        Make(Normalization.Standardize(set, "x")).Resume(file);
        Assert.Contains("'normalize1' has other numbers in the setting 'offsets'",
            Assert.Throws<CheckpointException>(() => Make(Normalization.Scale(set, "x")).Resume(file)).Message, StringComparison.Ordinal);
        Assert.Throws<ModelFileException>(() => Make(Normalization.Scale(set, "x")).Network.Load(file));

        // The model sees what training saw.
        var loaded = Model.Load<float>(file).Network;
        Bits.AssertEqual<float>(trainer.Network.Parameters, loaded.Parameters, "parameters");
        Bits.AssertEqual<float>(trainer.Network.State, loaded.State, "state");
        var (raw, rows) = (new float[5 * TrainingProblem.Features], new int[] { 3, 1, 4, 1, 5 });
        ((ValueColumn<float>)set["x"]).Read(rows, raw);
        var normalized = raw.ToArray();
        normalization.Apply(normalized.AsSpan(), 5);
        var (expected, actual) = (new float[5 * TrainingProblem.Classes], new float[5 * TrainingProblem.Classes]);
        var plain = TrainingProblem.Network(9);
        trainer.Network.Parameters.CopyTo(plain.Parameters);
        trainer.Network.State.CopyTo(plain.State);
        new Predictor<float>(plain).Predict(normalized, expected);
        new Predictor<float>(loaded).Predict(raw, actual);
        Bits.AssertEqual<float>(expected, actual, "outputs");
    }

    [Fact]
    public void A_checkpoint_with_statistics_beside_the_network_is_not_resumed()
    {
        var file = Path.Combine(_directory, "one");
        var trainer = TrainingProblem.Everything();
        trainer.Save(file);
        var writer = new SafetensorsWriter { Checksum = true };
        using (var saved = SafetensorsFile.Open(file))
        {
            foreach (var (key, value) in saved.Metadata.Where(entry => entry.Key is not ("sha256" or "graph" or "seed")))
                writer.AddMetadata(key, value);
            foreach (var tensor in saved.Tensors)
                writer.Add<float>(tensor.Name, [.. tensor.Shape], tensor.ToArray<float>());
        }

        writer.Add<long>("@normalization/x/shape", [1], [8L]);
        writer.Add<double>("@normalization/x/offset", [1], [0.5]);
        writer.Add<double>("@normalization/x/factor", [1], [2.0]);
        writer.Write(file);
        Assert.Contains("normalized 'x' outside the network", Assert.Throws<CheckpointException>(() => trainer.Resume(file)).Message, StringComparison.Ordinal);
        TrainingProblem.Network(9).Load(file, new() { IgnoreNormalizations = true });
        Assert.Equal([0.5], Assert.Single(NetworkFiles.ReadNormalizations(file)).Offsets.ToArray());
    }

    [Fact]
    public void Frozen_parameters_stay_frozen()
    {
        var first = TrainingProblem.Everything(callback: new Recorder { OnStep = (t, s) => { if (s.Step == 5) t.Stop(); } });
        first.Network.Freeze("affine1.weight");
        first.Network.SetTraining("batchnormalization1", false);
        first.Run();
        var file = Path.Combine(_directory, "one");
        first.Save(file);
        var second = TrainingProblem.Everything();
        second.Network.Freeze("affine2.bias");
        second.Network.SetTraining("affine2", false);
        second.Resume(file);
        Assert.True(second.Network.IsFrozen("affine1.weight"));
        Assert.False(second.Network.IsFrozen("affine2.bias"));
        Assert.False(second.Network.IsTraining("batchnormalization1"));
        Assert.True(second.Network.IsTraining("affine2"));
        first.Run();
        second.Run();
        AssertSame(first, second);
    }

    internal static void AssertSame(Trainer<float> expected, Trainer<float> actual)
    {
        Bits.AssertEqual<float>(expected.Network.Parameters, actual.Network.Parameters, "parameters");
        Bits.AssertEqual<float>(expected.Network.State, actual.Network.State, "state");
        foreach (var name in expected.Optimizer.StateNames)
            Bits.AssertEqual<float>(expected.Optimizer.State(name), actual.Optimizer.State(name), name);
        Bits.AssertEqual(expected.Options.Average!.Average, actual.Options.Average!.Average, "average");
        Assert.Equal(expected.Optimizer.Steps, actual.Optimizer.Steps);
        Assert.Equal(expected.Step, actual.Step);
        Assert.Equal(expected.Batches.Cursor, actual.Batches.Cursor);
        Assert.Equal(expected.History.Select(Repeatable), actual.History.Select(Repeatable));
    }

    /// <summary>What does not depend on the clock.</summary>
    private static (int, long, long, int, double, double, double?) Repeatable(EpochRecord e) =>
        (e.Epoch, e.Steps, e.Rows, e.Skipped, e.Loss, e.LearningRate, e.Validation?.Loss);

    private string[] Files() => [.. Directory.GetFiles(_directory, "checkpoint-*.safetensors").Order(StringComparer.Ordinal)];
}
