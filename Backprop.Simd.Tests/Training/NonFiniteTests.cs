using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training;

public sealed class NonFiniteTests
{
    [Fact]
    public void A_bad_input_is_named_by_its_row()
    {
        var values = new float[10 * 8];
        values[(7 * 8) + 3] = float.NaN;
        var error = Fails(TrainingProblem.Network(), Set(values), new() { Epochs = 1 });
        Assert.Equal("x", error.Node);
        Assert.Contains("the input 'x' holds NaN at element 3 of row", error.Message, StringComparison.Ordinal);
        Assert.Contains("row 7 of the set", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_parameter_and_a_bad_state_are_named()
    {
        var network = TrainingProblem.Network();
        network.ParameterOf("affine2.weight")[5] = float.PositiveInfinity;
        var error = Fails(network, Set(new float[80]), new() { Epochs = 1 });
        Assert.Equal("affine2.weight", error.Node);
        Assert.Contains("at element 5", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_layer_where_the_loss_breaks_is_named(int microBatches)
    {
        // exp of 100 overflows in float.
        var network = GraphBuilder.Chain(8).Affine(3).Exponential().Affine(3).SoftmaxCrossEntropy().Build<float>(1);
        network.ParameterOf("affine1.bias").Fill(100);
        var error = Fails(network, Set(new float[80]), new() { Epochs = 1, MicroBatches = microBatches });
        Assert.StartsWith("exponential", error.Node, StringComparison.Ordinal);
        Assert.Contains("its inputs are finite", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_that_overflow_under_a_finite_loss_are_caught_before_the_update()
    {
        // y = (w x) v with a gradient by w of x v (y - t) far above the largest float, and a finite loss.
        var network = GraphBuilder.Chain(1).Affine(1, bias: false).Affine(1, bias: false).MeanSquaredError().Build<float>(1);
        network.ParameterOf("affine1.weight")[0] = 1e-30f;
        network.ParameterOf("affine2.weight")[0] = 1e12f;
        var set = new Dataset<float>(Columns.Values<float>("x", new Shape(1), new[] { 1e28f }), Columns.Values<float>("targets", new Shape(1), new[] { 0f }));
        var error = Fails(network, set, new() { Epochs = 1 });
        Assert.Contains("the gradients are not finite", error.Message, StringComparison.Ordinal);
        Assert.Contains("affine1.weight", error.Node, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, true), InlineData(1, false), InlineData(2, true)]
    public void A_state_that_would_not_be_finite_is_refused_under_a_finite_loss(int microBatches, bool checkGradients)
    {
        var values = new float[8 * 8];
        var random = new TestRandom(3);
        foreach (ref var value in values.AsSpan())
            value = random.Signed<float>();
        values[13] = 1e20f;
        TrainerOptions<float> Options(NonFinitePolicy policy) => new()
        {
            Epochs = 2,
            MicroBatches = microBatches,
            CheckGradients = checkGradients,
            NonFinite = policy,
        };
        var network = TrainingProblem.Network();
        using var batches = new BatchLoader<float>(Set(values), 4, new() { Shuffle = false });
        var error = Fails(network, batches, Options(NonFinitePolicy.Throw));
        Assert.Equal("batchnormalization1.runningVariance", error.Node);
        Assert.Contains("the new state is not finite", error.Message, StringComparison.Ordinal);

        // With the other policy the batch is left out, in whichever micro-batch it is.
        batches.Cursor = default;
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, Options(NonFinitePolicy.Skip));
        trainer.Run();
        Assert.All(trainer.History, e => Assert.Equal(1, e.Skipped));
        Assert.All(network.State.ToArray(), s => Assert.True(float.IsFinite(s)));
    }

    [Fact]
    public void A_refused_step_of_micro_batches_leaves_the_state_too()
    {
        var values = new float[12 * 8];
        var random = new TestRandom(3);
        foreach (ref var value in values.AsSpan())
            value = random.Signed<float>();
        values[^1] = float.NaN;
        var network = TrainingProblem.Network();
        var before = network.State.ToArray();
        using var batches = new BatchLoader<float>(Set(values), 4, new() { Shuffle = false });
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches, new() { Epochs = 1, MicroBatches = 3 });
        Assert.Equal("x", Assert.Throws<NonFiniteException>(() => trainer.Run()).Node);
        Bits.AssertEqual<float>(before, network.State, "state");
        trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches,
            new() { Epochs = 1, MicroBatches = 3, NonFinite = NonFinitePolicy.Skip });
        trainer.Run();
        Assert.Equal(1, trainer.Step);
        Bits.AssertEqual<float>(before, network.State, "state");
    }

    [Fact]
    public void Skipped_steps_change_nothing_and_the_others_are_made()
    {
        var values = new float[12 * 8];
        var random = new TestRandom(3);
        foreach (ref var value in values.AsSpan())
            value = random.Signed<float>();
        values[5] = float.NaN;
        var network = TrainingProblem.Network();
        var optimizer = TrainingProblem.Optimizer(network);
        float[] before = [.. network.Parameters];
        var callback = new Recorder
        {
            OnStep = (trainer, step) =>
            {
                if (step.Skipped)
                    Bits.AssertEqual<float>(before, network.Parameters, "parameters of a skipped step");
                else
                    Assert.NotEqual(before, network.Parameters.ToArray());
                before = network.Parameters.ToArray();
            },
        };
        using var batches = TrainingProblem.Loader(Set(values), 4);
        var trainer = new Trainer<float>(network, optimizer, batches, new() { Epochs = 4, NonFinite = NonFinitePolicy.Skip, Callbacks = [callback] });
        trainer.Run();
        Assert.Equal(12, trainer.Step);
        Assert.Equal(8, optimizer.Steps);
        Assert.All(trainer.History, e => Assert.True(e is { Skipped: 1, Rows: 8 } && double.IsFinite(e.Loss)));
        Assert.All(network.Parameters.ToArray(), p => Assert.True(float.IsFinite(p)));
        Assert.All(network.State.ToArray(), p => Assert.True(float.IsFinite(p)));
    }

    [Fact]
    public void Too_many_skipped_steps_in_a_row_throw()
    {
        var values = new float[80];
        values.AsSpan().Fill(float.NaN);
        using var batches = TrainingProblem.Loader(Set(values), 2);
        var network = TrainingProblem.Network();
        var trainer = new Trainer<float>(network, TrainingProblem.Optimizer(network), batches,
            new() { Epochs = 4, NonFinite = NonFinitePolicy.Skip, SkipLimit = 7 });
        var error = Assert.Throws<NonFiniteException>(() => trainer.Run());
        Assert.Equal((7L, 7L), (trainer.Step, error.Step));
        Assert.Contains("SkipLimit", error.Message, StringComparison.Ordinal);
    }

    private static Dataset<float> Set(float[] values) => new(
        Columns.Values<float>("x", new Shape(8), values), Columns.Labels("labels", Enumerable.Range(0, values.Length / 8).Select(i => i % 3).ToArray()));

    private static NonFiniteException Fails(Network<float> network, Dataset<float> set, TrainerOptions<float> options)
    {
        using var batches = new BatchLoader<float>(set, set.Count, new() { Shuffle = false });
        return Fails(network, batches, options);
    }

    private static NonFiniteException Fails(Network<float> network, BatchLoader<float> batches, TrainerOptions<float> options)
    {
        var (parameters, state) = (network.Parameters.ToArray(), network.State.ToArray());
        var optimizer = TrainingProblem.Optimizer(network);
        var trainer = new Trainer<float>(network, optimizer, batches, options);
        var error = Assert.Throws<NonFiniteException>(() => trainer.Run());
        Bits.AssertEqual<float>(parameters, network.Parameters, "parameters");
        Bits.AssertEqual<float>(state, network.State, "state");
        Assert.Equal(0, optimizer.Steps);
        Assert.Contains("In step 0 (epoch 0, batch 0)", error.Message, StringComparison.Ordinal);
        return error;
    }
}
