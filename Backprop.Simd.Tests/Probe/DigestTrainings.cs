using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Probe;

/// <summary>The trainings of <see cref="Digests"/>: every layer, loss and optimizer, and every way of the executor.</summary>
internal static class DigestTrainings
{
    public static IReadOnlyList<DigestTraining> All { get; } =
    [
        // Dense networks and optimizers.
        new("sigmoid", g => g.Input("x", 78).Affine(50).Sigmoid().Affine(10).SoftmaxCrossEntropy()) { Rows = 100 },
        new("one-row", g => g.Input("x", 78).Affine(50).Relu().Affine(10).SoftmaxCrossEntropy()) { Rows = 1 },
        new("momentum", Dense) { Rows = 33, Optimizer = new Momentum() },
        new("adam", Dense) { Rows = 64, Optimizer = new AdamMaker() },
        new("adamw", Dense) { Optimizer = new AdamWMaker() },
        new("nadam", Dense) { Optimizer = new NAdamMaker() },
        new("rmsprop", Dense) { Optimizer = new RmsPropMaker() },
        new("adagrad", Dense) { Optimizer = new AdaGradMaker() },
        new("lion", Dense) { Optimizer = new LionMaker() },
        new("adadelta", Dense) { Optimizer = new AdaDeltaMaker() },
        new("adamax", Dense) { Optimizer = new AdaMaxMaker() },
        new("radam", Dense) { Optimizer = new RAdamMaker() },
        new("frozen", Dense) { Frozen = "affine1.weight", Optimizer = new AdamMaker() },
        new("accumulated", g => g.Input("x", 20).Affine(12).Tanh().Dropout(0.25).BatchNormalization().Affine(10).SoftmaxCrossEntropy())
        {
            MicroBatches = 3,
        },
        new("kept", Dense) { Options = new WorkspaceOptions { KeepGradients = true, InputGradients = true, Retain = Retain.All } },
        new("activations", Activations) { Optimizer = new AdamMaker() },
        new("random-layers", g => g.Input("x", 40).Affine(33).Dropout(0.3).Gelu().Affine(10).SoftmaxCrossEntropy()) { Rows = 50 },

        // Images.
        new("pooled-convolution", g => g.Input("x", 12, 12, 2).Convolution2D(20, 5).Relu().MaxPooling2D(2).Flatten().Affine(10).SoftmaxCrossEntropy())
        {
            Optimizer = new AdamMaker(),
        },
        new("pooled-without-relu", g => g.Input("x", 9, 9, 3).Convolution2D(16, 3).MaxPooling2D(2).Flatten().Affine(10).SoftmaxCrossEntropy()),
        new("convolutions", Convolutions) { Rows = 8, Optimizer = new Momentum() },
        new("transposed", g => g.Input("x", 5, 5, 6).ConvolutionTranspose2D(4, 3, stride: 2).RmsNormalization().Relu().Flatten().Affine(10)
            .SoftmaxCrossEntropy()),
        new("one-dimension", g => g.Input("x", 20, 6).Convolution1D(9, 3, padding: Padding.Sides(2, 0)).Silu().Convolution1D(7, 3)
            .Flatten().Affine(10).SoftmaxCrossEntropy()),
        new("poolings", Poolings),
        new("residual", Residual) { Rows = 8, Optimizer = new AdamMaker() },

        // Normalizations.
        new("batch-normalization", g => g.Input("x", 30).Affine(24).BatchNormalization().Relu().Affine(10).SoftmaxCrossEntropy()) { Rows = 40 },
        new("row-normalizations", g => g.Input("x", 6, 24).LayerNormalization().Affine(16).RmsNormalization().GroupNormalization(4).Flatten().Affine(10)
            .SoftmaxCrossEntropy()),

        // Sequences.
        new("sparse-embedding", g => g.IndexInput("tokens", 6).Embedding(30, 17, paddingIndex: 0).Flatten().Affine(10).SoftmaxCrossEntropy()),
        new("dense-embedding", g => g.IndexInput("tokens", 6).Embedding(30, 17).Flatten().Affine(10).SoftmaxCrossEntropy()) { Optimizer = new AdamMaker() },
        new("rnn", g => g.Input("x", 7, 5).Rnn(12, g.IndexInput("lengths")).RnnLast(9, function: RnnFunction.Relu).Affine(10).SoftmaxCrossEntropy()),
        new("lstm", g => g.Input("x", 7, 5).Lstm(12, g.IndexInput("lengths")).LstmLast(9).Affine(10).SoftmaxCrossEntropy()) { Optimizer = new AdamMaker() },
        new("gru", g => g.Input("x", 7, 5).Gru(12, g.IndexInput("lengths")).GruLast(9).Affine(10).SoftmaxCrossEntropy()) { Optimizer = new AdamMaker() },
        new("gru-before", g => g.Input("x", 7, 5).Gru(12, g.IndexInput("lengths"), resetAfter: false).GruLast(9, resetAfter: false).Affine(10)
            .SoftmaxCrossEntropy()) { Optimizer = new AdamMaker() },
        new("both-directions", g => g.Input("x", 7, 5).BidirectionalLstm(6, g.IndexInput("lengths")).BidirectionalGru(5).BidirectionalRnnLast(4).Affine(10)
            .SoftmaxCrossEntropy()) { Optimizer = new AdamMaker() },
        new("layers", g => g.Input("x", 7, 5).StackedLstm(6, 2, g.IndexInput("lengths"), dropout: 0.2).Lstm(9, projection: 4).StackedGruLast(5, 2).Affine(10)
            .SoftmaxCrossEntropy()) { Optimizer = new AdamMaker() },
        new("attention", Attention) { Optimizer = new AdamMaker() },

        // Graphs and losses.
        new("gates", GateGraph),
        new("views", Views),
        new("losses", Losses),
        new("weighted-losses", WeightedLosses),
        new("row-losses", RowLosses),
        new("alignments", g => g.Input("x", 18, 5).Affine(20, perPosition: true)
            .Ctc(g.IndexInput("targets", 9), g.IndexInput("steps"), g.IndexInput("ends"), sampleWeights: "weights"))
        {
            Bounds = new Dictionary<string, (int, int)> { ["targets"] = (1, 19), ["steps"] = (17, 18), ["ends"] = (0, 8) },
        },
        new("softmaxes", g => g.Input("x", 4, 12).LogSoftmax().Flatten().Affine(10).LogSoftmax().NegativeLogLikelihood()),
        new("many-classes", g => g.Input("x", 20).Affine(200).SoftmaxCrossEntropy()) { Rows = 33 },
    ];

    private static void Dense(GraphBuilder g) => g.Input("x", 47).Affine(64).Relu().Affine(31).Tanh().Affine(10).SoftmaxCrossEntropy();

    private static void Activations(GraphBuilder g) => g.Input("x", 21).Affine(37).Elu().Selu().Softplus().Softsign()
        .Affine(19).Mish().HardSigmoid().HardSwish().PRelu().LeakyRelu().Affine(17).GeluTanh().Silu().Relu().Affine(10).SoftmaxCrossEntropy();

    private static void Convolutions(GraphBuilder g)
    {
        var x = g.Input("x", 12, 12, 3).Convolution2D(24, 3, padding: 1).Relu();
        x += x.Convolution2D(24, 3, padding: 1, groups: 24).GroupNormalization(4).Silu();
        x.Convolution2D(20, 3, stride: 2, padding: 1, dilation: 2).BatchNormalization().Convolution2D(16, 1)
            .Convolution2D(12, 3, groups: 4).Flatten().Affine(10).SoftmaxCrossEntropy();
    }

    private static void Poolings(GraphBuilder g)
    {
        var x = g.Input("x", 11, 11, 10).PRelu();
        var y = x.MaxPooling2D(3, stride: 2, padding: 1).AveragePooling2D(2).GlobalAveragePooling2D();
        y.Concatenate(x.AdaptiveAveragePooling2D(2).Flatten()).Affine(10).SoftmaxCrossEntropy();
    }

    private static void Residual(GraphBuilder g)
    {
        var x = g.Input("x", 8, 8, 3).Convolution2D(16, 3, padding: 1).BatchNormalization().Relu();
        for (var i = 0; i < 2; i++)
            x = (x + x.Convolution2D(16, 3, padding: 1).BatchNormalization().Relu().Convolution2D(16, 3, padding: 1).BatchNormalization()).Relu();
        x.GlobalAveragePooling2D().Affine(10).SoftmaxCrossEntropy();
    }

    private static void Attention(GraphBuilder g)
    {
        var (x, lengths) = (g.Input("x", 7, 12), g.IndexInput("lengths"));
        var y = (x + g.Parameter("position", new Shape(7, 12))).SelfAttention(3, causal: true).LayerNormalization();
        (x + y).CrossAttention(y, 2, lengths).Affine(20).Gelu().Flatten().Affine(10).SoftmaxCrossEntropy();
    }

    private static void GateGraph(GraphBuilder g)
    {
        var (x, w) = (g.Input("x", 16), g.Parameter("w", new Shape(16, 16)));
        var h = Node.MatrixProduct(Node.MatrixProduct(x, w).Tanh(), w);
        var y = Node.Maximum((h * h + 1).Reciprocal(), (-h).Exponential() * 0.5) + h.LeakyRelu() - x;
        g.Output(y);
        y.MeanSquaredError();
    }

    private static void Views(GraphBuilder g)
    {
        var x = g.Input("x", 4, 12).Affine(12);
        var (left, right) = (x.Slice(1, 0, 5), x.Slice(1, 5, 7));
        var y = left.Affine(6).Concatenate(right.Affine(6)).Reshape(48).Affine(24).Relu();
        y.Slice(0, 0, 12).Affine(10).Concatenate(y.Slice(0, 12, 12).Affine(10)).Affine(10).SoftmaxCrossEntropy();
    }

    private static void Losses(GraphBuilder g)
    {
        var x = g.Input("x", 8).Affine(10);
        var (targets, distribution) = (g.Input("targets", 10), g.Input("distribution", 10));
        g.Loss(x.Apply(new MeanSquaredError(), targets), 0.5);
        g.Loss(x.Apply(new MeanAbsoluteError(LossReduction.Sum), targets), 0.01);
        g.Loss(x.Apply(new Huber(), targets));
        g.Loss(x.Apply(new SmoothL1(), targets));
        g.Loss(x.Apply(new BinaryCrossEntropy(2), distribution));
        g.Loss(x.LogSoftmax().Apply(new KullbackLeibler(), distribution));
        g.Loss(x.Apply(new SoftmaxCrossEntropy(labelSmoothing: 0.1), distribution));
    }

    private static void WeightedLosses(GraphBuilder g)
    {
        var (x, labels, weights) = (g.Input("x", 8).Affine(10), g.IndexInput("labels"), g.Input("weights"));
        double[] classes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        g.Loss(x.Apply(new SoftmaxCrossEntropy(classes, 0.1), labels, weights));
        g.Loss(x.LogSoftmax().Apply(new NegativeLogLikelihood(classes), labels, weights));
        g.Loss(x.Apply(new MeanSquaredError(), g.Input("targets", 10), weights));
    }

    private static void RowLosses(GraphBuilder g)
    {
        var (x, y, weights) = (g.Input("x", 8).Affine(10), g.Input("y", 8).Affine(10), g.Input("weights"));
        var (targets, distribution, labels) = (g.Input("targets", 10), g.Input("distribution", 10), g.IndexInput("labels"));
        g.Loss(x.Apply(new MultiClassHinge(squared: true), labels, weights));
        g.Loss(x.Apply(new CosineEmbedding(), y, weights));
        g.Loss(x.Apply(new TripletMargin(swap: true), y, targets, weights));
        g.Loss(x.Apply(new InfoNce(symmetric: true), y));
        g.Loss(x.Apply(new GaussianNegativeLogLikelihood(), targets, y.Exponential()), 0.1);
        g.Loss(x.Apply(new Focal(), distribution, weights));
        g.Loss(x.Apply(new Dice(), distribution));
    }

    private sealed class Momentum : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new Sgd<T>(length, 0.05, 0.9, nesterov: true, weightDecay: 1e-3);
    }

    private sealed class AdamMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new Adam<T>(length, 0.01);
    }

    private sealed class AdamWMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new AdamW<T>(length, 0.01, amsGrad: true);
    }

    private sealed class NAdamMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new NAdam<T>(length, 0.01);
    }

    private sealed class RmsPropMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new RmsProp<T>(length, 0.01, momentum: 0.5, centered: true);
    }

    private sealed class AdaGradMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new AdaGrad<T>(length, 0.05);
    }

    private sealed class LionMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new Lion<T>(length, 0.003);
    }

    private sealed class AdaDeltaMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new AdaDelta<T>(length);
    }

    private sealed class AdaMaxMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new AdaMax<T>(length, 0.01);
    }

    private sealed class RAdamMaker : OptimizerMaker
    {
        public override Optimizer<T> Make<T>(int length) => new RAdam<T>(length, 0.01);
    }
}
