using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

public sealed class MultiHeadAttentionTests
{
    private static readonly string[] Names = ["query", "key", "value", "output"];

    [Theory]
    [InlineData(1, 1, 1, 1, 1, false, 1, null)]
    [InlineData(2, 5, 5, 6, 3, false, 1, null)]
    [InlineData(3, 7, 7, 8, 1, true, 1, null)]
    [InlineData(1, 3, 9, 10, 2, false, 2, null)]
    [InlineData(2, 9, 4, 4, 4, true, 2, null)]
    [InlineData(2, 4, 6, 6, 2, false, 3, null)]
    [InlineData(4, 6, 6, 4, 2, false, 1, new[] { 6, 1, 4, 0 })]
    [InlineData(3, 5, 33, 6, 2, false, 3, new[] { 33, 20, 3 })]
    [InlineData(2, 130, 130, 4, 2, true, 1, new[] { 130, 70 })]
    [InlineData(2, 70, 20, 34, 2, true, 3, new[] { 0, 19 })]
    public void It_follows_the_definition(int rows, int steps, int length, int size, int heads, bool causal, int sequences, int[]? lengths)
    {
        var (network, workspace) = Make<double>(rows, steps, length, size, heads, causal, sequences, lengths);
        network.Forward(workspace);
        network.Backward(workspace);
        int[] inputs = sequences switch { 1 => [0, 0, 0], 2 => [0, 1, 1], _ => [0, 1, 2] };
        var expected = AttentionReference.Run(new(rows, steps, length, size, heads, causal,
            [.. inputs.Select(i => workspace.Input($"x{i}").ToArray())],
            [.. Names.Select(n => network.ParameterOf($"multiheadattention1.{n}Weight").ToArray())],
            [.. Names.Select(n => network.ParameterOf($"multiheadattention1.{n}Bias").ToArray())],
            lengths ?? [.. Enumerable.Repeat(length, rows)], workspace.OutputGradient().ToArray()));
        RecurrentTests.AssertClose(expected.Output, workspace.Output(), "y");
        for (var i = 0; i < 4; i++)
        {
            RecurrentTests.AssertClose(expected.DWeights[i], workspace.ParameterGradientOf($"multiheadattention1.{Names[i]}Weight"), Names[i] + " weight");
            RecurrentTests.AssertClose(expected.DBiases[i], workspace.ParameterGradientOf($"multiheadattention1.{Names[i]}Bias"), Names[i] + " bias");
        }

        for (var input = 0; input < sequences; input++)
        {
            var dx = new double[workspace.Input($"x{input}").Length];
            for (var i = 0; i < 3; i++)
            {
                for (var j = 0; inputs[i] == input && j < dx.Length; j++)
                    dx[j] += expected.Dx[i][j];
            }

            RecurrentTests.AssertClose(dx, workspace.GradientOf($"x{input}"), $"dx{input}");
        }
    }

    [Fact]
    public void The_same_bits_for_any_number_of_threads()
    {
        float[][]? expected = null;
        int[] lengths = [40, 3, 0, 17, 31];
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            var before = TestThreads.Snapshot(compute);
            var (network, workspace) = Make<float>(5, 70, 40, 36, 3, true, 2, lengths, compute);
            network.Forward(workspace);
            network.Backward(workspace);
            if (threads > 1)
                TestThreads.AssertEachWorked(compute, before, threads, $"{threads} threads");
            float[][] actual = [workspace.Output().ToArray(), workspace.Gradients.ToArray(), workspace.GradientOf("x0").ToArray(),
                workspace.GradientOf("x1").ToArray()];
            expected ??= actual;
            for (var i = 0; i < actual.Length; i++)
                Bits.AssertEqual<float>(expected[i], actual[i], $"array {i} on {threads} threads");
        }
    }

    [Fact]
    public void Inference_gives_the_bits_of_training()
    {
        var (network, workspace) = Make<float>(3, 9, 9, 12, 2, true, 1, [9, 4, 1]);
        network.Forward(workspace);
        var inference = network.CreateWorkspace(3, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        inference.SetInput("x0", workspace.Input("x0"));
        inference.SetIndexInput("lengths", [9, 4, 1]);
        network.Forward(inference);
        Bits.AssertEqual<float>(workspace.Output(), inference.Output(), "output");
    }

    [Fact]
    public void A_causal_query_sees_no_later_key()
    {
        var (network, workspace) = Make<double>(1, 6, 6, 8, 2, true, 1, null);
        network.Forward(workspace);
        var before = workspace.Output().ToArray();
        workspace.Input("x0")[(4 * 8)..].Fill(1e6);
        network.Forward(workspace);
        Bits.AssertEqual<double>(before.AsSpan(0, 4 * 8), workspace.Output()[..(4 * 8)], "steps 0 to 3");
        Assert.NotEqual(before[4 * 8], workspace.Output()[4 * 8]);
    }

    [Fact]
    public void Nothing_depends_on_the_keys_behind_a_length()
    {
        int[] lengths = [2, 5, 0];
        var (network, workspace) = Make<double>(3, 4, 5, 6, 2, false, 2, lengths);
        network.Forward(workspace);
        network.Backward(workspace);
        var (output, gradients, dx0, dx1) =
            (workspace.Output().ToArray(), workspace.Gradients.ToArray(), workspace.GradientOf("x0").ToArray(), workspace.GradientOf("x1").ToArray());
        for (var row = 0; row < 3; row++)
        {
            workspace.Input("x1").Slice((row * 5 + lengths[row]) * 6, (5 - lengths[row]) * 6).Fill(1e6);
            Assert.All(dx1[((row * 5 + lengths[row]) * 6)..((row + 1) * 30)], v => Assert.Equal(0, v));
        }

        network.Forward(workspace);
        network.Backward(workspace);
        Bits.AssertEqual<double>(output, workspace.Output(), "output");
        Bits.AssertEqual<double>(gradients, workspace.Gradients, "gradients");
        Bits.AssertEqual<double>(dx0, workspace.GradientOf("x0"), "dx0");
        Bits.AssertEqual<double>(dx1, workspace.GradientOf("x1"), "dx1");

        // No key at all: C = 0, and the output is the bias.
        var bias = network.ParameterOf("multiheadattention1.outputBias").ToArray();
        for (var t = 0; t < 4; t++)
            Assert.Equal(bias, output[((2 * 4 + t) * 6)..((2 * 4 + t + 1) * 6)]);
    }

    [Fact]
    public void Large_scores_do_not_overflow()
    {
        var (network, workspace) = Make<float>(1, 20, 20, 4, 1, false, 1, null);
        foreach (ref var x in workspace.Input("x0"))
            x *= 1e4f;
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.All(workspace.Output().ToArray(), v => Assert.True(float.IsFinite(v)));
        Assert.All(workspace.Gradients.ToArray(), v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void A_length_outside_its_range_throws()
    {
        foreach (var wrong in (int[])[-1, 6])
        {
            var (network, workspace) = Make<float>(2, 4, 5, 6, 2, false, 2, [3, wrong]);
            var error = Assert.Throws<ArgumentException>(() => { network.Forward(workspace); });
            Assert.Equal("lengths", error.ParamName);
            Assert.Contains($"Lengths of multiheadattention must be between 0 and 5; row 1 has {wrong}.", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var graph = new GraphBuilder();
        Node x = graph.Input("x", 4, 6), narrow = graph.Input("narrow", 3, 5), longer = graph.Input("longer", 7, 6), flat = graph.Input("flat", 6),
            lengths = graph.IndexInput("lengths");
        AssertThrows("0 input(s)");
        AssertThrows("4 input(s)", x, x, x, x);
        AssertThrows("values [6]", flat);
        AssertThrows("they are values [3, 5] and values [7, 6]", x, narrow, longer);
        AssertThrows("values [7, 6] and values [4, 6]", x, longer, x);
        AssertThrows("indices [4, 6]", x, graph.IndexInput("perStep", 4, 6));
        AssertThrows("indices []", lengths);
        Assert.Contains("4 heads and 6 columns", Assert.Throws<ArgumentException>(() => x.SelfAttention(4)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new MultiHeadAttention(0));

        void AssertThrows(string what, params Node[] inputs) =>
            Assert.Contains(what, Assert.Throws<ArgumentException>(() => { graph.Apply(new MultiHeadAttention(2), inputs); }).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void A_learned_position_is_added_to_each_row()
    {
        var graph = new GraphBuilder();
        var position = graph.Parameter("position", new Shape(3, 2));
        graph.Output(graph.Input("x", 3, 2) + position);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(2, compute: ComputeContext.SingleThreaded);
        workspace.SetInput("x", [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60]);
        workspace.OutputGradient().Fill(0.5);
        network.ParameterOf("position").Clear();
        network.ParameterOf("position")[5] = 7;
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal([1, 2, 3, 4, 5, 13, 10, 20, 30, 40, 50, 67], workspace.Output().ToArray());
        Assert.Equal([1.0, 1, 1, 1, 1, 1], workspace.ParameterGradientOf("position").ToArray());
    }

    private static (Network<T> Network, Workspace<T> Workspace) Make<T>(
        int rows, int steps, int length, int size, int heads, bool causal, int sequences, int[]? lengths, ComputeContext? compute = null)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var graph = new GraphBuilder();
        List<Node> nodes = [graph.Input("x0", steps, size)];
        for (var i = 1; i < sequences; i++)
            nodes.Add(graph.Input($"x{i}", length, size));
        if (lengths is not null)
            nodes.Add(graph.IndexInput("lengths"));
        graph.Output(graph.Apply(new MultiHeadAttention(heads, causal), [.. nodes]));
        var network = graph.Build().CreateNetwork<T>(seed: 3);
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, compute ?? ComputeContext.SingleThreaded);
        var random = new TestRandom(5);
        Fill(ref random, network.Parameters);
        for (var i = 0; i < sequences; i++)
            Fill(ref random, workspace.Input($"x{i}"));
        Fill(ref random, workspace.OutputGradient());
        if (lengths is not null)
            workspace.SetIndexInput("lengths", lengths);
        return (network, workspace);
    }

    private static void Fill<T>(ref TestRandom random, Span<T> values) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        foreach (ref var value in values)
            value = random.Signed<T>();
    }
}
