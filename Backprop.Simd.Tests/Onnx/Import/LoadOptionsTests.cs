using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Options that cannot be are refused by name, with what would help.</summary>
public sealed class LoadOptionsTests
{
    public static TheoryData<string, OnnxLoadOptions> WithNull => new()
    {
        { "Sizes", new() { Sizes = null! } },
        { "Sizes", new() { Sizes = new Dictionary<string, int[]> { ["image"] = null! } } },
        { "BatchDimensions", new() { BatchDimensions = null! } },
        { "Inputs", new() { Inputs = null! } },
        { "Outputs", new() { Outputs = [null!] } },
        { "Prefix", new() { Prefix = null! } },
    };

    [Theory]
    [MemberData(nameof(WithNull), DisableDiscoveryEnumeration = true)]
    public void Null_is_refused_by_the_name_of_the_option(string option, OnnxLoadOptions options) => Refuses(options, $"{option} must not hold null.");

    [Fact]
    public void No_output_at_all_is_refused() => Refuses(new() { Outputs = [] }, "Outputs names no output: leave it null for those of the model.");

    [Fact]
    public void A_name_that_nothing_makes_is_answered_with_names_that_are_made()
    {
        var message = Refuses(new() { Outputs = ["features"] }, "The model makes no 'features'; its outputs are: logits. Inside it makes: ");
        var inside = message[(message.LastIndexOf(": ", StringComparison.Ordinal) + 2)..].Split(". (")[0].Split(", ");
        Assert.NotEmpty(inside);
        Assert.All(inside, name => Model().CreateNetwork<float>(new() { Outputs = [name] }));
    }

    [Fact]
    public void A_node_of_no_graph_is_refused() =>
        Refuses(new() { Inputs = new Dictionary<string, Node> { ["image"] = default } }, "'image' needs a node of this graph");

    [Fact]
    public void Sizes_of_more_elements_than_a_row_has_are_refused_by_the_name_of_the_input() =>
        Refuses(new() { Sizes = new Dictionary<string, int[]> { ["image"] = [1, 100_000, 100_000, 3] } }, "'image' cannot be an input");

    [Fact]
    public void A_second_import_is_told_of_prefixes()
    {
        var graph = new GraphBuilder();
        Model().AddTo(graph);
        var exception = Assert.Throws<ArgumentException>("options", () => Model().AddTo(graph));
        Assert.Contains("'image' cannot be an input", exception.Message);
        Assert.Contains("Prefix", exception.Message);
    }

    [Fact]
    public void Two_imports_with_prefixes_are_two_sets_of_layers_with_outputs_of_any_name()
    {
        var graph = new GraphBuilder();
        var first = Model().AddTo(graph, new() { Prefix = "first." });
        var second = Model().AddTo(graph, new() { Prefix = "second." });
        graph.Output(first["logits"].Named("logits"));
        graph.Output(second["logits"].Named("second.logits"));
        var network = graph.Build().CreateNetwork<float>(seed: 2);
        first.CopyTo(network);
        second.CopyTo(network);
        Assert.Equal(["first.image", "second.image"], network.Definition.InputNames);
        Assert.Equal(["logits", "second.logits"], network.Definition.OutputNames);

        var workspace = network.CreateWorkspace(rows: 1, WorkspaceOptions.Inference);
        workspace.Input("first.image").Fill(0.5f);
        workspace.Input("second.image").Fill(0.5f);
        network.Forward(workspace);
        Assert.Equal(workspace.Output("logits"), workspace.Output("second.logits"));
        Assert.NotEqual(0, workspace.Output("logits")[0]);
    }

    [Fact]
    public void A_list_that_changes_later_changes_no_import()
    {
        List<string> outputs = ["logits"];
        var model = Model().AddTo(new GraphBuilder(), new() { Outputs = outputs });
        outputs[0] = "another";
        Assert.Equal(["logits"], model.OutputNames);
    }

    [Fact]
    public void An_empty_file_is_no_model()
    {
        var exception = Assert.Throws<ModelFileException>(() => OnnxFile.Open(new MemoryStream()));
        Assert.Contains("The stream is no model of ONNX", exception.Message);
    }

    private static string Refuses(OnnxLoadOptions options, string message)
    {
        var exception = Assert.Throws<ArgumentException>(nameof(options), () => Model().CreateNetwork<float>(options));
        Assert.Contains(message, exception.Message);
        return exception.Message;
    }

    private static OnnxFile Model()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("image", 8, 8, 3).Convolution2D(4, 3).Relu().Flatten().Affine(5).Named("logits"));
        using var stream = new MemoryStream();
        graph.Build().CreateNetwork<float>(seed: 1).SaveOnnx(stream);
        stream.Position = 0;
        return OnnxFile.Open(stream);
    }
}
