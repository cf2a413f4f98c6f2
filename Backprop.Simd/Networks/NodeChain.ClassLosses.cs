using Backprop.Simd.Layers;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Networks;

public static partial class NodeChain
{
    /// <summary>Ends a chain: softmax cross-entropy against class labels. The logits become the network's output.</summary>
    /// <param name="logits">The logits, [..., K].</param>
    /// <param name="labels">The name of the new label input: one label per position.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A softmax, a log softmax or a logistic function computes the logits, or a name is taken.</exception>
    public static Node SoftmaxCrossEntropy(this Node logits, string labels = "labels", SoftmaxCrossEntropy? loss = null, string? sampleWeights = null) =>
        End(logits, loss ?? new SoftmaxCrossEntropy(), labels, sampleWeights);

    /// <summary>Ends a chain: negative log-likelihood of class labels. The log-probabilities become the network's output.</summary>
    /// <param name="logProbabilities">The log-probabilities, [..., K].</param>
    /// <param name="labels">The name of the new label input: one label per position.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">An affine layer, an activation or a softmax computes them, or a name is taken.</exception>
    public static Node NegativeLogLikelihood(this Node logProbabilities, string labels = "labels", NegativeLogLikelihood? loss = null,
        string? sampleWeights = null) =>
        End(logProbabilities, loss ?? new NegativeLogLikelihood(), labels, sampleWeights);

    /// <summary>Ends a chain: binary cross-entropy. The logits become the network's output.</summary>
    /// <param name="logits">The logits.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the logits.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A softmax, a log softmax or a logistic function computes the logits, a name is taken, or both kinds
    /// of weights are named.</exception>
    public static Node BinaryCrossEntropy(this Node logits, string targets = "targets", BinaryCrossEntropy? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(logits, loss ?? new BinaryCrossEntropy(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: the Kullback-Leibler divergence. The log-probabilities become the network's output.</summary>
    /// <param name="logProbabilities">The log-probabilities.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the log-probabilities.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">An affine layer, an activation or a softmax computes them, or a name is taken.</exception>
    public static Node KullbackLeibler(this Node logProbabilities, string targets = "targets", KullbackLeibler? loss = null, string? sampleWeights = null) =>
        End(logProbabilities, loss ?? new KullbackLeibler(), targets, sampleWeights);

    /// <summary>Ends a chain: the hinge loss. The scores become the network's output.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the scores.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken, or both kinds of weights are named.</exception>
    public static Node Hinge(this Node scores, string targets = "targets", Hinge? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(scores, loss ?? new Hinge(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: the hinge loss of several classes. The scores become the network's output.</summary>
    /// <param name="scores">The scores, [..., K].</param>
    /// <param name="labels">The name of the new label input: one label per position.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A name is taken.</exception>
    public static Node MultiClassHinge(this Node scores, string labels = "labels", MultiClassHinge? loss = null, string? sampleWeights = null) =>
        End(scores, loss ?? new MultiClassHinge(), labels, sampleWeights);

    /// <summary>Ends a chain: the focal loss. The logits become the network's output.</summary>
    /// <param name="logits">The logits.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the logits.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <param name="positionWeights">The name of a new input with a weight for each position: [T] for [T, D], [H, W] for [H, W, C], [D] for a
    /// vector [D]; null for no such weights. 0 leaves a position out.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A softmax, a log softmax or a logistic function computes the logits, a name is taken, or both kinds
    /// of weights are named.</exception>
    public static Node Focal(this Node logits, string targets = "targets", Focal? loss = null,
        string? sampleWeights = null, string? positionWeights = null) =>
        End(logits, loss ?? new Focal(), targets, sampleWeights, positionWeights);

    /// <summary>Ends a chain: the Dice loss of each row. The predictions become the network's output.</summary>
    /// <param name="predictions">Logits, or probabilities if the loss says so.</param>
    /// <param name="targets">The name of the new target input, which has the shape of the predictions.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">The loss takes logits, and a softmax, a log softmax or a logistic function computes them; or a name
    /// is taken.</exception>
    public static Node Dice(this Node predictions, string targets = "targets", Dice? loss = null, string? sampleWeights = null) =>
        End(predictions, loss ?? new Dice(), targets, sampleWeights);

    /// <summary>Ends a chain: connectionist temporal classification, for sequences whose labels have no known steps. The logits become the
    /// network's output.</summary>
    /// <param name="logits">The logits of each step, [T, C].</param>
    /// <param name="targets">The labels, indices [S].</param>
    /// <param name="inputLengths">The steps of each row, an index; the input of lengths that recurrent layers before it take.</param>
    /// <param name="targetLengths">The labels of each row, an index.</param>
    /// <param name="loss">The loss with its options; null for the defaults.</param>
    /// <param name="sampleWeights">The name of a new input with one weight per row; null for no weights.</param>
    /// <returns>The loss of the graph; an output if the reduction is <see cref="LossReduction.None"/>.</returns>
    /// <exception cref="ArgumentException">A node has another shape or belongs to another graph, a softmax, a log softmax or a logistic function
    /// computes the logits, or the name is taken.</exception>
    public static Node Ctc(this Node logits, Node targets, Node inputLengths, Node targetLengths, Ctc? loss = null, string? sampleWeights = null)
    {
        loss ??= new Ctc();
        Origins.Check(logits.Graph.OriginOf(logits), loss);
        return End(loss, [logits, targets, inputLengths, targetLengths], [logits], WeightsOf(logits, sampleWeights));
    }
}
