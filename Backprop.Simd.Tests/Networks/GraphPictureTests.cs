using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

public sealed class GraphPictureTests
{
    [Fact]
    public void Values_are_green_and_gradients_red()
    {
        var workspace = Run(Retain.All);
        var dot = GraphPicture.Dot(workspace);
        Assert.StartsWith("digraph network {", dot, StringComparison.Ordinal);
        Assert.EndsWith("}\n", dot, StringComparison.Ordinal);
        Assert.Contains("node0 -> node1 [label=<<font color=\"#00a000\">3</font><br/><font color=\"#d00000\">-4</font>>];", dot, StringComparison.Ordinal);
        Assert.Contains("edge2 -> node1 [label=<<font color=\"#00a000\">-4</font><br/><font color=\"#d00000\">3</font>>];", dot, StringComparison.Ordinal);
        Assert.Contains("node1 -> end4 [label=<<font color=\"#00a000\">-12</font><br/><font color=\"#d00000\">1</font>>];", dot, StringComparison.Ordinal);
        var mermaid = GraphPicture.Mermaid(workspace);
        Assert.StartsWith("flowchart LR", mermaid, StringComparison.Ordinal);
        Assert.Contains("node0 -->|\"<span style='color:#00a000'>3</span><br/><span style='color:#d00000'>-4</span>\"| node1", mermaid,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_retained_is_left_out()
    {
        var dot = GraphPicture.Dot(Run(Retain.None));
        Assert.Contains("node0 -> node1;", dot, StringComparison.Ordinal);
        Assert.Contains("-12", dot, StringComparison.Ordinal);
    }

    [Fact]
    public void A_graph_without_numbers_shows_its_layers()
    {
        var graph = GraphBuilder.Chain(784).Affine(50).Sigmoid().Affine(10).SoftmaxCrossEntropy().Graph.Build();
        var dot = GraphPicture.Dot(graph);
        Assert.Contains("[label=\"affine\", shape=box, style=rounded]", dot, StringComparison.Ordinal);
        Assert.Contains("edge0 [label=\"x\", shape=plaintext]", dot, StringComparison.Ordinal);
        Assert.DoesNotContain("font color", dot, StringComparison.Ordinal);
        Assert.Equal(dot.Count(c => c == '{'), dot.Count(c => c == '}'));
        Assert.Contains("(\"affine\")", GraphPicture.Mermaid(graph), StringComparison.Ordinal);
    }

    [Fact]
    public void Long_rows_are_drawn_as_their_size_and_labels_are_left_out()
    {
        var network = GraphBuilder.Chain(6).Affine(5).SoftmaxCrossEntropy().Build<float>();
        var workspace = network.CreateWorkspace(2, compute: ComputeContext.SingleThreaded);
        Assert.DoesNotContain("[5]", GraphPicture.Dot(workspace), StringComparison.Ordinal); // No forward yet.
        network.Forward(workspace);
        Assert.Contains("[5]", GraphPicture.Dot(workspace), StringComparison.Ordinal);
        Assert.Contains("[6]", GraphPicture.Dot(workspace), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_are_escaped()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("a \"quoted\" \\ name").Apply(new Scale(2)));
        var definition = graph.Build();
        Assert.Contains("[label=\"a \\\"quoted\\\" \\\\ name\"", GraphPicture.Dot(definition), StringComparison.Ordinal);
        Assert.Contains("a #quot;quoted#quot;", GraphPicture.Mermaid(definition), StringComparison.Ordinal);
    }

    private static Workspace<double> Run(Retain retain)
    {
        var graph = new GraphBuilder();
        var (x, y, z) = (graph.Input("x"), graph.Input("y"), graph.Input("z"));
        graph.Output((x + y) * z);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, Retain = retain }, ComputeContext.SingleThreaded);
        workspace.SetInput("x", [-2]);
        workspace.SetInput("y", [5]);
        workspace.SetInput("z", [-4]);
        network.Forward(workspace);
        network.Backward(workspace);
        return workspace;
    }
}
