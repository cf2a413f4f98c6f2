using Backprop.Simd.Layers;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Networks;

public static partial class NodeChain
{
    /// <summary>Ends two chains: the cosine of pairs that are alike, or not. Both become the network's outputs.</summary>
    /// <param name="first">The first vectors, [D].</param>
    /// <param name="second">The second vectors, [D].</param>
    /// <param name="targets">The name of the new target input, one number per row: 1 for a pair that is alike, -1 for a pair that is not.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">The nodes are no vectors of one length, they belong to different graphs, or a name is taken.</exception>
    public static Node CosineEmbedding(
        this Node first, Node second, string targets = "targets", CosineEmbedding? loss = null, string? sampleWeights = null) =>
        End(loss ?? new CosineEmbedding(), [first, second, first.Graph.Input(targets)], [first, second], WeightsOf(first, sampleWeights));

    /// <summary>Ends three chains: an anchor is nearer to its positive than to its negative. The three become the network's outputs.</summary>
    /// <param name="anchor">The anchors, [D].</param>
    /// <param name="positive">Vectors that belong to the anchors, [D].</param>
    /// <param name="negative">Vectors that do not, [D].</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">The nodes are no vectors of one length, they belong to different graphs, or the name is taken.</exception>
    public static Node TripletMargin(this Node anchor, Node positive, Node negative, TripletMargin? loss = null, string? sampleWeights = null) =>
        End(loss ?? new TripletMargin(), [anchor, positive, negative], [anchor, positive, negative], WeightsOf(anchor, sampleWeights));

    /// <summary>Ends two chains: each row of one is told from the other rows of the batch by its row of the other. Both become the network's
    /// outputs.</summary>
    /// <param name="first">The vectors that are told from each other, [D].</param>
    /// <param name="second">The vectors that belong to them, [D].</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">The nodes are no vectors of one length, they belong to different graphs, or the name is taken.</exception>
    public static Node InfoNce(this Node first, Node second, InfoNce? loss = null, string? sampleWeights = null) =>
        End(loss ?? new InfoNce(), [first, second], [first, second], WeightsOf(first, sampleWeights));
}
