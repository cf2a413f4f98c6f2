using System.Globalization;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Notebook;

/// <summary>Pictures of graphs: forward values in green, gradients in red, as the notebook draws them.</summary>
public sealed class GraphPictureTests
{
    [Fact]
    public void Dot_of_sum_times_z()
    {
        const string Expected = """
            digraph network {
              rankdir=LR; ordering=in; nodesep=0.35; ranksep=0.7;
              node [shape=circle, fontname="Helvetica", fontsize=12, margin=0.03];
              edge [fontname="Helvetica", fontsize=10, arrowsize=0.6];
              edge0 [label="x", shape=plaintext];
              edge1 [label="y", shape=plaintext];
              edge2 [label="z", shape=plaintext];
              node0 [label="+"];
              node1 [label="*"];
              end4 [label="f", shape=plaintext];
              edge0 -> node0 [label=<<font color="#00a000">-2</font><br/><font color="#d00000">-4</font>>];
              edge1 -> node0 [label=<<font color="#00a000">5</font><br/><font color="#d00000">-4</font>>];
              node0 -> node1 [label=<<font color="#00a000">3</font><br/><font color="#d00000">-4</font>>];
              edge2 -> node1 [label=<<font color="#00a000">-4</font><br/><font color="#d00000">3</font>>];
              node1 -> end4 [label=<<font color="#00a000">-12</font><br/><font color="#d00000">1</font>>];
            }
            """;

        AssertText(Expected, GraphPicture.Dot(NotebookGraphs.AddMultiply()));
    }

    [Fact]
    public void Mermaid_of_sum_times_z()
    {
        const string Expected = """
            flowchart LR
              edge0["x"]
              edge1["y"]
              edge2["z"]
              node0(("+"))
              node1(("#42;"))
              end4["f"]
              edge0 -->|"<span style='color:#00a000'>-2</span><br/><span style='color:#d00000'>-4</span>"| node0
              edge1 -->|"<span style='color:#00a000'>5</span><br/><span style='color:#d00000'>-4</span>"| node0
              node0 -->|"<span style='color:#00a000'>3</span><br/><span style='color:#d00000'>-4</span>"| node1
              edge2 -->|"<span style='color:#00a000'>-4</span><br/><span style='color:#d00000'>3</span>"| node1
              node1 -->|"<span style='color:#00a000'>-12</span><br/><span style='color:#d00000'>1</span>"| end4
            """;

        AssertText(Expected, GraphPicture.Mermaid(NotebookGraphs.AddMultiply()));
    }

    [Fact]
    public void A_picture_of_the_definition_alone_has_no_numbers()
    {
        var definition = NotebookGraphs.AddMultiply().Network.Definition;

        Assert.DoesNotContain("font color", GraphPicture.Dot(definition), StringComparison.Ordinal);
        Assert.DoesNotContain("color:", GraphPicture.Mermaid(definition), StringComparison.Ordinal);
        Assert.Contains("edge0 -> node0", GraphPicture.Dot(definition), StringComparison.Ordinal);
        Assert.Contains("edge0 --> node0", GraphPicture.Mermaid(definition), StringComparison.Ordinal);
    }

    [Fact]
    public void The_sigmoid_neuron_shows_every_value_green_and_every_gradient_red()
    {
        var workspace = NotebookGraphs.SigmoidOfGates();
        var (dot, mermaid) = (GraphPicture.Dot(workspace), GraphPicture.Mermaid(workspace));

        foreach (var name in (string[])["w0", "x0", "w1", "x1", "w2", "p", "q", "r", "s", "t", "u", "v", "L"])
        {
            var value = workspace.ValueOf(name)[0].ToString("0.###", CultureInfo.InvariantCulture);
            var gradient = workspace.GradientOf(name)[0].ToString("0.###", CultureInfo.InvariantCulture);
            Assert.Contains($"<font color=\"#00a000\">{value}</font><br/><font color=\"#d00000\">{gradient}</font>", dot, StringComparison.Ordinal);
            Assert.Contains($"<span style='color:#00a000'>{value}</span><br/><span style='color:#d00000'>{gradient}</span>", mermaid, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Before_backward_there_are_values_only()
    {
        var workspace = NotebookGraphs.AddMultiply();
        workspace.Network.Forward(workspace);

        Assert.Contains("#00a000", GraphPicture.Dot(workspace), StringComparison.Ordinal);
        Assert.DoesNotContain("#d00000", GraphPicture.Dot(workspace), StringComparison.Ordinal);
    }

    [Fact]
    public void Vectors_and_matrices_are_written_out_while_they_are_small()
    {
        var dot = GraphPicture.Dot(NotebookGraphs.SquaredNormOfProduct());

        Assert.Contains(">0.1, 0.5, -0.3, 0.8<", dot, StringComparison.Ordinal);
        Assert.Contains(">0.088, 0.176, 0.104, 0.208<", dot, StringComparison.Ordinal);
        Assert.Contains(">-0.112, 0.636<", dot, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_shows_its_first_row_and_large_values_their_size()
    {
        var network = GraphBuilder.Chain(5).Affine(2).Build<double>();
        var workspace = network.CreateWorkspace(3);
        workspace.Input().Clear();
        network.ParameterOf("affine1.bias")[0] = 7;
        network.Forward(workspace);

        var dot = GraphPicture.Dot(workspace);

        Assert.Contains(">[5]<", dot, StringComparison.Ordinal);
        Assert.Contains(">7, 0<", dot, StringComparison.Ordinal);
    }

    private static void AssertText(string expected, string actual) =>
        Assert.Equal(expected.ReplaceLineEndings("\n").TrimEnd(), actual.ReplaceLineEndings("\n").TrimEnd());
}
