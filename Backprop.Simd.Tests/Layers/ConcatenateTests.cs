using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Shapes, order and errors of concatenation.</summary>
public sealed class ConcatenateTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Outputs_hold_the_inputs_side_by_side(int axis)
    {
        int[][] shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]];
        var at = axis < 0 ? axis + 3 : axis;
        shapes[1][at] = 1;
        shapes[2][at] = 5;
        var graph = new GraphBuilder();
        var nodes = shapes.Select((s, i) => graph.Input($"x{i}", s)).ToArray();
        var y = nodes[0].Concatenate(axis, nodes[1], nodes[2]);
        int[] expected = [2, 3, 4];
        expected[at] += 6;
        Assert.Equal(new Shape(expected), y.Type.Shape);
        var network = y.Build<double>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);

        // A cell's value says where it comes from.
        for (var i = 0; i < 3; i++)
        {
            var x = workspace.Input($"x{i}");
            for (var e = 0; e < x.Length; e++)
                x[e] = 1000 * i + e;
        }

        network.Forward(workspace);
        var output = workspace.Output();
        for (var e = 0; e < output.Length; e++)
        {
            int[] place = [e / (expected[0] * expected[1] * expected[2]), e / (expected[1] * expected[2]) % expected[0],
                e / expected[2] % expected[1], e % expected[2]];
            var input = 0;
            for (; place[at + 1] >= shapes[input][at]; input++)
                place[at + 1] -= shapes[input][at];
            var s = shapes[input];
            Assert.Equal(1000 * input + ((place[0] * s[0] + place[1]) * s[1] + place[2]) * s[2] + place[3], output[e]);
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads() => Threads.AssertSameBits<float>(context =>
    {
        float[] x = [.. Enumerable.Range(0, 9 * 7).Select(i => 1f / i)], y = new float[9 * 20];
        y.AsSpan().Fill(0.1f);
        Strips.Copy<float>(x, 7, 0, new(y, adds: true), 20, 4, 7, context ?? Backprop.Simd.Threading.ComputeContext.SingleThreaded);
        return y;
    });

    [Fact]
    public void Inputs_that_do_not_agree_are_refused_with_their_types()
    {
        var graph = new GraphBuilder();
        Node a = graph.Input("a", 2, 3), b = graph.Input("b", 4, 3), c = graph.Input("c", 3), s = graph.SharedInput("s", 2, 3), scalar = graph.Input("n");
        var message = Assert.ThrowsAny<ArgumentException>(() => a.Concatenate(b)).Message;
        Assert.Contains("values [2, 3]", message);
        Assert.Contains("values [4, 3]", message);
        Assert.Contains("dimension -1", message);
        Assert.Equal(new Shape(6, 3), a.Concatenate(0, b).Type.Shape);
        Assert.ThrowsAny<ArgumentException>(() => a.Concatenate(c));
        Assert.Contains("shared [2, 3]", Assert.ThrowsAny<ArgumentException>(() => a.Concatenate(s)).Message);
        Assert.Contains("dimension 2", Assert.ThrowsAny<ArgumentException>(() => a.Concatenate(2, b)).Message);
        Assert.ThrowsAny<ArgumentException>(() => a.Concatenate(-3, b));
        Assert.ThrowsAny<ArgumentException>(() => scalar.Concatenate(scalar));
        Assert.Contains("indices", Assert.ThrowsAny<ArgumentException>(() => a.Concatenate(graph.IndexInput("i", 2, 3))).Message);
    }
}
