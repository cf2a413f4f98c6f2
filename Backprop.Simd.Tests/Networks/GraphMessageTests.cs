using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>What is said about graphs and inputs that do not fit: what was expected, in the words of the caller.</summary>
public sealed class GraphMessageTests
{
    [Theory]
    [InlineData("convolution", "an image [H, W, C]")]
    [InlineData("transposed", "an image [H, W, C]")]
    [InlineData("pooling", "an image [H, W, C]")]
    [InlineData("convolution1d", "a sequence [T, D]")]
    [InlineData("lstm", "a sequence [T, D]")]
    [InlineData("attention", "a sequence [T, D]")]
    public void A_wrong_rank_names_the_layout(string layer, string layout)
    {
        var x = GraphBuilder.Chain(64);
        var error = Assert.Throws<ArgumentException>(() => layer switch
        {
            "convolution" => x.Convolution2D(8, 3),
            "transposed" => x.ConvolutionTranspose2D(8, 3),
            "pooling" => x.MaxPooling2D(2),
            "convolution1d" => x.Convolution1D(8, 3),
            "lstm" => x.Lstm(8),
            _ => x.SelfAttention(4),
        });
        Assert.Contains(layout, error.Message, StringComparison.Ordinal);
        Assert.Contains("it is values [64]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_names_its_parameter_once_and_as_the_caller_knows_it()
    {
        var graph = new GraphBuilder();
        var image = graph.Input("image", 8, 8, 3);
        var sequence = graph.Input("sequence", 5, 10);
        Action[] misfits =
        [
            () => image.MaxPooling2D(9),
            () => image.AveragePooling2D(9),
            () => image.Slice(0, 6, 4),
            () => image.Reshape(7),
            () => { _ = image + graph.Input("other", 4); },
            () => sequence.SelfAttention(3),
            () => image.SoftmaxCrossEntropy(loss: new SoftmaxCrossEntropy(classWeights: [1, 2])),
            () => Node.MatrixProduct(image, sequence),
        ];
        foreach (var misfit in misfits)
        {
            var error = Assert.Throws<ArgumentException>(misfit);
            Assert.Equal("inputs", error.ParamName);
            Assert.Equal(1, error.Message.Split("(Parameter").Length - 1);
        }
    }

    [Fact]
    public void Lengths_that_are_numbers_are_told_from_initial_states()
    {
        var graph = new GraphBuilder();
        var error = Assert.Throws<ArgumentException>(() => graph.Input("x", 5, 2).Lstm(8, graph.Input("lengths")));
        Assert.Contains("optionally lengths (indices)", error.Message, StringComparison.Ordinal);
        Assert.Contains("it got 2 input(s): values [5, 2], values []", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_input_names_the_inputs_alone()
    {
        var workspace = GraphBuilder.Chain(5).Affine(3).MeanSquaredError().Build<float>().CreateWorkspace(1);
        var error = Assert.Throws<ArgumentException>(() => workspace.Input("features"));
        Assert.StartsWith("'features' is not an input of numbers; the inputs are: x (values [5]), targets (values [3]).", error.Message,
            StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>(() => workspace.IndexInput());
        Assert.StartsWith("The network has no input of indices; the inputs are: x", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_without_a_loss_says_how_to_get_one()
    {
        var network = GraphBuilder.Chain(5).MeanSquaredError(loss: new MeanSquaredError(LossReduction.None)).Build<float>();
        var workspace = network.CreateWorkspace(1);
        var sgd = new Sgd<float>(network.Parameters.Length, 0.1);
        var error = Assert.Throws<InvalidOperationException>(() => network.Step(workspace, sgd));
        Assert.Contains("reduction None", error.Message, StringComparison.Ordinal);
    }
}
