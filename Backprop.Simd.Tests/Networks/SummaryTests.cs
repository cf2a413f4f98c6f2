using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Networks;

/// <summary>The table of a network, and the shapes in the message about a graph that does not fit together.</summary>
public sealed class SummaryTests
{
    [Fact]
    public void A_table_of_nodes_shapes_parameters_operations_and_bytes()
    {
        var network = GraphBuilder.Chain(new Shape(28, 28, 1)).Convolution2D(30, 5).Relu().MaxPooling2D(2).Flatten().Affine(100).Relu()
            .Affine(10).SoftmaxCrossEntropy().Build<float>();
        var lines = network.Summary().TrimEnd('\n').Split('\n');
        Assert.Equal(["node", "layer", "inputs", "output", "parameters", "FLOPs/row", "bytes/row"],
            lines[0].Split("  ", StringSplitOptions.RemoveEmptyEntries).Select(s => s.Trim()));
        Assert.Equal(2 + network.Definition.InputNames.Count() + network.Definition.ComputedNames.Count() + 2, lines.Length);
        Assert.Equal(["convolution2d1", "convolution2d", "x", "values [24, 24, 30]", "780", "864,000", "69,120"], Cells(lines, "convolution2d1"));
        Assert.Equal(["maxpooling2d1", "maxpooling2d", "relu1", "values [12, 12, 30]", "4,320", "34,560"], Cells(lines, "maxpooling2d1"));
        Assert.Equal(["flatten1", "flatten", "maxpooling2d1", "values [4320]"], Cells(lines, "flatten1"));
        Assert.Equal(["affine1", "affine", "flatten1", "values [100]", "432,100", "864,000", "400"], Cells(lines, "affine1"));
        Assert.Equal(["x", "(input)", "values [28, 28, 1]", "3,136"], Cells(lines, "x"));
        Assert.Equal(network.Definition.Parameters.Count.ToString("N0", System.Globalization.CultureInfo.InvariantCulture), Cells(lines, "total")[1]);
        Assert.All(lines, l => Assert.Equal(l.TrimEnd(), l));
    }

    [Fact]
    public void Doubles_take_twice_the_bytes_and_parameters_of_the_graph_have_lines()
    {
        var graph = new GraphBuilder();
        graph.Output(Node.MatrixProduct(graph.Input("x", 3), graph.Parameter("w", new Shape(3, 5))).Named("y"));
        var lines = graph.Build().CreateNetwork<double>().Summary().Split('\n');
        Assert.Equal(["w", "(parameter)", "shared [3, 5]", "15"], Cells(lines, "w"));
        Assert.Equal(["y", "matrixproduct", "x, w", "values [5]", "30", "40"], Cells(lines, "y"));
    }

    [Fact]
    public void A_layer_that_does_not_fit_is_reported_with_every_node_before_it()
    {
        var node = GraphBuilder.Chain(new Shape(6, 6, 2)).Convolution2D(4, 3).Relu().Named("hidden");
        var e = Assert.Throws<ArgumentException>(() => node.Convolution2D(8, 5));
        Assert.Contains("x: values [6, 6, 2]", e.Message);
        Assert.Contains("convolution2d1: values [4, 4, 4]", e.Message);
        Assert.Contains("hidden: values [4, 4, 4]", e.Message);
        Assert.NotNull(e.ParamName);
        Assert.Equal(1, e.Message.Split("(Parameter").Length - 1);
    }

    private static string[] Cells(string[] lines, string name) =>
        [.. Assert.Single(lines, l => l.StartsWith(name + " ", StringComparison.Ordinal)).Split("  ", StringSplitOptions.RemoveEmptyEntries)
            .Select(s => s.Trim())];
}
