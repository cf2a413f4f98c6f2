using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

/// <summary>A training that fails or is ended at an awkward moment goes on as if nothing had been; what cannot go on says so.</summary>
public sealed class InterruptedTrainingTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("backprop-interrupted").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(3)] // The last of an epoch.
    [InlineData(5)]
    public void Saved_in_the_callback_of_a_step(int step)
    {
        var undisturbed = Undisturbed();
        var path = Path.Combine(_directory, "file");
        TrainingProblem.Everything(callback: new Recorder { OnStep = (t, s) => { if (s.Step == step) t.Save(path); } }).Run();
        var resumed = TrainingProblem.Everything();
        resumed.Resume(path);
        resumed.Run();
        CheckpointTests.AssertSame(undisturbed, resumed);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_callback_that_throws_once(int step)
    {
        var undisturbed = Undisturbed();
        var callback = new Recorder();
        callback.OnStep = (_, s) => { if (s.Step == step) throw new TimeoutException(); };
        var trainer = TrainingProblem.Everything(callback: callback);
        Assert.Throws<TimeoutException>(() => trainer.Run());
        callback.OnStep = null;
        trainer.Run();
        CheckpointTests.AssertSame(undisturbed, trainer);
    }

    [Fact]
    public void Stopped_at_the_end_of_an_epoch_that_is_not_to_be_validated()
    {
        var undisturbed = TrainingProblem.Everything(validationPeriod: 2);
        undisturbed.Run();
        var callback = new Recorder { OnStep = (t, s) => { if (s.Step == 3) t.Stop(); } };
        var trainer = TrainingProblem.Everything(new CheckpointOptions { Directory = _directory }, validationPeriod: 2, callback: callback);
        Assert.Equal(StopReason.Stopped, trainer.Run());
        Assert.Null(Assert.Single(trainer.History).Validation);
        var resumed = TrainingProblem.Everything(new CheckpointOptions { Directory = _directory }, validationPeriod: 2);
        Assert.True(resumed.TryResume());
        resumed.Run();
        CheckpointTests.AssertSame(undisturbed, resumed);
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(3, 0)] // In the midst of a step.
    [InlineData(3, 2)]
    public void Data_that_cannot_be_read_at_first(int batch, int prefetch)
    {
        var undisturbed = Undisturbed();
        var options = new LoaderOptions<float> { Seed = 7, Prefetch = prefetch, Transforms = [new FailsOnce(batch)] };
        using var batches = new BatchLoader<float>(TrainingProblem.Points(100), 16, options);
        var trainer = TrainingProblem.Everything(batches: batches);
        Assert.Throws<TimeoutException>(() => trainer.Run());
        Assert.Equal((1L, new DataCursor(0, 2)), (trainer.Step, batches.Cursor));
        trainer.Run();
        CheckpointTests.AssertSame(undisturbed, trainer);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_step_that_is_refused_is_the_next_again(int microBatches)
    {
        var values = new float[80];
        values[^1] = float.NaN;
        var set = new Dataset<float>(Columns.Values<float>("x", new Shape(8), values), Columns.Labels("labels", new int[10]));
        using var batches = new BatchLoader<float>(set, 5, new() { Shuffle = false });
        var network = TrainingProblem.Network();
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 2, MicroBatches = microBatches });
        for (var i = 0; i < 3; i++)
        {
            var error = Assert.Throws<NonFiniteException>(() => trainer.Run());
            Assert.Equal((trainer.Step, 0), (error.Step, trainer.Epoch));
            Assert.Equal(new DataCursor(0, 2 - microBatches), batches.Cursor);
        }

        values[^1] = 0;
        trainer.Run();
        Assert.Equal(trainer.TotalSteps, trainer.Step);
    }

    [Fact]
    public void A_disk_that_refuses_the_last_checkpoint()
    {
        var undisturbed = Undisturbed();
        var callback = new Recorder();
        var place = Path.Combine(_directory, "place");
        callback.OnStep = (_, s) =>
        {
            if (s.Step == 5)
            {
                Directory.Delete(place, recursive: true);
                File.WriteAllText(place, "no directory");
            }
        };
        var trainer = TrainingProblem.Everything(new CheckpointOptions { Directory = place }, callback: callback);
        Assert.ThrowsAny<IOException>(() => trainer.Run());
        Assert.Equal("finished ", callback.Calls[^1]);
        callback.OnStep = null;

        // Not even begun.
        Assert.ThrowsAny<IOException>(() => trainer.Run());
        File.Delete(place);
        trainer.Run();
        var resumed = TrainingProblem.Everything(new CheckpointOptions { Directory = place });
        Assert.True(resumed.TryResume());
        resumed.Run();
        CheckpointTests.AssertSame(undisturbed, resumed);
        CheckpointTests.AssertSame(undisturbed, trainer);
    }

    [Fact]
    public void A_damaged_file_whose_other_name_is_taken()
    {
        var options = new CheckpointOptions { Directory = _directory, EverySteps = 3 };
        var undisturbed = TrainingProblem.Everything(options);
        undisturbed.Run();
        var newest = Directory.GetFiles(_directory, "checkpoint-*").Max(StringComparer.Ordinal)!;
        File.WriteAllText(newest, "damaged");
        Directory.CreateDirectory(Path.Combine(newest + ".rejected", "full"));
        var resumed = TrainingProblem.Everything(options);
        Assert.True(resumed.TryResume());
        Assert.Equal(newest, Assert.Single(resumed.Rejected).Path);
        Assert.Equal("damaged", File.ReadAllText(newest + ".rejected.2"));
        resumed.Run();
        CheckpointTests.AssertSame(undisturbed, resumed);
    }

    [Fact]
    public void A_directory_that_another_training_writes_to_as_well()
    {
        var options = new CheckpointOptions { Directory = _directory };
        TrainingProblem.Everything(options).Run();
        var network = TrainingProblem.Network(seed: 2);
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(100));
        new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Steps = 1 })
            .Save(Path.Combine(_directory, "checkpoint-000000009999.safetensors"));
        var wide = GraphBuilder.Chain(8).Affine(3).SoftmaxCrossEntropy().Build<double>(1);
        var before = Directory.GetFiles(_directory, "checkpoint-*").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(2, before.Length);

        // Where none is usable, nothing is touched.
        using var pairs = new BatchLoader<double>(new Dataset<double>(Columns.Values<double>("x", new Shape(8), new double[8]),
            Columns.Labels("labels", new int[1])), 1);
        var other = new Trainer<double>(wide, new Backprop.Simd.Optimizers.Sgd<double>(wide.Parameters.Length, 0.1), pairs,
            new() { Steps = 1, Checkpoints = options });
        Assert.Contains("element type is Single", Assert.Throws<CheckpointException>(() => other.TryResume()).Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(_directory, "checkpoint-*").Order(StringComparer.Ordinal));

        // The newest is whole but another's: the one before is used, and the newest is neither deleted nor overwritten.
        var foreign = File.ReadAllBytes(before[1]);
        var resumed = TrainingProblem.Everything(options, epochs: 7);
        Assert.True(resumed.TryResume());
        Assert.Contains("another training", Assert.Single(resumed.Rejected).Reason, StringComparison.Ordinal);
        resumed.Run();
        Assert.Equal(foreign, File.ReadAllBytes(before[1] + ".rejected"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Figures_that_are_not_those_looked_at_before(bool plateau)
    {
        var path = Path.Combine(_directory, "file");
        var first = TrainingProblem.Everything(plateau: plateau);
        first.Run();
        first.Save(path);
        var trainer = TrainingProblem.Everything(plateau: plateau);
        var other = new Trainer<float>(trainer.Network, trainer.Optimizer, trainer.Batches, plateau
            ? trainer.Options with { PlateauMonitor = "accuracy" }
            : trainer.Options with { EarlyStopping = new() { Monitor = "accuracy" } });
        var error = Assert.Throws<CheckpointException>(() => other.Resume(path));
        Assert.Contains("loss; here: accuracy", error.Message, StringComparison.Ordinal);
        other = new Trainer<float>(trainer.Network, trainer.Optimizer, trainer.Batches,
            trainer.Options with { EarlyStopping = new() { LargerIsBetter = true } });
        Assert.Contains("False; here: True", Assert.Throws<CheckpointException>(() => other.Resume(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loader_that_another_training_has_used_up()
    {
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(20));
        var network = TrainingProblem.Plain();
        Trainer<float> Make() => new(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 2 });
        var first = Make();
        first.Run();
        Assert.Equal(StopReason.Epochs, first.Run());
        var second = Make();
        Assert.Contains("epoch 2", Assert.Throws<InvalidOperationException>(() => second.Run()).Message, StringComparison.Ordinal);
        batches.Cursor = default;
        Assert.Equal(StopReason.Epochs, second.Run());
        Assert.Equal(4, second.Step);
    }

    [Fact]
    public void A_figure_that_is_never_a_number()
    {
        var options = new CheckpointOptions { Directory = _directory, EverySteps = long.MaxValue, Every = TimeSpan.MaxValue };
        Trainer<float> Make(int epochs, CheckpointOptions? checkpoints = null)
        {
            var network = TrainingProblem.Plain();
            var nothing = new Dataset<float>(Columns.Values<float>("x", new Shape(8), Enumerable.Repeat(float.NaN, 8).ToArray()),
                Columns.Labels("labels", new int[1]));
            return new Trainer<float>(network, TrainingProblem.Optimizer(network), TrainingProblem.Loader(TrainingProblem.Points(20)), new()
            {
                Epochs = epochs,
                Validation = new Evaluator<float>(network, nothing),
                EarlyStopping = new() { Patience = 2 },
                Checkpoints = checkpoints,
            });
        }

        var undisturbed = Make(10);
        Assert.Equal(StopReason.EarlyStopping, undisturbed.Run());
        Assert.Equal(3, undisturbed.History.Count);
        Assert.False(undisturbed.RestoreBest());
        Assert.Equal(StopReason.Epochs, Make(2, options).Run());
        var resumed = Make(10, options);
        Assert.True(resumed.TryResume());
        Assert.Equal(StopReason.EarlyStopping, resumed.Run());
        Bits.AssertEqual<float>(undisturbed.Network.Parameters, resumed.Network.Parameters, "parameters");
    }

    [Fact]
    public void Time_that_was_used_up_before()
    {
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(20));
        Trainer<float> Make()
        {
            var network = TrainingProblem.Plain();
            return new(network, TrainingProblem.Optimizer(network), batches,
                new() { Time = TimeSpan.FromMilliseconds(40), Checkpoints = new() { Directory = _directory } });
        }

        var first = Make();
        Assert.Equal(StopReason.Time, first.Run());
        var second = Make();
        Assert.True(second.TryResume());
        Assert.Equal(StopReason.Time, second.Run());
        Assert.Equal(first.Step, second.Step);
        Assert.True(second.Elapsed >= TimeSpan.FromMilliseconds(40));
    }

    private static Trainer<float> Undisturbed()
    {
        var trainer = TrainingProblem.Everything();
        trainer.Run();
        return trainer;
    }

    /// <summary>Changes nothing, and fails when it sees a batch for the first time.</summary>
    private sealed class FailsOnce(int batch) : BatchTransform<float>
    {
        private int _failed;

        public override int Prepare(ReadOnlySpan<DataColumn> columns) => 0;

        public override void Apply(Batch<float> values, Span<float> scratch, ulong seed)
        {
            if (values.Cursor == new DataCursor(0, batch) && Interlocked.Exchange(ref _failed, 1) == 0)
                throw new TimeoutException();
        }
    }
}
