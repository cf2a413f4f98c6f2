using Backprop.Simd.Activations;
using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Networks;

/// <summary>Which layer computes the numbers of an edge, and whether they are what a loss needs.</summary>
internal static class Origins
{
    /// <summary>The node that computes the numbers of an edge, before layers that only move, drop or pool them; null for an input or a parameter.</summary>
    public static NodeInfo? Of(IReadOnlyList<EdgeInfo> edges, IReadOnlyList<NodeInfo> nodes, int edge)
    {
        while (edges[edge].Producer is >= 0 and var n)
        {
            if (nodes[n].Declaration.Meaning != OutputMeaning.SameAsInput)
                return nodes[n];
            edge = nodes[n].Inputs[0];
        }

        return null;
    }

    /// <summary>Throws if a layer cannot give what a loss needs.</summary>
    public static void Check(NodeInfo? origin, ReducedLoss loss)
    {
        if (origin is null || CanBe(origin.Declaration.Meaning, loss.Takes))
            return;
        var (argument, needed, advice) = loss.Takes == LossInput.Logits
            ? ("logits", "logits", "applies softmax or the logistic function itself. Leave that layer out")
            : ("logProbabilities", "log-probabilities", "takes log-probabilities. Put LogSoftmax before it, or use a loss that takes logits");
        throw new ArgumentException(
            $"'{origin.Name}' ({origin.Layer.Kind}) does not give {needed}, and {loss.Kind} {advice}. "
            + "To use this loss all the same, place it with Apply and pass its node to Loss.", argument);
    }

    private static bool CanBe(OutputMeaning meaning, LossInput needed) => needed switch
    {
        LossInput.Logits => meaning is OutputMeaning.Anything or OutputMeaning.Numbers,
        LossInput.LogProbabilities => meaning is OutputMeaning.Anything or OutputMeaning.LogProbabilities,
        _ => true,
    };
}
