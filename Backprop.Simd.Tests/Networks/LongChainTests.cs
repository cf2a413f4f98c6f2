using Backprop.Simd.Execution;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Chains of thousands of layers: work and memory grow as their length, and no stack does.</summary>
public class LongChainTests
{
    private const int Length = 20_000;

    [Fact]
    public void Twice_the_layers_allocate_twice_the_bytes()
    {
        Measure(100);
        var (half, whole) = (Measure(2000), Measure(4000));
        foreach (var part in half.Keys)
            Assert.True(whole[part] < 2.6 * half[part], $"{part}: {half[part]} bytes for 2000 layers, {whole[part]} for 4000.");

        static Dictionary<string, long> Measure(int length)
        {
            var bytes = new Dictionary<string, long>();
            var nodes = Part("nodes", () => Chain(length));
            nodes.Graph.Output(nodes);
            var definition = Part("definition", nodes.Graph.Build);
            var network = Part("network", () => definition.CreateNetwork<float>());
            Part("training", () => network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded));
            Part("inference", () => network.CreateWorkspace(1, WorkspaceOptions.Inference, ComputeContext.SingleThreaded));
            Part("summary", network.Summary);
            Part("file", () =>
            {
                var stream = new MemoryStream(1 << 24);
                network.Save(stream);
                return stream;
            });
            return bytes;

            TResult Part<TResult>(string name, Func<TResult> work)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var result = work();
                bytes[name] = GC.GetAllocatedBytesForCurrentThread() - before;
                return result;
            }
        }
    }

    [Fact]
    public void Buffers_are_placed_in_as_many_looks_as_there_are_buffers()
    {
        foreach (var kind in (string[])["all stay", "each until the next", "the last first", "every second stays"])
        {
            var planner = new IntervalPlanner();
            for (var i = 0; i < Length; i++)
            {
                var at = kind == "the last first" ? Length - i : i;
                planner.Add(i, at, kind == "all stay" || kind == "every second stays" && i % 2 == 0 ? int.MaxValue : at + 1, 1 + i % 3 * 20);
            }

            Assert.Equal(Length, planner.Place().Count);
            Assert.InRange(planner.Looks, Length, 4 * Length);
        }
    }

    [Fact]
    public void Buffers_are_placed_first_fit()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var requests = new List<(int Key, int Start, int End, int Size)>();
            for (var i = 0; i < 40; i++)
            {
                var start = random.Next(30);
                requests.Add((i, start, random.Next(5) == 0 ? int.MaxValue : start + random.Next(8), 16 * random.Next(1, 6)));
            }

            var planner = new IntervalPlanner();
            foreach (var (key, start, end, size) in requests)
                planner.Add(key, start, end, size);

            // The lowest place that no buffer of the same time covers.
            var placed = new List<(int Key, int Start, int End, int Size, int Offset)>();
            foreach (var (key, start, end, size) in requests.OrderBy(r => r.Start).ThenByDescending(r => r.Size).ThenBy(r => r.Key))
            {
                var offset = 0;
                while (placed.Any(p => p.End >= start && p.Offset < offset + size && offset < p.Offset + p.Size))
                    offset += 16;
                placed.Add((key, start, end, size, offset));
            }

            Assert.Equal(placed.OrderBy(p => p.Key).Select(p => p.Offset), planner.Place().OrderBy(p => p.Key).Select(p => p.Value));
            Assert.Equal(placed.Max(p => p.Offset + p.Size), planner.Length);
        }
    }

    [Fact]
    public void A_long_chain_is_trained_saved_and_asked_on_a_small_stack() => OnSmallStack(() =>
    {
        var network = Chain(Length).Build<float>();
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        workspace.Input().Fill(0.5f);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.True(float.IsFinite(workspace.GradientOf("x")[0]));
        network.Update(workspace, new Adam<float>(network.Parameters.Length));
        Assert.Equal(Length + 6, network.Summary().Split('\n').Length);
        Assert.Contains($"node{Length - 1}", GraphPicture.Dot(network.Definition), StringComparison.Ordinal);

        var stream = new MemoryStream();
        network.Save(stream);
        stream.Position = 0;
        network.Load(stream);
        var outputs = new float[2];
        new Predictor<float>(network).Predict([0.5f, 0.5f], outputs);
        Assert.Equal(outputs[0], outputs[1], 1e-6f);
    });

    [Fact]
    public void All_parameters_of_a_long_chain_are_frozen_and_thawed()
    {
        var network = Chain(Length).Build<float>();
        var before = network.Parameters.ToArray();
        foreach (var entry in network.Definition.Parameters.Entries)
            network.Freeze(entry.Name);
        var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        workspace.Input().Fill(0.5f);
        var optimizer = new Sgd<float>(network.Parameters.Length, 0.1);
        Step();
        Assert.Equal(before, network.Parameters.ToArray());
        var last = network.Definition.Parameters.Entries[^1].Name;
        network.Unfreeze(last);
        Step();
        Assert.NotEqual(before, network.Parameters.ToArray());
        Assert.Equal(before.AsSpan()[..^16], network.Parameters[..^16]);

        void Step()
        {
            network.Forward(workspace);
            network.Backward(workspace);
            network.Update(workspace, optimizer);
        }
    }

    [Fact]
    public void Views_of_views_are_read_in_the_first_one_s_memory() => OnSmallStack(() =>
    {
        var node = GraphBuilder.Chain(6);
        for (var i = 0; i < Length; i++)
            node = node.Apply(i % 2 == 0 ? new Reshape(2, 3) : new Flatten());
        var network = node.Slice(0, 2, 3).Affine(2).Build<double>();
        var direct = GraphBuilder.Chain(6).Slice(0, 2, 3).Affine(2).Build<double>();
        network.Parameters.CopyTo(direct.Parameters);
        Assert.Equal(Outputs(direct), Outputs(network));

        static double[] Outputs(Network<double> network)
        {
            var workspace = network.CreateWorkspace(3, compute: ComputeContext.SingleThreaded);
            for (var i = 0; i < 18; i++)
                workspace.Input()[i] = i;
            network.Forward(workspace);
            return workspace.Output().ToArray();
        }
    });

    [Fact]
    public void Automatic_names_take_the_first_free_number()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        Assert.Equal(["fork1", "fork2", "fork3"], Names(new Fork(), 3));
        var second = graph.Apply(new Fork(), x);
        Assert.Equal("fork4", second.Name);
        second.Named("own");
        Assert.Equal("fork4", graph.Apply(new Fork(), x).Name);

        // A number in the middle is freed, one ahead is taken, and one whose second output has the name of another.
        var five = graph.Apply(new Fork(), x);
        Assert.Equal(["fork6", "fork7"], Names(new Fork(), 2));
        five.Named("five");
        x.Tanh().Named("fork8");
        var port = x.Tanh().Named("fork9:1");
        Assert.Equal(["fork5", "fork10", "fork11"], Names(new Fork(), 3));
        five.Named("fork12");
        Assert.Equal(["fork13"], Names(new Fork(), 1));
        port.Named("port");
        Assert.Equal(["fork9", "fork14"], Names(new Fork(), 2));

        string[] Names(Layer layer, int count) => [.. Enumerable.Range(0, count).Select(_ => graph.Apply(layer, x).Name)];
    }

    private static Node Chain(int length)
    {
        var node = GraphBuilder.Chain(1);
        for (var i = 0; i < length; i++)
            node = i % 2 == 0 ? node.Affine(1) : node.Tanh();
        return node;
    }

    private static void OnSmallStack(Action work)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(work), 1 << 20);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
