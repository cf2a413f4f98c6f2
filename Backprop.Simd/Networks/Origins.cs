using Backprop.Simd.Activations;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Networks;

/// <summary>Which layer makes the numbers of an edge, and whether a loss can take them for what it needs.</summary>
internal static class Origins
{
    /// <summary>The node that computes an edge, behind layers that only move, drop or pool elements; null for an input or a parameter.</summary>
    public static NodeInfo? Of(IReadOnlyList<EdgeInfo> edges, IReadOnlyList<NodeInfo> nodes, int edge)
    {
        while (edges[edge].Producer is >= 0 and var n)
        {
            var layer = nodes[n].Layer;
            if (!layer.IsView && layer is not (Slice or Dropout or MaxPooling2D or AveragePooling2D or AdaptiveAveragePooling2D or GlobalAveragePooling2D))
                return nodes[n];
            edge = nodes[n].Inputs[0];
        }

        return null;
    }

    /// <summary>Throws where a loss would take the output of a layer for what it cannot be. Layers that a user wrote, and gates, may give anything.</summary>
    public static void Check(NodeInfo? origin, ReducedLoss loss)
    {
        if (origin is null || loss.Takes == LossInput.Numbers || IsOf(origin.Layer, loss.Takes))
            return;
        var (argument, advice) = loss.Takes == LossInput.Logits
            ? ("logits", "applies softmax or the logistic function itself: leave that layer out")
            : ("logProbabilities", "takes log-probabilities: put LogSoftmax in front, or end in a loss that takes logits");
        throw new ArgumentException(
            $"'{origin.Name}' ({origin.Layer.Kind}) gives no {(loss.Takes == LossInput.Logits ? "logits" : "log-probabilities")}, and {loss.Kind} {advice}. "
            + "To have it all the same, place the loss object with Apply and make its node the loss with Loss.", argument);
    }

    private static bool IsOf(Layer layer, LossInput input)
    {
        if (layer is Softmax || IsProbability(layer))
            return false;
        return input == LossInput.Logits ? layer is not LogSoftmax : !IsOfAnySize(layer);
    }

    private static bool IsProbability(Layer layer) => layer is Activation<Sigmoid> or Activation<HardSigmoid>;

    /// <summary>Whether the outputs have no reason to be logarithms of probabilities.</summary>
    private static bool IsOfAnySize(Layer layer) => layer
        is Affine or Convolution1D or Convolution2D or ConvolutionTranspose2D or Embedding or Lstm or Gru or MultiHeadAttention
        or BatchNormalization or LayerNormalization or RmsNormalization or GroupNormalization or PRelu
        or Activation<Relu> or Activation<LeakyRelu> or Activation<Elu> or Activation<Selu> or Activation<Gelu> or Activation<GeluTanh>
        or Activation<Silu> or Activation<Mish> or Activation<HardSwish> or Activation<Softplus> or Activation<Softsign> or Activation<Tanh>;
}
