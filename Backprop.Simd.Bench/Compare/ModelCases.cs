using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Bench;

/// <summary>Training steps of networks with recurrences, attention, squeezed channels, upsampling, and alignments.</summary>
internal static class ModelCases
{
    public const string Lstm = "bidirectional LSTM", Attention = "attention with lengths", SqueezeExcite = "squeeze and excite", UShape = "U shape",
        Ctc = "CTC";

    /// <summary>Sizes that peers need to build the same.</summary>
    public const int LstmUnits = 128, Width = 512, Heads = 8, Reduction = 8, Steps = 100, Symbols = 40;

    public static IEnumerable<Case> All()
    {
        yield return new ModelCase(LstmModel(length: 50, columns: 64, batch: 32));
        yield return new ModelCase(AttentionModel(length: 512, batch: 4));
        yield return new ModelCase(AttentionModel(length: 2048, batch: 1));
        yield return new ModelCase(SqueezeExciteModel(batch: 32));
        yield return new ModelCase(UShapeModel(batch: 8));
        yield return new ModelCase(CtcModel(batch: 32));
    }

    /// <summary>Both directions over x [T, D], the last states, 10 classes.</summary>
    private static Model LstmModel(int length, int columns, int batch)
    {
        double gates = 4 * LstmUnits, products = 3 * gates * LstmUnits + 2 * gates * columns;
        return new Model(Lstm, $"T={length} H={LstmUnits} B={batch}", batch, 2 * 2 * length * products, graph =>
            graph.Input("x", length, columns).BidirectionalLstmLast(LstmUnits).Affine(10).SoftmaxCrossEntropy());
    }

    /// <summary>Self-attention in which each row sees its first keys only, and a mean squared error.</summary>
    private static Model AttentionModel(int length, int batch)
    {
        double projections = (3 * 2 + 3) * (double)Width * Width, scores = 6.0 * length * Width;
        return new Model(Attention, $"T={length} D={Width} B={batch}", batch, 2 * length * (projections + scores), graph =>
            graph.Input("x", length, Width).SelfAttention(Heads, lengths: graph.IndexInput("lengths")).MeanSquaredError())
        {
            Ranges = { ["lengths"] = (length / 2, length + 1) },
        };
    }

    /// <summary>Two convolutions with scaled channels over images 32 x 32 x 3.</summary>
    private static Model SqueezeExciteModel(int batch)
    {
        const double First = 2.0 * 2 * 32 * 32 * 9 * 3 * 32, Second = 2.0 * 3 * 16 * 16 * 9 * 32 * 64;
        return new Model(SqueezeExcite, $"32x32x3 B={batch}", batch, First + Second, graph =>
            graph.Input("x", 32, 32, 3)
                .Convolution2D(32, 3, padding: 1).Relu().SqueezeExcite(Reduction).MaxPooling2D(2)
                .Convolution2D(64, 3, padding: 1).Relu().SqueezeExcite(Reduction)
                .GlobalAveragePooling2D().Affine(10).SoftmaxCrossEntropy());
    }

    /// <summary>Segmentation: two steps down by pooling, two up by bilinear resizing, joined with what was there before.</summary>
    private static Model UShapeModel(int batch)
    {
        static double Products(int side, int from, int to, int size = 9, int passes = 3) => 2.0 * passes * side * side * size * from * to;
        static Node Block(Node x, int channels) => x.Convolution2D(channels, 3, padding: 1).BatchNormalization().Relu();
        var operations = Products(64, 1, 16, passes: 2) + Products(32, 16, 32) + Products(16, 32, 64) + Products(32, 96, 32)
            + Products(64, 48, 16) + Products(64, 16, 1, size: 1);
        return new Model(UShape, $"64x64x1 B={batch}", batch, operations, graph =>
        {
            var top = Block(graph.Input("x", 64, 64, 1), 16);
            var middle = Block(top.MaxPooling2D(2), 32);
            var bottom = Block(middle.MaxPooling2D(2), 64);
            var up = Block(bottom.Upsample(2, mode: ResizeMode.Bilinear).Concatenate(middle), 32);
            Block(up.Upsample(2, mode: ResizeMode.Bilinear).Concatenate(top), 16).Convolution2D(1, 1).MeanSquaredError();
        });
    }

    /// <summary>Logits of 40 symbols at 100 steps, and 20 labels.</summary>
    private static Model CtcModel(int batch) => new(Ctc, $"T={Steps} C={Symbols} S=20 B={batch}", batch, 0, graph =>
        graph.Input("x", Steps, 64).Affine(Symbols)
            .Ctc(graph.IndexInput("labels", 20), graph.IndexInput("steps"), graph.IndexInput("counts"), new Ctc()))
    {
        Ranges = { ["labels"] = (1, Symbols), ["steps"] = (Steps / 2, Steps + 1), ["counts"] = (5, 21) },
    };

    private sealed class ModelCase(Model model) : Case
    {
        public override string Area => "model";

        public override string Name => $"{model.Name} {model.Sizes}";

        public override string Type => "float";

        public override double Operations => model.Batch * model.OperationsPerRow;

        public override PreparedCase Prepare() => new Prepared(model);

        private sealed class Prepared(Model model) : PreparedCase
        {
            public override Call? CallOf(IPeer peer) => peer.Train(model);

            public override string? Verify(double[] result) => model.Verify(result);
        }
    }
}
