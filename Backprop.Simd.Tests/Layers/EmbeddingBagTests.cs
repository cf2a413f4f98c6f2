using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Bags of rows against the definition; steps; what is refused.</summary>
public sealed class EmbeddingBagTests
{
    public static TheoryData<BagMode, int, int, bool, int?> Cases
    {
        get
        {
            var cases = new TheoryData<BagMode, int, int, bool, int?>();
            foreach (var mode in Enum.GetValues<BagMode>())
            {
                foreach (var (length, size) in ((int, int)[])[(1, 1), (5, 3), (6, 8), (7, 33), (300, 5), (400, 16)])
                {
                    cases.Add(mode, length, size, false, null);
                    cases.Add(mode, length, size, mode == BagMode.Sum, 2);
                }
            }

            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Bags_and_gradients_equal_the_definition_on_any_threads(BagMode mode, int length, int size, bool isWeighted, int? padding)
    {
        const int Count = 11, Rows = 4;
        double[]? expected = null;
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            var graph = new GraphBuilder();
            var (indices, lengths) = (graph.IndexInput("indices", length), graph.IndexInput("lengths"));
            Node? weights = isWeighted ? graph.Input("weights", length) : null;
            graph.Output(indices.EmbeddingBag(Count, size, mode, lengths, weights, padding).Named("bag"));
            var network = graph.Build().CreateNetwork<double>(seed: 2);
            var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true }, compute);
            var random = new TestRandom(5);
            int[] kept = [length, 0, (length + 1) / 2, 1];
            int[] given = [.. Enumerable.Range(0, Rows * length).Select(i => i % length < kept[i / length] ? (i * i + i / 3) % Count : -7)];
            workspace.SetIndexInput("indices", given);
            workspace.SetIndexInput("lengths", kept);
            var factors = new double[Rows * length];
            foreach (ref var factor in factors.AsSpan())
                factor = random.Signed<double>();
            if (isWeighted)
                workspace.SetInput("weights", factors);
            network.Forward(workspace);
            var dy = workspace.OutputGradient("bag");
            foreach (ref var d in dy)
                d = random.Signed<double>();
            network.Backward(workspace);

            var table = network.Parameters[..(Count * size)].ToArray();
            var dTable = new double[table.Length];
            for (var row = 0; row < Rows; row++)
            {
                var own = given[(row * length)..(row * length + kept[row])];
                var w = isWeighted ? factors[(row * length)..(row * length + kept[row])] : null;
                Close(BagReference.Forward(table, size, own, w, mode, padding ?? -1), workspace.Output("bag").Slice(row * size, size));
                var dw = BagReference.Backward(table, size, own, w, mode, padding ?? -1, dy.Slice(row * size, size).ToArray(), dTable);
                if (isWeighted)
                    Close([.. dw, .. new double[length - kept[row]]], workspace.GradientOf("weights").Slice(row * length, length));
            }

            Close(dTable, workspace.ParameterGradientOf("bag.weight"));
            double[] actual = [.. workspace.Output("bag"), .. workspace.ParameterGradientOf("bag.weight")];
            expected ??= actual;
            Bits.AssertEqual<double>(expected, actual, $"{threads} threads");
        }
    }

    [Fact]
    public void A_step_changes_the_rows_that_occur_alone()
    {
        var graph = new GraphBuilder();
        graph.IndexInput("bag", 3).EmbeddingBag(6, 4, paddingIndex: 5).Affine(2).SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(2);
        workspace.SetIndexInput("bag", [0, 5, 2, 2, 2, 0]);
        var before = network.ParameterOf("embeddingbag1.weight").ToArray();
        Assert.Equal(new float[4], before[20..]);
        network.Step(workspace, new Sgd<float>(network.Parameters.Length, 0.5));
        var after = network.ParameterOf("embeddingbag1.weight").ToArray();
        for (var row = 0; row < 6; row++)
            Assert.Equal(row is not (0 or 2), before.AsSpan(row * 4, 4).SequenceEqual(after.AsSpan(row * 4, 4)));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Equal("mode", Assert.Throws<ArgumentOutOfRangeException>(() => new EmbeddingBag(3, 2, (BagMode)5)).ParamName);
        Assert.Equal("paddingIndex", Assert.Throws<ArgumentOutOfRangeException>(() => new EmbeddingBag(3, 2, paddingIndex: 3)).ParamName);
        var graph = new GraphBuilder();
        var (bag, lengths, weights) = (graph.IndexInput("bag", 3), graph.IndexInput("lengths"), graph.Input("weights", 3));
        Assert.Contains("mode is Mean", Assert.ThrowsAny<ArgumentException>(() => bag.EmbeddingBag(4, 2, weights: weights)).Message, StringComparison.Ordinal);
        Assert.ThrowsAny<ArgumentException>(() => lengths.EmbeddingBag(4, 2));
        Assert.ThrowsAny<ArgumentException>(() => bag.EmbeddingBag(4, 2, BagMode.Sum, weights: graph.Input("two", 2)));
        var network = bag.EmbeddingBag(4, 2, lengths: lengths).Build<float>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        foreach (var (indices, counts, text) in ((int[], int[], string)[])[
            ([0, 1, 2, 0, 4, 0], [3, 2], "row 1 has 4 (number 1 of 2)"), ([0, 1, 2, 0, 0, 0], [3, 4], "row 1 has 4"),
            ([0, 0, 0, 0, 0, 0], [-1, 0], "row 0 has -1")])
        {
            workspace.SetIndexInput("bag", indices);
            workspace.SetIndexInput("lengths", counts);
            Assert.Contains(text, Assert.ThrowsAny<ArgumentException>(() => network.Forward(workspace)).Message, StringComparison.Ordinal);
        }
    }

    private static void Close(double[] expected, ReadOnlySpan<double> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-11);
    }
}
