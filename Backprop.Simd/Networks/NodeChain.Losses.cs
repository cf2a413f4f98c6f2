using Backprop.Simd.Layers;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Networks;

public static partial class NodeChain
{
    /// <summary>Ends a chain: mean squared error. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken, or both kinds of weights are named.</exception>
    public static Node MeanSquaredError(this Node predictions, string targets = "targets", MeanSquaredError? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(predictions, loss ?? new MeanSquaredError(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: mean absolute error. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken, or both kinds of weights are named.</exception>
    public static Node MeanAbsoluteError(this Node predictions, string targets = "targets", MeanAbsoluteError? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(predictions, loss ?? new MeanAbsoluteError(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: Huber's loss. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken, or both kinds of weights are named.</exception>
    public static Node Huber(this Node predictions, string targets = "targets", Huber? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(predictions, loss ?? new Huber(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: the smooth L1 loss. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken, or both kinds of weights are named.</exception>
    public static Node SmoothL1(this Node predictions, string targets = "targets", SmoothL1? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(predictions, loss ?? new SmoothL1(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: the quantile loss. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken, or both kinds of weights are named.</exception>
    public static Node Quantile(this Node predictions, string targets = "targets", Quantile? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(predictions, loss ?? new Quantile(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: the likelihood of counts. The predictions become the network's output.</summary>
    /// <param name="predictions">Logarithms of rates, or rates.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken, or both kinds of weights are named.</exception>
    public static Node PoissonNegativeLogLikelihood(this Node predictions, string targets = "targets", PoissonNegativeLogLikelihood? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(predictions, loss ?? new PoissonNegativeLogLikelihood(), targets, sampleWeights, positionWeights);

    /// <summary>Ends two chains: the likelihood of normal targets. Means and variances become the network's outputs.</summary>
    /// <param name="means">The means.</param>
    /// <param name="variances">The variances: of the means' shape, or of this shape with a last dimension of 1 or without it.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the means.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, the nodes belong to different graphs, a name is taken, or both kinds of weights
    /// are named.</exception>
    public static Node GaussianNegativeLogLikelihood(this Node means, Node variances, string targets = "targets",
        GaussianNegativeLogLikelihood? loss = null, string? sampleWeights = null, string? positionWeights = null)
    {
        loss ??= new GaussianNegativeLogLikelihood();
        CheckWeights(loss, sampleWeights, positionWeights);
        return End(loss, [means, means.Graph.Input(targets, means.Type.Shape), variances], [means, variances],
            WeightsOf(means, sampleWeights, positionWeights));
    }

    private static Node End(Node prediction, ReducedLoss loss, string target, string? sampleWeights, string? positionWeights = null)
    {
        CheckWeights(loss, sampleWeights, positionWeights);
        var graph = prediction.Graph;
        Origins.Check(graph.OriginOf(prediction), loss);
        var type = loss.TargetOf(prediction.Type.Shape);
        var targets = type.Kind == EdgeKind.Indices ? graph.IndexInput(target, type.Shape) : graph.Input(target, type.Shape);
        return End(loss, [prediction, targets], [prediction], WeightsOf(prediction, sampleWeights, positionWeights));
    }

    /// <summary>Places a loss on its inputs and weights. What it compares becomes output.</summary>
    private static Node End(ReducedLoss loss, ReadOnlySpan<Node> inputs, ReadOnlySpan<Node> outputs, Node? weights)
    {
        var node = weights is { } w ? inputs[0].Apply(loss, [.. inputs[1..], w]) : inputs[0].Apply(loss, inputs[1..]);
        foreach (var output in outputs)
            node.Graph.Output(output);
        if (loss.Reduction == LossReduction.None)
            node.Graph.Output(node);
        else
            node.Graph.Loss(node);
        return node;
    }

    private static void CheckWeights(ReducedLoss loss, string? sampleWeights, string? positionWeights)
    {
        if (sampleWeights is not null && positionWeights is not null)
        {
            throw new ArgumentException(
                $"{loss.Kind} takes weights of rows or of positions, not both; got '{sampleWeights}' and '{positionWeights}'.", nameof(positionWeights));
        }
    }

    /// <summary>The input of weights; null if none is named.</summary>
    private static Node? WeightsOf(Node prediction, string? sampleWeights, string? positionWeights = null)
    {
        var shape = prediction.Type.Shape;
        return sampleWeights is not null ? prediction.Graph.Input(sampleWeights)
            : positionWeights is null ? null
            : prediction.Graph.Input(positionWeights, shape.Rank > 1 ? shape.WithoutLast() : shape);
    }
}
