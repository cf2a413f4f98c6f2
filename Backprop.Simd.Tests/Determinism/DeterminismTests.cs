using System.Numerics;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Determinism;

/// <summary>The same bits for any number of threads, and inference on many threads at once.</summary>
public sealed class DeterminismTests
{
    private const int Rows = 97;
    private const int Inputs = 61;
    private const int Classes = 11;

    [Fact]
    public void Training_gives_the_same_bits_for_any_number_of_threads_in_float() => CheckTraining<float>();

    [Fact]
    public void Training_gives_the_same_bits_for_any_number_of_threads_in_double() => CheckTraining<double>();

    [Fact]
    public void A_convolutional_network_gives_the_same_bits_for_any_number_of_threads()
    {
        float[]? expected = null;
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            var graph = new GraphBuilder();
            var x = graph.Input("x", 14, 14, 3).Apply(new Normalize([0.1, 0.2, 0.3], [1, 2, 3]));
            var y = x.Convolution2D(24, 3, padding: 1).Relu().MaxPooling2D(2).BatchNormalization();
            y = (y + y.Convolution2D(24, 3, padding: 1, groups: 24).GroupNormalization(4)).Convolution2D(70, 3, stride: 2).LayerNormalization().Gelu()
                .Dropout(0.3);
            y.ConvolutionTranspose2D(9, 3).AveragePooling2D(2).Flatten().Affine(Classes).SoftmaxCrossEntropy();
            var network = graph.Build().CreateNetwork<float>(seed: 5);
            var workspace = network.CreateWorkspace(17, new WorkspaceOptions { InputGradients = true }, compute);
            var adam = new Adam<float>(network.Parameters.Length);
            for (var step = 0; step < 5; step++)
            {
                workspace.Rows = step == 3 ? 5 : 17;
                Fill(workspace.Input("x"), step);
                workspace.IndexInput("labels").Fill(step % Classes);
                network.Step(workspace, adam);
            }

            float[] actual = [.. network.Parameters, .. network.State, .. workspace.GradientOf("x")];
            expected ??= actual;
            Bits.AssertEqual<float>(expected, actual, $"{threads} threads");
        }

        Assert.DoesNotContain(expected!, v => !float.IsFinite(v));
    }

    [Fact]
    public void Functions_and_activations_give_the_same_bits_for_any_number_of_threads()
    {
        const int Width = 4096;
        float[]? expected = null;
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            var graph = new GraphBuilder();
            var x = graph.Input("x", Width) * graph.Parameter("w", new Shape(Width), Initialize.Uniform(0.5, 1.5));
            Node[] functions =
            [
                x.Log(), x.Sqrt(), x.Abs(), x.Pow(1.5), x.Pow(x), x.Clip(0.6, 1.4), x.Sin(), x.Cos(), x.Erf(), x.Floor(), x.Celu(), x.ThresholdedRelu(),
                x.Relu6(), x.HardTanh(), x.LogSigmoid(),
            ];
            var sum = x;
            foreach (var y in functions)
                sum += y;
            graph.Loss((sum.Glu() + sum.SwiGlu() * 0.1).Tanh().Mean());
            var network = graph.Build().CreateNetwork<float>(seed: 5);
            var workspace = network.CreateWorkspace(4, new WorkspaceOptions { InputGradients = true }, compute);
            Fill(workspace.Input("x"), 1);
            network.Step(workspace, new Sgd<float>(network, 0.1));
            float[] actual = [.. network.Parameters, .. workspace.GradientOf("x")];
            expected ??= actual;
            Bits.AssertEqual<float>(expected, actual, $"{threads} threads");
        }
    }

    [Fact]
    public void Two_runs_give_the_same_bits()
    {
        using var compute = TestThreads.Create(3);
        Bits.AssertEqual<float>(Train<float>(compute).Parameters, Train<float>(compute).Parameters, "second run");
    }

    [Theory, InlineData(1), InlineData(3)]
    public void Eight_threads_may_run_inference_on_one_network(int threadsOfEach)
    {
        var network = Build<float>();
        const int Batches = 64;
        var serial = new float[Batches][];
        var workspace = network.CreateWorkspace(Rows, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        for (var batch = 0; batch < Batches; batch++)
            serial[batch] = Infer(network, workspace, batch);

        // With more than one thread each, all share a team: whoever finds it busy works alone, with the same bits.
        using var compute = TestThreads.Create(threadsOfEach);
        var concurrent = new float[Batches][];
        var failures = new List<Exception>();
        using var start = new Barrier(8);
        var threads = Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            try
            {
                var own = network.CreateWorkspace(Rows, WorkspaceOptions.Inference, compute);
                start.SignalAndWait();
                for (var batch = t; batch < Batches; batch += 8)
                    concurrent[batch] = Infer(network, own, batch);
            }
            catch (Exception e)
            {
                lock (failures)
                    failures.Add(e);
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.Empty(failures);
        for (var batch = 0; batch < Batches; batch++)
            Bits.AssertEqual<float>(serial[batch], concurrent[batch], $"batch {batch}");
    }

    private static void CheckTraining<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[]? expected = null;
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            var before = TestThreads.Snapshot(compute);
            var network = Train<T>(compute);
            if (threads > 1)
                TestThreads.AssertEachWorked(compute, before, threads, $"{threads} threads");
            expected ??= network.Parameters.ToArray();
            Bits.AssertEqual<T>(expected, network.Parameters, $"{threads} threads");
        }

        Assert.DoesNotContain(expected!, p => !T.IsFinite(p));
        Assert.NotEqual(Build<T>().Parameters.ToArray(), expected);
    }

    private static Network<T> Build<T>() where T : unmanaged, IFloatingPointIeee754<T> => GraphBuilder.Chain(Inputs)
        .Affine(131).Relu().Affine(70).Tanh().Affine(33).Sigmoid().Affine(Classes).SoftmaxCrossEntropy().Build<T>(seed: 9);

    private static Network<T> Train<T>(ComputeContext compute) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = Build<T>();
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true }, compute);
        var sgd = new Sgd<T>(network.Parameters.Length, 0.1, 0.9, nesterov: true, weightDecay: 1e-3);
        for (var step = 0; step < 6; step++)
        {
            workspace.Rows = step == 3 ? 40 : Rows;
            Fill(workspace.Input("x"), step);
            var random = new TestRandom((ulong)step);
            foreach (ref var label in workspace.IndexInput("labels"))
                label = random.Integer(0, Classes - 1);
            network.Step(workspace, sgd);
        }

        return network;
    }

    private static float[] Infer(Network<float> network, Workspace<float> workspace, int batch)
    {
        workspace.Rows = batch % 5 == 0 ? 1 + batch : Rows;
        Fill(workspace.Input("x"), batch);
        network.Forward(workspace);
        return workspace.Output().ToArray();
    }

    private static void Fill<T>(Span<T> values, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom((ulong)seed);
        foreach (ref var value in values)
            value = random.Signed<T>();
    }
}
