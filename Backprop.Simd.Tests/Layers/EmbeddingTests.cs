using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Values and gradients of embeddings, and steps of the rows that occur alone.</summary>
public sealed class EmbeddingTests
{
    private const int Count = 40, Length = 6, Rows = 9;

    public static TheoryData<string, int> Cases
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var optimizer in (string[])["sgd", "decay", "momentum", "adam"])
            {
                foreach (var size in (int[])[1, 3, 4, 17, 50])
                    data.Add(optimizer, size);
            }

            return data;
        }
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(5, 3)]
    [InlineData(33, 0)]
    public void Values_and_gradients_follow_the_definition(int size, int? padding)
    {
        var random = new TestRandom(1);
        int[] indices = [.. Enumerable.Range(0, Rows * Length).Select(_ => random.Integer(0, 7))];
        var network = new GraphBuilder().IndexInput("i", Length).Embedding(8, size, paddingIndex: padding).Build<double>(seed: 2);
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { OutputGradients = true });
        workspace.SetIndexInput("i", indices);
        foreach (ref var g in workspace.OutputGradient())
            g = random.Integer(-8, 8);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal(EmbeddingReference.Forward(network.Parameters[..(8 * size)].ToArray(), indices, size), workspace.Output().ToArray());
        var expected = EmbeddingReference.Gradient(workspace.OutputGradient().ToArray(), indices, 8, size, padding);
        Assert.Equal(expected, workspace.ParameterGradientOf("embedding1.weight").ToArray());
        network.Backward(workspace, accumulate: true);
        Assert.Equal(expected.Select(v => 2 * v), workspace.ParameterGradientOf("embedding1.weight").ToArray());
    }

    [Fact]
    public void Rows_start_normal_and_the_padding_row_at_zero()
    {
        var network = new GraphBuilder().IndexInput("i").Embedding(100, 50, paddingIndex: 7).Build<double>();
        var weight = network.ParameterOf("embedding1.weight").ToArray();
        Assert.All(weight[350..400], v => Assert.Equal(0, v));
        var rest = weight.Where(v => v != 0).ToArray();
        Assert.Equal(4950, rest.Length);
        Assert.Equal(0, rest.Average(), 0.05);
        Assert.Equal(1, rest.Average(v => v * v), 0.08);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_of_the_rows_that_occur_has_the_bits_of_a_step_of_all_float(string optimizer, int size) => CheckSteps<float>(optimizer, size);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_of_the_rows_that_occur_has_the_bits_of_a_step_of_all_double(string optimizer, int size) => CheckSteps<double>(optimizer, size);

    private static void CheckSteps<T>(string optimizer, int size) where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var isPadded in (bool[])[false, true])
        {
            Network<T> dense = Build<T>(size, isPadded), sparse = Build<T>(size, isPadded);
            Train(dense, keep: true, optimizer, ComputeContext.SingleThreaded);
            Train(sparse, keep: false, optimizer, ComputeContext.SingleThreaded);
            Bits.AssertEqual<T>(dense.Parameters, sparse.Parameters, $"{optimizer}, size {size}");
            foreach (var threads in TestThreads.Counts)
            {
                using var team = TestThreads.Create(threads);
                Network<T> first = Build<T>(size, isPadded), second = Build<T>(size, isPadded);
                Train(first, keep: false, optimizer, team);
                Train(second, keep: true, optimizer, team);
                Bits.AssertEqual<T>(dense.Parameters, first.Parameters, $"{optimizer}, size {size}, {threads} threads");
                Bits.AssertEqual<T>(dense.Parameters, second.Parameters, $"{optimizer}, size {size}, {threads} threads, dense");
            }
        }
    }

    /// <summary>Rows that occur often are summed in blocks; buckets are shared by rows 2048 apart.</summary>
    [Theory]
    [InlineData(1, "sgd"), InlineData(17, "sgd"), InlineData(5, "adam")]
    public void A_step_of_rows_that_occur_often_has_the_bits_of_a_step_of_all(int size, string optimizer)
    {
        const int often = 3000;
        var random = new TestRandom(5);
        int[] indices = [.. Enumerable.Range(0, often).Select(n => n % 3 == 0 ? 7 : n % 7 == 0 ? 2055 : n % 100 == 1 ? 4103 : random.Integer(0, 5000))];
        var expected = Trained(keep: true, ComputeContext.SingleThreaded);
        foreach (var threads in TestThreads.Counts)
        {
            using var team = TestThreads.Create(threads);
            Bits.AssertEqual<float>(expected, Trained(keep: true, team), $"{threads} threads, dense");
            Bits.AssertEqual<float>(expected, Trained(keep: false, team), $"{threads} threads");
        }

        float[] Trained(bool keep, ComputeContext compute)
        {
            var graph = new GraphBuilder();
            graph.IndexInput("i").Embedding(5001, size, paddingIndex: 4103).Tanh().Affine(7).SoftmaxCrossEntropy();
            var network = graph.Build().CreateNetwork<float>(seed: 7);
            var workspace = network.CreateWorkspace(often, new WorkspaceOptions { KeepGradients = keep }, compute);
            Optimizer<float> trainer = optimizer == "sgd"
                ? new Sgd<float>(network.Parameters.Length, learningRate: 0.1)
                : new Adam<float>(network.Parameters.Length, learningRate: 0.01);
            for (var step = 0; step < 2; step++)
            {
                workspace.SetIndexInput("i", indices);
                network.Step(workspace, trainer);
            }

            return network.Parameters.ToArray();
        }
    }

    [Fact]
    public void A_step_does_not_write_rows_that_do_not_occur()
    {
        // Arithmetic makes a quiet NaN of a signaling one: whoever writes the row shows.
        foreach (var keep in (bool[])[false, true])
        {
            var network = Build<float>(16, isPadded: false);
            var bits = MemoryMarshal.Cast<float, int>(network.ParameterOf("embedding1.weight"))[(39 * 16)..];
            bits.Fill(0x7F800001);
            Train(network, keep, "sgd", ComputeContext.SingleThreaded);
            Assert.All(bits.ToArray(), b => Assert.Equal(keep ? 0x7FC00001 : 0x7F800001, b));
        }
    }

    [Fact]
    public void A_frozen_table_stays()
    {
        var network = Build<float>(8, isPadded: false);
        network.Freeze("embedding1.weight");
        var before = network.ParameterOf("embedding1.weight").ToArray();
        Train(network, keep: false, "sgd", ComputeContext.SingleThreaded);
        Assert.Equal(before, network.ParameterOf("embedding1.weight").ToArray());
    }

    [Fact]
    public void An_index_outside_the_table_throws_and_names_row_and_value()
    {
        var network = new GraphBuilder().IndexInput("i", 3).Embedding(5, 2).Build<float>();
        var workspace = network.CreateWorkspace(8, WorkspaceOptions.Inference);
        foreach (var wrong in (int[])[5, -1, int.MaxValue, int.MinValue])
        {
            foreach (var at in (int[])[0, 4, 23])
            {
                var indices = new int[24];
                Array.Fill(indices, 4);
                indices[at] = wrong;
                workspace.SetIndexInput("i", indices);
                var message = Assert.ThrowsAny<ArgumentException>(() => network.Forward(workspace)).Message;
                Assert.Contains($"row {at / 3} has {wrong} ", message);
                Assert.Contains("[0, 5)", message);
            }
        }
    }

    [Fact]
    public void Wrong_options_and_inputs_are_refused()
    {
        Assert.Equal("count", Assert.ThrowsAny<ArgumentException>(() => new Embedding(0, 2)).ParamName);
        Assert.Equal("size", Assert.ThrowsAny<ArgumentException>(() => new Embedding(2, 0)).ParamName);
        Assert.Equal("size", Assert.ThrowsAny<ArgumentException>(() => new Embedding(1 << 20, 1 << 12)).ParamName);
        Assert.Equal("paddingIndex", Assert.ThrowsAny<ArgumentException>(() => new Embedding(2, 2, paddingIndex: 2)).ParamName);
        var graph = new GraphBuilder();
        Assert.Contains("values [3]", Assert.ThrowsAny<ArgumentException>(() => graph.Input("x", 3).Embedding(5, 2)).Message);
        var message = Assert.ThrowsAny<ArgumentException>(() => graph.IndexInput("i", 2, 3).Embedding(5, 2)).Message;
        Assert.Contains("[5, 2]", message);
        Assert.Contains("indices [2, 3]", message);
        Assert.Equal(new Shape(2), graph.IndexInput("j").Embedding(5, 2).Type.Shape);
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads() => Threads.AssertSameBits<float>(context =>
    {
        var compute = context ?? ComputeContext.SingleThreaded;
        var random = new TestRandom(3);
        int[] indices = [.. Enumerable.Range(0, 50).Select(_ => random.Integer(0, 9))];
        float[] dy = new float[50 * 150], gradient = new float[10 * 150], y = new float[dy.Length];
        foreach (ref var value in dy.AsSpan())
            value = random.Signed<float>();
        Embeddings.Scatter<float>(dy, indices, 150, 4, gradient, new ulong[50], compute);
        Embeddings.Gather<float>(gradient, indices, 150, y, compute);
        return [.. gradient, .. y];
    });

    private static Network<T> Build<T>(int size, bool isPadded) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = new GraphBuilder();
        graph.IndexInput("i", Length).Embedding(Count, size, paddingIndex: isPadded ? 2 : null).Tanh().Affine(7).SoftmaxCrossEntropy();
        return graph.Build().CreateNetwork<T>(seed: 7);
    }

    private static void Train<T>(Network<T> network, bool keep, string name, ComputeContext compute) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var n = network.Parameters.Length;
        Optimizer<T> optimizer = name switch
        {
            "sgd" => new Sgd<T>(n, learningRate: 0.1),
            "decay" => new Sgd<T>(n, learningRate: 0.1, weightDecay: 0.01),
            "momentum" => new Sgd<T>(n, learningRate: 0.1, momentum: 0.9),
            _ => new Adam<T>(n, learningRate: 0.01),
        };
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { KeepGradients = keep }, compute);
        var random = new TestRandom(11);
        for (var step = 0; step < 4; step++)
        {
            // A few rows often, none above 20; the last batch is short.
            workspace.Rows = step == 3 ? 2 : Rows;
            foreach (ref var index in workspace.IndexInput("i"))
                index = random.Integer(0, step + 1) * 4 + 2;
            foreach (ref var label in workspace.IndexInput("labels"))
                label = random.Integer(0, 6);
            network.Step(workspace, optimizer);
        }
    }
}
