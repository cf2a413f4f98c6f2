using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Networks;

/// <summary>A finished graph tells its nodes.</summary>
public sealed class GraphNodesTests
{
    [Fact]
    public void Nodes_tell_layers_edges_parameters_and_state()
    {
        var graph = new GraphBuilder();
        var encoder = graph.Share(new Affine(3));
        var scale = graph.Parameter("scale", new Shape(3));
        var a = graph.Input("a", 2).Apply(encoder);
        var b = graph.Input("b", Dimension.Free("time", 5), 2).Apply(encoder);
        var parts = graph.ApplyAll(new Lstm(4), b);
        graph.Output(a.BatchNormalization() * scale);
        graph.Output(parts[0]);
        graph.Output(a.ParameterOf("weight"));
        var definition = graph.Build();

        Assert.Equal(["affine1", "affine2", "lstm1", "batchnormalization1", "multiply1", "parameter1"], definition.Nodes.Select(n => n.Name));
        var nodes = definition.Nodes.ToDictionary(n => n.Name);
        Assert.Same(encoder, nodes["affine2"].Layer);
        Assert.Equal(["b"], nodes["affine2"].Inputs);
        Assert.Equal(["affine1.weight", "affine1.bias"], nodes["affine2"].Parameters);
        Assert.Equal(parts.Select(p => p.Name), nodes["lstm1"].Outputs);
        Assert.Equal(["batchnormalization1.runningMean", "batchnormalization1.runningVariance"], nodes["batchnormalization1"].States);
        Assert.Equal(["batchnormalization1", "scale"], nodes["multiply1"].Inputs);
        Assert.Equal(["affine1.weight"], nodes["parameter1"].Parameters);
        Assert.Empty(nodes["parameter1"].States);

        Assert.Equal([Dimension.Free("time", 5), 2], definition.DimensionsOf("b"));
        Assert.Equal([2], definition.DimensionsOf("a"));
        Assert.Contains("a, b", Assert.Throws<ArgumentException>(() => definition.DimensionsOf("affine1")).Message, StringComparison.Ordinal);
        Assert.Equal("batchnormalization1: batchnormalization(affine1)", nodes["batchnormalization1"].ToString());
    }

    [Fact]
    public void Reserved_names_are_not_given_automatically()
    {
        var graph = new GraphBuilder();
        graph.Reserve("relu1", "relu2");
        var x = graph.Input("x", 2).Relu();
        Assert.Equal("relu3", x.Name);
        Assert.Equal("relu1", x.Named("relu1").Name);
        Assert.Equal("relu3", graph.Input("y", 2).Relu().Name);
        Assert.Throws<ArgumentNullException>(() => graph.Reserve("a", null!));
    }
}
