using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Networks;

public sealed class GradientAccumulatorTests
{
    [Fact]
    public void Four_micro_batches_are_one_batch()
    {
        var (whole, parts) = (Build(), Build());
        var (batch, micro) = (whole.CreateWorkspace(12), parts.CreateWorkspace(3));
        var (first, second) = (new Sgd<double>(whole.Parameters.Length, 0.1, 0.9), new Sgd<double>(whole.Parameters.Length, 0.1, 0.9));
        var accumulator = new GradientAccumulator<double>(parts, micro);
        var random = new TestRandom(3);
        for (var step = 0; step < 3; step++)
        {
            foreach (ref var x in batch.Input())
                x = random.Signed<double>();
            for (var i = 0; i < 12; i++)
                batch.IndexInput()[i] = (i + step) % 3;
            var loss = whole.Forward(batch);
            whole.Backward(batch);
            var sum = 0.0;
            for (var part = 0; part < 4; part++)
            {
                Assert.Equal(part, accumulator.Count);
                batch.Input().Slice(part * 15, 15).CopyTo(micro.Input());
                batch.IndexInput().Slice(part * 3, 3).CopyTo(micro.IndexInput());
                sum += accumulator.Add();
            }

            var mean = accumulator.Average();
            Assert.Equal(0, accumulator.Count);
            Assert.Equal(sum / 4, mean, 1e-15);
            Assert.Equal(loss, mean, 1e-13);
            for (var i = 0; i < whole.Parameters.Length; i++)
                Assert.Equal(batch.Gradients[i], micro.Gradients[i], 1e-13);
            whole.Update(batch, first);
            parts.Update(micro, second);
        }

        for (var i = 0; i < whole.Parameters.Length; i++)
            Assert.Equal(whole.Parameters[i], parts.Parameters[i], 1e-12);
    }

    [Fact]
    public void Micro_batches_weigh_by_their_rows()
    {
        var (whole, parts) = (Build(), Build());
        var (batch, micro) = (whole.CreateWorkspace(13), parts.CreateWorkspace(5));
        var accumulator = new GradientAccumulator<double>(parts, micro);
        var random = new TestRandom(4);
        foreach (ref var x in batch.Input())
            x = random.Signed<double>();
        for (var i = 0; i < 13; i++)
            batch.IndexInput()[i] = i % 3;
        var loss = whole.Forward(batch);
        whole.Backward(batch);
        var first = 0;
        foreach (var rows in (int[])[5, 5, 2, 1])
        {
            micro.Rows = rows;
            batch.Input().Slice(first * 5, rows * 5).CopyTo(micro.Input());
            batch.IndexInput().Slice(first, rows).CopyTo(micro.IndexInput());
            accumulator.Add();
            first += rows;
        }

        Assert.Equal(loss, accumulator.Average(), 1e-14);
        for (var i = 0; i < whole.Parameters.Length; i++)
            Assert.Equal(batch.Gradients[i], micro.Gradients[i], 1e-14);
    }

    [Fact]
    public void Each_micro_batch_has_a_mask_of_its_own_and_enters_the_running_statistics()
    {
        var network = GraphBuilder.Chain(1).BatchNormalization().Dropout(0.5).Affine(1, bias: false).MeanSquaredError().Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(40);
        var accumulator = new GradientAccumulator<double>(network, workspace);
        workspace.Input("targets").Fill(1);
        var mean = 0.0;
        var losses = new List<double>();
        foreach (var center in (double[])[3, 3, 5])
        {
            for (var i = 0; i < 40; i++)
                workspace.Input("x")[i] = center + (i % 2 == 0 ? 1 : -1);
            losses.Add(accumulator.Add());
            mean += 0.1 * (center - mean);
        }

        // The first two batches are alike but for the mask.
        Assert.NotEqual(losses[0], losses[1]);
        accumulator.Average();
        network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1));
        Assert.Equal(mean, network.StateOf("batchnormalization1.runningMean")[0], 1e-12);
        Assert.Equal(3, workspace.StepNumber);
    }

    [Fact]
    public void A_micro_batch_that_failed_leaves_no_trace()
    {
        var definition = GraphBuilder.Chain(3).BatchNormalization().Dropout().Affine(4).SoftmaxCrossEntropy().Graph.Build();
        Network<double> network = definition.CreateNetwork<double>(1), other = definition.CreateNetwork<double>(1);
        Run(network, fails: true);
        Run(other, fails: false);
        Bits.AssertEqual<double>(other.State, network.State, "state");
        Bits.AssertEqual<double>(other.Parameters, network.Parameters, "parameters");

        static void Run(Network<double> network, bool fails)
        {
            var workspace = network.CreateWorkspace(4);
            var accumulator = new GradientAccumulator<double>(network, workspace);
            for (var batch = 0; batch < 3; batch++)
            {
                for (var i = 0; i < 12; i++)
                    workspace.Input("x")[i] = i * i % 7 + batch;
                accumulator.Add();
                if (!fails || batch == 2)
                    continue;
                workspace.Input("x").Fill(1e6);
                workspace.IndexInput("labels")[3] = 4;
                Assert.Throws<ArgumentException>(() => { accumulator.Add(); });
                workspace.IndexInput("labels")[3] = 0;
            }

            accumulator.Average();
            network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1));
            Assert.Equal(3, workspace.StepNumber);
        }
    }

    [Fact]
    public void One_micro_batch_keeps_its_bits_and_a_reset_forgets()
    {
        var network = Build();
        var (workspace, other) = (network.CreateWorkspace(2), network.CreateWorkspace(2));
        var accumulator = new GradientAccumulator<double>(network, workspace);
        workspace.Input().Fill(0.3);
        accumulator.Add();
        accumulator.Add();
        accumulator.Reset();
        Assert.Throws<InvalidOperationException>(() => accumulator.Average());
        var loss = accumulator.Add();
        Assert.Equal(loss, accumulator.Average());
        other.Input().Fill(0.3);
        network.Forward(other);
        network.Backward(other);
        Bits.AssertEqual<double>(other.Gradients, workspace.Gradients, "gradients");
        Assert.Throws<ArgumentNullException>(() => new GradientAccumulator<double>(null!, workspace));
        Assert.Throws<ArgumentNullException>(() => new GradientAccumulator<double>(network, null!));
    }

    private static Network<double> Build() => GraphBuilder.Chain(5).Affine(7).Tanh().Affine(3).SoftmaxCrossEntropy().Build<double>(seed: 2);

    [Fact]
    public void A_gradient_of_inputs_behind_a_micro_batch_is_refused()
    {
        var network = GraphBuilder.Chain(2).Affine(2).MeanSquaredError().Build<double>(1);
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true });
        var accumulator = new GradientAccumulator<double>(network, workspace);
        accumulator.Add();
        Assert.Contains("'x' has no gradient", Assert.Throws<InvalidOperationException>(() => workspace.GradientOf("x").Length).Message,
            StringComparison.Ordinal);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal(4, workspace.GradientOf("x").Length);
    }

    [Fact]
    public void A_micro_batch_that_fails_in_backward_is_not_averaged()
    {
        var fails = new FailsInBackward();
        var network = GraphBuilder.Chain(2).Affine(2).Apply(fails).MeanSquaredError().Build<double>(1);
        var accumulator = new GradientAccumulator<double>(network, network.CreateWorkspace(2));
        accumulator.Add();
        fails.Fails = true;
        Assert.Throws<BackwardFailed>(() => accumulator.Add());
        fails.Fails = false;
        Assert.Throws<InvalidOperationException>(() => accumulator.Add());
        Assert.Throws<InvalidOperationException>(() => accumulator.Average());
        accumulator.Reset();
        accumulator.Add();
        accumulator.Average();
    }

    [Fact]
    public void What_is_frozen_between_micro_batches_has_no_gradient()
    {
        var graph = new GraphBuilder();
        var h = graph.Input("x", 2).Affine(2);
        h.MeanSquaredError("t");
        h.SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<double>(1);
        var workspace = network.CreateWorkspace(2);
        workspace.Input("x").Fill(1);
        var accumulator = new GradientAccumulator<double>(network, workspace);
        accumulator.Add();
        network.Freeze("affine1.weight");
        accumulator.Add();
        accumulator.Average();
        Assert.All(workspace.ParameterGradientOf("affine1.weight").ToArray(), g => Assert.Equal(0, g));
        Assert.Contains(workspace.ParameterGradientOf("affine1.bias").ToArray(), g => g != 0);
    }

    [Fact]
    public void A_row_of_weight_0_beside_a_tiny_weight_has_no_gradient()
    {
        var graph = new GraphBuilder();
        var y = graph.Input("y", 1).Affine(1);
        graph.Loss(y.Apply(new MeanSquaredError(), graph.Input("t", 1), graph.Input("w")), 10);
        var network = graph.Build().CreateNetwork<float>(1);
        var workspace = network.CreateWorkspace(2);
        workspace.SetInput("y", [1, 1]);
        workspace.SetInput("w", [1e-38f, 0]);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.All(workspace.Gradients.ToArray(), g => Assert.False(float.IsNaN(g)));
    }

    private sealed class BackwardFailed : Exception;

    private sealed class FailsInBackward : Layer
    {
        public bool Fails { get; set; }

        public override string Kind => "fails";

        public override void Declare(LayerDeclaration declaration) => declaration.AddOutput(declaration.Inputs[0]);

        public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

        public override void Backward<T>(in BackwardContext<T> context)
        {
            if (Fails)
                throw new BackwardFailed();
            context.OutputGradient().CopyTo(context.InputGradient(0).Span);
        }
    }
}
