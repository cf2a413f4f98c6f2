using Backprop.Simd.Losses;

namespace Backprop.Simd.Networks;

public static partial class NodeChain
{
    /// <summary>Ends a chain: softmax cross-entropy against class labels. The logits become the network's output.</summary>
    /// <param name="logits">The logits, [..., K].</param>
    /// <param name="labels">The name of the label input, made here: a label for each position.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node SoftmaxCrossEntropy(this Node logits, string labels = "labels", SoftmaxCrossEntropy? loss = null, string? sampleWeights = null) =>
        End(logits, loss ?? new SoftmaxCrossEntropy(), logits.Graph.IndexInput(labels, LabelLoss.WithoutClasses(logits.Type.Shape)), sampleWeights);

    /// <summary>Ends a chain: negative log-likelihood of class labels. The log-probabilities become the network's output.</summary>
    /// <param name="logProbabilities">The log-probabilities, [..., K].</param>
    /// <param name="labels">The name of the label input, made here: a label for each position.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node NegativeLogLikelihood(this Node logProbabilities, string labels = "labels", NegativeLogLikelihood? loss = null, string? sampleWeights = null) =>
        End(logProbabilities, loss ?? new NegativeLogLikelihood(), logProbabilities.Graph.IndexInput(labels, LabelLoss.WithoutClasses(logProbabilities.Type.Shape)), sampleWeights);

    /// <summary>Ends a chain: binary cross-entropy. The logits become the network's output.</summary>
    /// <param name="logits">The logits.</param>
    /// <param name="targets">The name of the target input, made here with the shape of the logits.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node BinaryCrossEntropy(this Node logits, string targets = "targets", BinaryCrossEntropy? loss = null, string? sampleWeights = null) =>
        End(logits, loss ?? new BinaryCrossEntropy(), logits.Graph.Input(targets, logits.Type.Shape), sampleWeights);

    /// <summary>Ends a chain: mean squared error. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the target input, made here with the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node MeanSquaredError(this Node predictions, string targets = "targets", MeanSquaredError? loss = null, string? sampleWeights = null) =>
        End(predictions, loss ?? new MeanSquaredError(), predictions.Graph.Input(targets, predictions.Type.Shape), sampleWeights);

    /// <summary>Ends a chain: mean absolute error. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the target input, made here with the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node MeanAbsoluteError(this Node predictions, string targets = "targets", MeanAbsoluteError? loss = null, string? sampleWeights = null) =>
        End(predictions, loss ?? new MeanAbsoluteError(), predictions.Graph.Input(targets, predictions.Type.Shape), sampleWeights);

    /// <summary>Ends a chain: Huber's loss. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the target input, made here with the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node Huber(this Node predictions, string targets = "targets", Huber? loss = null, string? sampleWeights = null) =>
        End(predictions, loss ?? new Huber(), predictions.Graph.Input(targets, predictions.Type.Shape), sampleWeights);

    /// <summary>Ends a chain: the smooth L1 loss. The predictions become the network's output.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="targets">The name of the target input, made here with the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node SmoothL1(this Node predictions, string targets = "targets", SmoothL1? loss = null, string? sampleWeights = null) =>
        End(predictions, loss ?? new SmoothL1(), predictions.Graph.Input(targets, predictions.Type.Shape), sampleWeights);

    /// <summary>Ends a chain: the Kullback-Leibler divergence. The log-probabilities become the network's output.</summary>
    /// <param name="logProbabilities">The log-probabilities.</param>
    /// <param name="targets">The name of the target input, made here with the shape of the log-probabilities.</param>
    /// <param name="loss">The loss with its options; null for none.</param>
    /// <param name="sampleWeights">The name of an input of one weight per row, made here; null for none.</param>
    /// <returns>The loss: of the graph, or an output if its reduction is <see cref="LossReduction.None"/>.</returns>
    public static Node KullbackLeibler(this Node logProbabilities, string targets = "targets", KullbackLeibler? loss = null, string? sampleWeights = null) =>
        End(logProbabilities, loss ?? new KullbackLeibler(), logProbabilities.Graph.Input(targets, logProbabilities.Type.Shape), sampleWeights);

    private static Node End(Node prediction, ReducedLoss loss, Node target, string? sampleWeights)
    {
        var graph = prediction.Graph;
        var node = sampleWeights is null ? prediction.Apply(loss, target) : prediction.Apply(loss, target, graph.Input(sampleWeights));
        graph.Output(prediction);
        if (loss.Reduction == LossReduction.None)
            graph.Output(node);
        else
            graph.Loss(node);
        return node;
    }
}
