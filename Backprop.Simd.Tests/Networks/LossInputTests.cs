using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Networks;

/// <summary>A chain does not end in a loss that would take its numbers for something else.</summary>
public sealed class LossInputTests
{
    private static readonly Dictionary<string, Func<Node, Node>> Ends = new()
    {
        ["softmaxcrossentropy"] = x => x.SoftmaxCrossEntropy(),
        ["binarycrossentropy"] = x => x.BinaryCrossEntropy("labels"),
        ["focal"] = x => x.Focal("labels"),
        ["dice"] = x => x.Dice("labels"),
        ["negativeloglikelihood"] = x => x.NegativeLogLikelihood(),
        ["kullbackleibler"] = x => x.KullbackLeibler("labels"),
    };

    private static readonly Dictionary<string, Func<Node, Node>> Layers = new()
    {
        ["softmax"] = x => x.Softmax(),
        ["logsoftmax"] = x => x.LogSoftmax(),
        ["sigmoid"] = x => x.Sigmoid(),
        ["hardsigmoid"] = x => x.HardSigmoid(),
        ["affine"] = x => x.Affine(4),
        ["relu"] = x => x.Relu(),
        ["tanh"] = x => x.Tanh(),
        ["layernormalization"] = x => x.LayerNormalization(),
    };

    private static readonly Func<Node, Node>[] Between =
        [x => x, x => x.Dropout(0.1), x => x.Reshape(2, 2), x => x.Reshape(4, 1).Flatten(), x => x.Slice(0, 1, 2)];

    private static bool IsRefused(string layer, string loss) => loss is "softmaxcrossentropy" or "binarycrossentropy" or "focal" or "dice"
        ? layer is "softmax" or "logsoftmax" or "sigmoid" or "hardsigmoid"
        : layer is not "logsoftmax";

    [Fact]
    public void Layers_and_losses_that_do_not_go_together_are_refused()
    {
        foreach (var (kind, layer) in Layers)
        {
            foreach (var (loss, end) in Ends)
            {
                foreach (var between in Between)
                {
                    var node = between(layer(GraphBuilder.Chain(4)));
                    if (!IsRefused(kind, loss))
                    {
                        end(node).Build<double>();
                        continue;
                    }

                    var argument = loss is "softmaxcrossentropy" or "binarycrossentropy" or "focal" or "dice" ? "logits" : "logProbabilities";
                    var error = Assert.Throws<ArgumentException>(argument, () => { end(node); });
                    Assert.Contains($"({kind})", error.Message, StringComparison.Ordinal);
                    Assert.Contains(loss, error.Message, StringComparison.Ordinal);
                    Assert.Contains("Apply", error.Message, StringComparison.Ordinal);

                    // Nothing was placed: the name is free, and Apply allows it.
                    var graph = node.Graph;
                    var labels = loss switch
                    {
                        "softmaxcrossentropy" or "negativeloglikelihood" =>
                        graph.IndexInput("labels", new NegativeLogLikelihood().TargetOf(node.Type.Shape).Shape),
                        _ => graph.Input("labels", node.Type.Shape),
                    };
                    graph.Loss(node.Apply(Loss(loss), labels));
                    graph.Build();
                }
            }
        }
    }

    [Fact]
    public void What_is_not_known_and_other_losses_are_allowed()
    {
        foreach (var end in Ends.Values)
        {
            end(GraphBuilder.Chain(4)).Build<double>();
            end(GraphBuilder.Chain(4).Apply(new CachedSquare())).Build<double>();
        }

        (-GraphBuilder.Chain(4).Softplus()).NegativeLogLikelihood().Build<double>();
        (GraphBuilder.Chain(4).LogSoftmax() * 0.5).KullbackLeibler().Build<double>();
        GraphBuilder.Chain(4).Sigmoid().MeanSquaredError().Build<double>();
        GraphBuilder.Chain(4).Sigmoid().Dice(loss: new Dice(logits: false)).Build<double>();
        GraphBuilder.Chain(4).Softmax().Affine(3).SoftmaxCrossEntropy().Build<double>();
    }

    private static ReducedLoss Loss(string kind) => kind switch
    {
        "softmaxcrossentropy" => new SoftmaxCrossEntropy(),
        "binarycrossentropy" => new BinaryCrossEntropy(),
        "focal" => new Focal(),
        "dice" => new Dice(),
        "negativeloglikelihood" => new NegativeLogLikelihood(),
        _ => new KullbackLeibler(),
    };
}
