using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Masks, sizes, grouped heads and dropout of attention, with all scores and in blocks.</summary>
public sealed class AttentionOptionTests
{
    private static readonly AttentionCase[] Cases =
    [
        // Sizes and groups.
        new(new(2), 2, (5, 6), (4, 3)),
        new(new(2), 2, (5, 6), (4, 3), 7),
        new(new(4, keyValueHeads: 2), 2, (5, 8)),
        new(new(6, causal: true, keyValueHeads: 1), 2, (70, 12), (33, 5), 4) { Lengths = [33, 12] },

        // Masks.
        new(new(2), 3, (5, 6)) { MaskRank = 1 },
        new(new(2), 3, (5, 6), (9, 6)) { MaskRank = 2 },
        new(new(2, causal: true), 2, (70, 6)) { MaskRank = 2, Lengths = [70, 3] },
        new(new(2), 3, (5, 6)) { Bias = Values(2, 5, 5) },
        new(new(2), 3, (5, 6), (4, 6)) { Bias = Values(1, 5, 4), Hidden = 0.4 },
        new(new(2), 3, (5, 6)) { Bias = Values(1, 1, 5), Hidden = 0.4 },
        new(new(2), 3, (5, 6)) { Bias = Values(2, 1, 5) },
        new(new(2), 3, (5, 6)) { Bias = Shared(5) },
        new(new(2), 3, (5, 6), (20, 6)) { Bias = Shared(5, 20), Hidden = 0.5 },
        new(new(2, causal: true, keyValueHeads: 1), 3, (67, 6)) { Bias = Shared(2, 67, 67), Hidden = 0.2, MaskRank = 1, Lengths = [67, 0, 13] },

        // Dropout.
        new(new(2, dropout: 0.3), 2, (5, 6)),
        new(new(4, true, null, 2, 0.5), 2, (70, 8)) { Bias = Values(1, 70, 70), MaskRank = 1, Lengths = [70, 20] },
        new(new(2, dropout: 1), 2, (5, 6)),

        // In blocks.
        new(new(1), 1, (512, 2)),
        new(new(2), 1, (520, 4), (513, 3), 2) { Lengths = [400] },
        new(new(2, causal: true), 2, (530, 4)) { Lengths = [530, 0] },
        new(new(2, keyValueHeads: 1), 2, (100, 4), (2700, 3)) { MaskRank = 1 },
        new(new(2, causal: true, keyValueHeads: 1, dropout: 0.4), 1, (515, 4)) { Bias = Shared(515, 515), Hidden = 0.3, MaskRank = 2 },
        new(new(2), 2, (600, 4), (500, 4)) { Bias = Values(2, 600, 500), Hidden = 0.1, Lengths = [500, 77] },
        new(new(2), 3, (513, 4)) { Bias = Values(1, 1, 513), Hidden = 0.1 },
        new(new(2), 2, (513, 4)) { Bias = Shared(2, 1, 513), MaskRank = 1 },
        new(new(1, causal: true), 1, (700, 2), (400, 2)) { Bias = Shared(1, 700, 400) },
        new(new(1, dropout: 1), 1, (512, 2)),

        // Weights as an output.
        new(new(2, weights: true), 2, (5, 6), (4, 3)) { Lengths = [4, 0] },
        new(new(2, causal: true, keyValueHeads: 1, dropout: 0.3, weights: true), 2, (513, 4)) { Bias = Shared(513, 513), MaskRank = 1 },
    ];

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Cases.Length)];

    [Theory, MemberData(nameof(Numbers))]
    public void It_follows_the_definition(int number)
    {
        var run = new AttentionRun<double>(Cases[number]);
        run.AssertFollows(run.Expected());
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Rotary_positions_turn_queries_and_keys(bool interleaved)
    {
        foreach (var (queries, keys) in (((int, int), (int, int)?)[])[((5, 8), null), ((5, 24), (9, 3)), ((520, 4), (510, 2))])
        {
            var rotary = new RotaryPositions(root: 50, interleaved: interleaved);
            var run = new AttentionRun<double>(new(new(2, keyValueHeads: 1, rotary: rotary), 2, queries, keys));
            run.AssertFollows(run.Expected((x, columns, forward) => PositionReference.Turn(x, columns,
                columns == queries.Item2 ? queries.Item1 : keys?.Item1 ?? queries.Item1, queries.Item2 / 2, 50, interleaved, forward)));
        }
    }

    [Theory, MemberData(nameof(Numbers))]
    public void The_same_bits_for_any_number_of_threads(int number)
    {
        var expected = new AttentionRun<float>(Cases[number]).Numbers();
        Assert.All(expected, v => Assert.True(float.IsFinite(v)));
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            Bits.AssertEqual<float>(expected, new AttentionRun<float>(Cases[number], compute).Numbers(), $"{threads} threads");
        }
    }

    [Fact]
    public void In_blocks_backward_equals_the_central_difference_along_random_directions()
    {
        foreach (var number in (int[])[17, 19, 21, 23])
        {
            var run = new AttentionRun<double>(Cases[number] with { Hidden = 0 });
            var report = GradientCheck.Run(run.Network, run.Workspace, new GradientCheckOptions { Mode = GradientCheckMode.RandomDirections });
            Assert.True(report.Passes(1e-6, 1e-9), $"{run.Case}\n{report}");
        }
    }

    [Fact]
    public void Large_scores_lose_nothing_in_blocks()
    {
        // The scores of a query reach some 1e6, beyond what e^x holds; the maximum moves from block to block.
        var run = new AttentionRun<double>(new(new(1), 1, (512, 2)));
        foreach (ref var x in run.Workspace.Input("x0"))
            x *= 1e3;
        run.Network.Forward(run.Workspace);
        run.Network.Backward(run.Workspace);
        var expected = run.Expected();
        for (var i = 0; i < expected.Output.Length; i++)
            Assert.Equal(expected.Output[i], run.Workspace.Output()[i], 1e-6);
        Assert.All(run.Workspace.Gradients.ToArray(), v => Assert.True(double.IsFinite(v)));
    }

    [Fact]
    public void Keys_that_no_query_sees_do_not_matter()
    {
        foreach (var steps in (int[])[6, 512])
        {
            var graph = new GraphBuilder();
            graph.Output(graph.Input("x", steps, 4).SelfAttention(2, mask: graph.IndexInput("mask", steps)));
            var network = graph.Build().CreateNetwork<double>(seed: 1);
            var workspace = network.CreateWorkspace(1);
            var random = new TestRandom(1);
            foreach (ref var x in workspace.Input("x"))
                x = random.Signed<double>();
            workspace.IndexInput("mask").Fill(1);
            workspace.IndexInput("mask")[2] = 0;
            network.Forward(workspace);
            var before = workspace.Output().ToArray();
            workspace.Input("x").Slice(2 * 4, 4).Fill(1e6);
            network.Forward(workspace);
            for (var i = 0; i < before.Length; i++)
                Assert.True(i / 4 == 2 || before[i] == workspace.Output()[i], $"{steps} steps, {i}");
        }
    }

    [Fact]
    public void In_inference_nothing_is_dropped()
    {
        foreach (var steps in (int[])[6, 512])
        {
            var outputs = new float[2][];
            for (var i = 0; i < 2; i++)
            {
                var graph = new GraphBuilder();
                graph.Output(graph.Input("x", steps, 4).SelfAttention(2, dropout: 0.5 * i));
                var network = graph.Build().CreateNetwork<float>(seed: 1);
                var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
                for (var j = 0; j < workspace.Input("x").Length; j++)
                    workspace.Input("x")[j] = j % 7 - 3;
                network.Forward(workspace);
                outputs[i] = workspace.Output().ToArray();
            }

            Bits.AssertEqual<float>(outputs[0], outputs[1], $"{steps} steps");
        }
    }

    [Fact]
    public void In_blocks_memory_is_linear_in_the_length()
    {
        long Bytes(int steps)
        {
            var graph = new GraphBuilder();
            graph.Output(graph.Input("x", steps, 16).SelfAttention(2));
            return graph.Build().CreateNetwork<float>().CreateWorkspace(1).Bytes;
        }

        Assert.InRange(Bytes(4096), 1.0, 2.1 * Bytes(2048));
    }

    [Fact]
    public void Wrong_options_are_named()
    {
        Assert.Equal("keyValueHeads", Assert.Throws<ArgumentException>(() => new MultiHeadAttention(4, keyValueHeads: 3)).ParamName);
        Assert.Equal("keyValueHeads", Assert.Throws<ArgumentOutOfRangeException>(() => new MultiHeadAttention(4, keyValueHeads: 0)).ParamName);
        foreach (var dropout in (double[])[-0.1, 1.1, double.NaN])
            Assert.Equal("dropout", Assert.Throws<ArgumentOutOfRangeException>(() => new MultiHeadAttention(4, dropout: dropout)).ParamName);
        var graph = new GraphBuilder();
        Node x = graph.Input("x", 4, 6), keys = graph.Input("keys", 3, 6), lengths = graph.IndexInput("lengths");
        Refuses("indices [4, 4] or [4]; it is indices [3]", x, graph.IndexInput("a", 3));
        Refuses("indices [4, 3] or [3]; it is indices [4, 4]", x, keys, graph.IndexInput("b", 4, 4));
        Refuses("must be [2, 4, 4], where the first two sizes may be 1; it is values [3, 4, 4]", x, graph.Input("c", 3, 4, 4));
        Refuses("it is shared [3, 4]", x, graph.SharedInput("d", 3, 4));
        Refuses("it is shared []", x, graph.SharedInput("e"));
        Refuses("in this order", x, lengths, graph.IndexInput("f", 4));
        Refuses("in this order", x, lengths, lengths);
        Refuses("equally long; they are values [3, 6] and values [4, 6]", x, keys, x);

        void Refuses(string what, params Node[] inputs) => Assert.Contains(what,
            Assert.Throws<ArgumentException>(() => { graph.Apply(new MultiHeadAttention(2), inputs); }).Message, StringComparison.Ordinal);
    }

    private static EdgeType Values(params ReadOnlySpan<int> shape) => new(EdgeKind.Values, new Shape(shape));

    private static EdgeType Shared(params ReadOnlySpan<int> shape) => new(EdgeKind.Shared, new Shape(shape));
}
