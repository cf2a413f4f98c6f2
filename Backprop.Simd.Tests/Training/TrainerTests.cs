using Backprop.Simd.Data;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

public sealed class TrainerTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Epochs_are_the_loop_written_by_hand(bool checkGradients)
    {
        var set = TrainingProblem.Points(50);
        var (network, byHand) = (TrainingProblem.Network(), TrainingProblem.Network());
        var history = new List<double>();
        using (var loader = TrainingProblem.Loader(set))
        {
            var workspace = byHand.CreateWorkspace(16);
            var optimizer = TrainingProblem.Optimizer(byHand);
            for (var epoch = 0; epoch < 3; epoch++)
            {
                var (sum, rows) = (0.0, 0);
                for (var b = 0; b < loader.BatchesPerEpoch; b++)
                {
                    var batch = loader.Next();
                    workspace.Rows = batch.Rows;
                    batch.Values(0).CopyTo(workspace.Input());
                    batch.Indices(1).CopyTo(workspace.IndexInput());
                    sum += batch.Rows * byHand.Step(workspace, optimizer);
                    rows += batch.Rows;
                }

                history.Add(sum / rows);
            }
        }

        using var batches = TrainingProblem.Loader(set);
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 3, CheckGradients = checkGradients });
        Assert.Equal(12, trainer.TotalSteps);
        Assert.Equal(StopReason.Epochs, trainer.Run());
        Bits.AssertEqual<float>(byHand.Parameters, network.Parameters, "parameters");
        Bits.AssertEqual<float>(byHand.State, network.State, "state");
        Assert.Equal(history, trainer.History.Select(e => e.Loss));
        Assert.Equal([4L, 8, 12], trainer.History.Select(e => e.Steps));
        Assert.All(trainer.History, e => Assert.True(e is { Rows: 50, Skipped: 0, LearningRate: 0.02, Validation: null } && e.RowsPerSecond > 0));
        Assert.Equal(12, trainer.Step);
        Assert.Equal(StopReason.Epochs, trainer.Run());
        Assert.Equal(12, trainer.Step);
    }

    [Fact]
    public void A_loader_that_another_training_has_left_behind_the_last_epoch_is_refused()
    {
        var (set, network) = (TrainingProblem.Points(100), TrainingProblem.Network());
        using var batches = TrainingProblem.Loader(set, 16, 7);
        Trainer<float> Fresh() => new(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 1 });
        var first = Fresh();
        first.Run();
        var before = network.Parameters.ToArray();
        var second = Fresh();
        var error = Assert.Throws<InvalidOperationException>(() => second.Run());
        Assert.Contains("the loader is already at epoch 1 of 1", error.Message, StringComparison.Ordinal);
        Bits.AssertEqual<float>(before, network.Parameters, "parameters");
        batches.Cursor = default;
        second.Run();
        Assert.Single(second.History);
        second.Run(); // Its own place: nothing is left to do.
        Assert.Single(second.History);
    }

    [Fact]
    public void An_evaluation_prints_its_metrics()
    {
        var evaluation = new Evaluation(360, 0.25, [new MetricValue("accuracy", 0.975), new MetricValue("f1", 0.5)], 1.5);
        Assert.Equal("Evaluation { Rows = 360, Loss = 0.25, accuracy = 0.975, f1 = 0.5, Seconds = 1.5 }", evaluation.ToString());
        Assert.Equal("Evaluation { Rows = 0, Loss = NaN, Seconds = 0 }", new Evaluation(0, double.NaN, [], 0).ToString());
    }

    [Fact]
    public void A_training_ends_where_it_is_told_to_and_goes_on_from_there()
    {
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(50));
        var network = TrainingProblem.Network();
        var optimizer = TrainingProblem.Optimizer(network);
        Trainer<float> Make(TrainerOptions<float> options) => new(network, optimizer, batches, options);

        var bySteps = Make(new() { Steps = 6, Epochs = 9 });
        Assert.Equal(6, bySteps.TotalSteps);
        Assert.Equal(StopReason.Steps, bySteps.Run());
        Assert.Equal((6L, 1), (bySteps.Step, bySteps.History.Count));
        Assert.Equal(new DataCursor(1, 2), batches.Cursor);
        Assert.Equal(StopReason.Time, Make(new() { Time = TimeSpan.FromMilliseconds(30) }).Run());
        Assert.Equal(StopReason.Time, Make(new() { Time = TimeSpan.Zero }).Run());
        Assert.Equal(StopReason.Epochs, Make(new() { Epochs = 0 }).Run());

        using var source = new CancellationTokenSource();
        batches.Cursor = default;
        var callback = new Recorder { OnStep = (trainer, step) => { if (step.Step == 2) source.Cancel(); } };
        var cancelled = Make(new() { Epochs = 3, Callbacks = [callback] });
        Assert.Equal(StopReason.Cancelled, cancelled.Run(source.Token));
        Assert.Equal(3, cancelled.Step);
        callback.OnStep = (trainer, step) => trainer.Stop();
        Assert.Equal(StopReason.Stopped, cancelled.Run());
        Assert.Equal(4, cancelled.Step);
        callback.OnStep = null;
        Assert.Equal(StopReason.Epochs, cancelled.Run());
        Assert.Equal(12, cancelled.Step);
        Assert.Equal(12, callback.Steps.Count);
    }

    [Fact]
    public void Rates_follow_schedule_or_plateau()
    {
        var schedule = new CosineSchedule(0.1, 12);
        var callback = new Recorder();
        Run(new() { Epochs = 3, Schedule = schedule, Callbacks = [callback] });
        Assert.Equal(Enumerable.Range(0, 12).Select(i => schedule.At(i)), callback.Steps.Select(s => s.LearningRate));

        callback = new Recorder();
        var byEpoch = new StepSchedule(0.1, 1, 0.5);
        Run(new() { Epochs = 3, Schedule = byEpoch, ScheduleByEpoch = true, Callbacks = [callback] });
        Assert.Equal(Enumerable.Range(0, 12).Select(i => byEpoch.At(i / 4)), callback.Steps.Select(s => s.LearningRate));

        var network = TrainingProblem.Plain();
        callback = new Recorder();
        var plateau = new ReduceOnPlateau(0.05, 0.5, patience: 0, threshold: 1e6, absolute: true);
        Run(new() { Epochs = 3, Plateau = plateau, Validation = new Evaluator<float>(network, TrainingProblem.Points(20)), Callbacks = [callback] }, network);
        Assert.Equal([0.05, 0.05, 0.025], callback.Epochs.Select(e => e.LearningRate));
        Assert.Equal(0.0125, plateau.Rate);
    }

    [Fact]
    public void Gradients_are_clipped_by_value_and_then_by_norm()
    {
        var set = TrainingProblem.Points(16);
        var (network, byHand) = (TrainingProblem.Plain(), TrainingProblem.Plain());
        var callback = new Recorder();
        using (var batches = TrainingProblem.Loader(set))
            new Trainer<float>(network, new Sgd<float>(network.Parameters.Length, 0.1), batches,
                new() { Steps = 1, ClipNorm = 0.01, ClipValue = 0.02, Callbacks = [callback] }).Run();

        using var loader = TrainingProblem.Loader(set);
        var workspace = byHand.CreateWorkspace(16);
        var batch = loader.Next();
        batch.Values(0).CopyTo(workspace.Input());
        batch.Indices(1).CopyTo(workspace.IndexInput());
        byHand.Forward(workspace);
        byHand.Backward(workspace);
        GradientClipping.ByValue(workspace.Gradients, 0.02);
        var norm = GradientClipping.ByNorm(workspace.Gradients, 0.01);
        byHand.Update(workspace, new Sgd<float>(byHand.Parameters.Length, 0.1));
        Assert.True(norm > 0.01);
        Assert.Equal(norm, callback.Steps[0].GradientNorm);
        Bits.AssertEqual<float>(byHand.Parameters, network.Parameters, "parameters");
    }

    [Fact]
    public void Micro_batches_make_a_step_of_all_their_rows_and_do_not_cross_an_epoch()
    {
        var set = TrainingProblem.Points(50);
        var (small, large) = (TrainingProblem.Plain(), TrainingProblem.Plain());
        var (few, many) = (new Recorder(), new Recorder());
        using (var batches = TrainingProblem.Loader(set, 8))
        {
            var trainer = new Trainer<float>(small, new Sgd<float>(small.Parameters.Length, 0.1), batches,
                new() { Epochs = 2, MicroBatches = 3, Callbacks = [many] });
            Assert.Equal(3, trainer.StepsPerEpoch);
            trainer.Run();
        }

        using (var batches = TrainingProblem.Loader(set, 24))
            new Trainer<float>(large, new Sgd<float>(large.Parameters.Length, 0.1), batches, new() { Epochs = 2, Callbacks = [few] }).Run();
        Assert.Equal([24, 24, 2, 24, 24, 2], many.Steps.Select(s => s.Rows));
        for (var i = 0; i < 6; i++)
            Assert.Equal(few.Steps[i].Loss, many.Steps[i].Loss, 1e-5);
        for (var i = 0; i < small.Parameters.Length; i++)
            Assert.Equal(large.Parameters[i], small.Parameters[i], 1e-5);
    }

    [Fact]
    public void Early_stopping_goes_back_to_the_best_validation()
    {
        // Steps so large that training diverges: the best validation is an early one.
        var network = TrainingProblem.Plain();
        var kept = new List<(double Loss, float[] Parameters)>();
        var callback = new Recorder { OnEpoch = (trainer, epoch) => kept.Add((epoch.Validation!.Loss, trainer.Network.Parameters.ToArray())) };
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(50));
        var rising = new ExponentialSchedule(0.05, 1.2);
        var trainer = new Trainer<float>(network, new Sgd<float>(network.Parameters.Length, 0.1), batches, new()
        {
            Epochs = 100,
            Schedule = rising,
            Validation = new Evaluator<float>(network, TrainingProblem.Points(30, seed: 9)),
            EarlyStopping = new() { Patience = 2 },
            Callbacks = [callback],
        });
        Assert.False(trainer.RestoreBest());
        Assert.Equal(StopReason.EarlyStopping, trainer.Run());
        var best = kept.MinBy(k => k.Loss);
        Assert.Equal(kept.Count - 4, kept.IndexOf(best));
        Bits.AssertEqual<float>(best.Parameters, network.Parameters, "parameters");
        Assert.Equal(StopReason.EarlyStopping, trainer.Run());
    }

    [Fact]
    public void Validation_looks_at_the_average_and_at_accuracy()
    {
        var network = TrainingProblem.Plain();
        var average = new ExponentialMovingAverage<float>(network.Parameters.Length, 0.9);
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(50));
        var set = TrainingProblem.Points(30, seed: 9);
        var validation = new Evaluator<float>(network, set, [new FirstRight()], new() { BatchSize = 7 });
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches,
            new() { Epochs = 3, Average = average, Validation = validation, ValidationPeriod = 2 });
        trainer.Run();
        Assert.Equal([false, true, true], trainer.History.Select(e => e.Validation is not null));
        var last = trainer.History[2].Validation!;
        Assert.NotEqual(last.Loss, validation.Run().Loss);
        average.CopyTo(network.Parameters);
        var again = validation.Run();
        Assert.Equal(last with { Seconds = 0 }, again with { Seconds = 0, Metrics = last.Metrics });
        Assert.Equal(last.Metrics, again.Metrics);
        Assert.Equal(30, again.Rows);

        // By hand, in one batch.
        var workspace = network.CreateWorkspace(30, WorkspaceOptions.Inference with { Losses = true });
        ((ValueColumn<float>)set["x"]).Read([.. Enumerable.Range(0, 30)], workspace.Input());
        ((IndexColumn)set["labels"]).Read([.. Enumerable.Range(0, 30)], workspace.IndexInput());
        Assert.Equal(network.Forward(workspace), again.Loss, 1e-6);
        Assert.Equal(again["first"], again.Metrics[0].Value);
        Assert.Throws<ArgumentException>(() => again["nothing"]);
    }

    [Fact]
    public void Callbacks_are_called_in_order_and_told_of_the_end()
    {
        var callback = new Recorder();
        var network = TrainingProblem.Plain();
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(20), 10);
        var progress = new Progress();
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches,
            new() { Epochs = 2, Callbacks = [callback], Progress = progress, ProgressPeriod = TimeSpan.Zero });
        trainer.Run();
        Assert.Equal(["started", "step 0", "step 1", "epoch 0", "step 2", "step 3", "epoch 1", "finished Epochs"], callback.Calls);
        Assert.Equal([1L, 2, 3, 4, 4], progress.Reports.Select(r => r.Step));
        Assert.Equal([0.25, 0.5, 0.75, 1, 1], progress.Reports.Select(r => r.Fraction));
        Assert.All(progress.Reports, r => Assert.Equal(4, r.TotalSteps));
        Assert.Equal(TimeSpan.Zero, progress.Reports[^1].Remaining);

        var broken = new Recorder { OnStep = (t, _) => Assert.Throws<InvalidOperationException>(() => t.Run()) };
        broken.OnEpoch = (_, _) => throw new TimeoutException();
        trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 5, Callbacks = [broken] });
        Assert.Throws<TimeoutException>(() => trainer.Run());
        Assert.Equal("finished ", broken.Calls[^1]);
    }

    [Fact]
    public void The_same_bits_for_any_threads_and_prefetch()
    {
        float[]? first = null;
        foreach (var (threads, prefetch) in new[] { (1, 0), (2, 0), (3, 4), (1, 3) })
        {
            using var compute = new ComputeContext(threads);
            using var batches = TrainingProblem.Loader(TrainingProblem.Points(200), 64, prefetch: prefetch);
            var network = TrainingProblem.Network();
            new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 2, Compute = compute, ClipNorm = 0.5 }).Run();
            first ??= network.Parameters.ToArray();
            Bits.AssertEqual<float>(first, network.Parameters, $"{threads} threads, {prefetch} ahead");
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(20));
        var network = TrainingProblem.Plain();
        var other = TrainingProblem.Plain();
        void Refused(string message, TrainerOptions<float> options, Network<float>? of = null, Optimizer<float>? optimizer = null)
        {
            var error = Assert.Throws<ArgumentException>(() =>
                new Trainer<float>(of ?? network, optimizer ?? TrainingProblem.Optimizer(of ?? network), batches, options));
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }

        Refused("needs an end", new());
        Refused("must not be negative", new() { Epochs = -1 });
        Refused("must not be negative", new() { Time = TimeSpan.FromSeconds(-1) });
        Refused("MicroBatches", new() { Epochs = 1, MicroBatches = 0 });
        Refused("ClipNorm", new() { Epochs = 1, ClipNorm = 0 });
        Refused("ClipValue", new() { Epochs = 1, ClipValue = double.NaN });
        Refused("Schedule and Plateau", new() { Epochs = 1, Schedule = new ConstantSchedule(1), Plateau = new ReduceOnPlateau(1) });
        Refused("need a Validation", new() { Epochs = 1, EarlyStopping = new() });
        Refused("no metric 'f1'", new() { Epochs = 1, EarlyStopping = new() { Monitor = "f1" }, Validation = new(network, TrainingProblem.Points(5)) });
        Refused("another network", new() { Epochs = 1, Validation = new(other, TrainingProblem.Points(5)) });
        Refused("The optimizer has the length 3", new() { Epochs = 1 }, optimizer: new Sgd<float>(3, 0.1));
        Refused("The average has the length 3", new() { Epochs = 1, Average = new(3) });
        Refused("no loss", new() { Epochs = 1 }, GraphBuilder.Chain(8).Affine(2).Build<float>(1));
        Refused("no column for the network's input 'targets' values [2]", new() { Epochs = 1 },
            GraphBuilder.Chain(8).Affine(2).MeanSquaredError().Build<float>(1));
        Refused("takes values [9]; the column holds values [8]", new() { Epochs = 1 }, GraphBuilder.Chain(9).Affine(2).SoftmaxCrossEntropy().Build<float>(1));
        Assert.Throws<InvalidOperationException>(() =>
            new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 1 }).TryResume());
        var metric = Assert.Throws<ArgumentException>(() => new Evaluator<float>(network, TrainingProblem.Points(5), [new FirstRight(), new FirstRight()]));
        Assert.Contains("'first' is taken", metric.Message, StringComparison.Ordinal);
    }

    private static void Run(TrainerOptions<float> options, Network<float>? network = null)
    {
        network ??= TrainingProblem.Plain();
        using var batches = TrainingProblem.Loader(TrainingProblem.Points(50));
        new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, options).Run();
    }

    private sealed class Progress : IProgress<TrainingProgress>
    {
        public List<TrainingProgress> Reports { get; } = [];

        public void Report(TrainingProgress value) => Reports.Add(value);
    }

    /// <summary>The fraction of rows whose first output is their largest where the label is 0, in plain words of no use.</summary>
    private sealed class FirstRight() : Metric<float>("first")
    {
        private int _rows, _right;

        public override double Value => (double)_right / _rows;

        public override void Reset() => (_rows, _right) = (0, 0);

        public override void Add(in MetricBatch<float> batch)
        {
            for (var row = 0; row < batch.Rows; row++)
            {
                var outputs = batch.Outputs.Slice(row * batch.Width, batch.Width);
                _right += (outputs[0] >= outputs[1] && outputs[0] >= outputs[2]) == (batch.Labels[row] == 0) ? 1 : 0;
                _rows++;
            }
        }
    }
}
