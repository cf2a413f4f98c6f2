using Backprop.Simd.Activations;
using Backprop.Simd.Execution;
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
            if (nodes[n].Declaration.Meaning != OutputMeaning.SameAsInput)
                return nodes[n];
            edge = nodes[n].Inputs[0];
        }

        return null;
    }

    /// <summary>Throws where a loss would take the output of a layer for what it cannot be.</summary>
    public static void Check(NodeInfo? origin, ReducedLoss loss)
    {
        if (origin is null || CanBe(origin.Declaration.Meaning, loss.Takes))
            return;
        var (argument, needed, advice) = loss.Takes == LossInput.Logits
            ? ("logits", "logits", "applies softmax or the logistic function itself: leave that layer out")
            : ("logProbabilities", "log-probabilities", "takes log-probabilities: put LogSoftmax in front, or end in a loss that takes logits");
        throw new ArgumentException(
            $"'{origin.Name}' ({origin.Layer.Kind}) gives no {needed}, and {loss.Kind} {advice}. "
            + "To have it all the same, place the loss object with Apply and make its node the loss with Loss.", argument);
    }

    private static bool CanBe(OutputMeaning meaning, LossInput needed) => needed switch
    {
        LossInput.Logits => meaning is OutputMeaning.Anything or OutputMeaning.Numbers,
        LossInput.LogProbabilities => meaning is OutputMeaning.Anything or OutputMeaning.LogProbabilities,
        _ => true,
    };
}
