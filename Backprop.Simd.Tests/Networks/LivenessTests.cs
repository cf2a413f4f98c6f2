using Backprop.Simd.Execution;
using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;
using CsCheck;

namespace Backprop.Simd.Tests.Networks;

/// <summary>
/// Buffers shared by liveness and layers run in place never change a number: the planned workspace against one that retains
/// everything, bit for bit, and against central differences.
/// </summary>
public sealed class LivenessTests
{
    private static readonly Gen<(int Kind, int First, int Second, bool Output)> Choice =
        Gen.Select(Gen.Int[0, RandomGraph.Kinds - 1], Gen.Int[0, 1000], Gen.Int[0, 1000], Gen.Frequency((6, Gen.Const(false)), (1, Gen.Const(true))));

    private static readonly Gen<((int Kind, int First, int Second, bool Output)[] Choices, bool Loss, bool Inputs)> Graph =
        Gen.Select(Choice.Array[1, 14], Gen.Bool, Gen.Bool);

    [Fact]
    public void A_planned_workspace_equals_one_that_keeps_everything()
    {
        var smaller = 0;
        Graph.Sample(g =>
        {
            var network = RandomGraph.Build(g.Choices, g.Loss).CreateNetwork<double>(seed: 1);
            var planned = Make(network, Retain.None, g.Inputs);
            var kept = Make(network, Retain.All, g.Inputs);
            for (var step = 0; step < 3; step++)
            {
                foreach (var workspace in (Workspace<double>[])[planned, kept])
                {
                    Fill(workspace, (ulong)step);
                    network.Forward(workspace);
                    network.Backward(workspace, accumulate: step == 2);
                    if (step == 1)
                        network.Backward(workspace); // Backward destroys nothing that it reads.
                }

                AssertSame(network, kept, planned, g.Inputs);
            }

            if (planned.Bytes < kept.Bytes)
                Interlocked.Increment(ref smaller);
        }, iter: 400, threads: 1);
        Assert.True(smaller > 100, $"Only {smaller} planned workspaces were smaller.");
    }

    [Fact]
    public void A_planned_workspace_passes_the_gradient_check()
    {
        Graph.Sample(g =>
        {
            var smooth = Array.ConvertAll(g.Choices, c => (c.Kind % RandomGraph.SmoothKinds, c.First, c.Second, c.Output));
            var network = RandomGraph.Build(smooth, g.Loss).CreateNetwork<double>(seed: 1);
            var workspace = Make(network, Retain.None, inputs: true);
            Fill(workspace, 1);
            var report = GradientCheck.Run(network, workspace);

            // A wrong gradient fails at every step; where the graph is curved, only the larger steps do.
            foreach (var step in (double[])[1e-5, 1e-6])
            {
                if (!report.Passes(1e-6, 1e-7 * Magnitude(workspace)))
                    report = GradientCheck.Run(network, workspace, new GradientCheckOptions { Step = step });
            }

            Assert.True(report.Passes(1e-6, 1e-7 * Magnitude(workspace)), report.ToString());
        }, iter: 100, threads: 1);
    }

    [Fact]
    public void Inference_equals_training()
    {
        Graph.Sample(g =>
        {
            var network = RandomGraph.Build(g.Choices, g.Loss).CreateNetwork<double>(seed: 1);
            var training = Make(network, Retain.All, inputs: false);
            var inference = network.CreateWorkspace(RandomGraph.Rows, WorkspaceOptions.Inference with { Losses = true }, ComputeContext.SingleThreaded);
            for (var step = 0; step < 2; step++)
            {
                Fill(training, (ulong)step);
                Fill(inference, (ulong)step);
                Assert.Equal(network.Forward(training), network.Forward(inference));
                foreach (var output in network.Definition.OutputNames)
                    Bits.AssertEqual(training.Output(output), inference.Output(output), output);
            }
        }, iter: 300, threads: 1);
    }

    [Fact]
    public void Running_in_place_saves_space_and_changes_no_bit()
    {
        var chain = GraphBuilder.Chain(6);
        for (var i = 0; i < 4; i++)
            chain = (chain.Affine(20).Relu() * 2).Affine(20).LeakyRelu(0.2);
        var network = chain.Affine(3).SoftmaxCrossEntropy().Build<float>(seed: 5);
        var (fused, unfused) = (network.CreateWorkspace(7, compute: ComputeContext.SingleThreaded),
            network.CreateWorkspace(7, new WorkspaceOptions { Retain = Retain.All }, ComputeContext.SingleThreaded));
        foreach (var workspace in (Workspace<float>[])[fused, unfused])
        {
            var random = new TestRandom(3);
            foreach (ref var value in workspace.Input())
                value = random.Signed<float>();
            network.Forward(workspace);
            network.Backward(workspace);
        }

        Assert.Equal(unfused.Loss, fused.Loss);
        Bits.AssertEqual(unfused.Output(), fused.Output(), "output");
        Bits.AssertEqual<float>(unfused.Gradients, fused.Gradients, "gradients");
        Assert.True(fused.Bytes < 0.7 * unfused.Bytes, $"{fused.Bytes} against {unfused.Bytes} bytes.");
    }

    [Fact]
    public void Requests_that_live_at_once_never_share()
    {
        Gen.Select(Gen.Int[0, RandomGraph.Kinds - 1], Gen.Int[0, RandomGraph.Kinds - 1], Gen.Int[1, 100]).Array[1, 20].Sample(requests =>
        {
            var planner = new IntervalPlanner();
            for (var i = 0; i < requests.Length; i++)
                planner.Add(i, Math.Min(requests[i].Item1, requests[i].Item2), Math.Max(requests[i].Item1, requests[i].Item2), requests[i].Item3);
            var offsets = planner.Place();
            for (var i = 0; i < requests.Length; i++)
            {
                Assert.Equal(0, offsets[i] % 16);
                Assert.True(offsets[i] + requests[i].Item3 <= planner.Length);
                for (var j = 0; j < i; j++)
                {
                    var together = Math.Max(Low(requests[i]), Low(requests[j])) <= Math.Min(High(requests[i]), High(requests[j]));
                    var apart = offsets[i] + requests[i].Item3 <= offsets[j] || offsets[j] + requests[j].Item3 <= offsets[i];
                    Assert.True(!together || apart);
                }
            }
        }, iter: 500, threads: 1);

        static int Low((int A, int B, int Size) request) => Math.Min(request.A, request.B);
        static int High((int A, int B, int Size) request) => Math.Max(request.A, request.B);
    }

    [Fact]
    public void Requests_that_never_meet_share()
    {
        var planner = new IntervalPlanner();
        planner.Add(0, 0, 1, 100);
        planner.Add(1, 2, 3, 80);
        planner.Add(2, 4, 5, 112);
        Assert.Equal([0, 0, 0], planner.Place().OrderBy(p => p.Key).Select(p => p.Value));
        Assert.Equal(112, planner.Length);
    }

    private static Workspace<double> Make(Network<double> network, Retain retain, bool inputs) => network.CreateWorkspace(
        RandomGraph.Rows, new WorkspaceOptions { InputGradients = inputs, Retain = retain }, ComputeContext.SingleThreaded);

    private static double Magnitude(Workspace<double> workspace)
    {
        var largest = 1.0;
        foreach (var gradient in workspace.Gradients)
            largest = Math.Max(largest, Math.Abs(gradient));
        return largest;
    }

    private static void Fill(Workspace<double> workspace, ulong seed)
    {
        var random = new TestRandom(seed);
        foreach (var name in workspace.Network.Definition.InputNames)
        {
            foreach (ref var value in workspace.Input(name))
                value = 0.7 * random.Signed<double>();
        }
    }

    private static void AssertSame(Network<double> network, Workspace<double> expected, Workspace<double> actual, bool inputs)
    {
        Assert.Equal(expected.Loss, actual.Loss);
        Bits.AssertEqual<double>(expected.Gradients, actual.Gradients, "gradients");
        foreach (var output in network.Definition.OutputNames)
            Bits.AssertEqual(expected.Output(output), actual.Output(output), output);
        foreach (var input in inputs ? network.Definition.InputNames : [])
            Bits.AssertEqual(expected.GradientOf(input), actual.GradientOf(input), input);
    }
}
