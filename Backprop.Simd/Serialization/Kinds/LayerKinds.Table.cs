using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Serialization;

/// <content>The kinds of this library: each is one expression that both writes and makes a layer.</content>
public static partial class LayerKinds
{
    private static void AddLibrary()
    {
        AddActivations();
        AddGates();
        AddLayers();
        AddShapes();
        AddConvolutions();
        AddSequences();
        AddLosses();
    }

    private static void AddActivations()
    {
        RegisterActivation<Abs>("abs");
        RegisterActivation<Celu>("celu", (s, f) => new(s.Number("alpha", f?.Alpha)));
        RegisterActivation<Clip>("clip", (s, f) => new(s.Number("low", f?.Low), s.Number("high", f?.High)));
        RegisterActivation<Cos>("cos");
        RegisterActivation<Elu>("elu", (s, f) => new(s.Number("alpha", f?.Alpha)));
        RegisterActivation<Erf>("erf");
        RegisterActivation<Floor>("floor");
        RegisterActivation<Gelu>("gelu");
        RegisterActivation<GeluTanh>("gelutanh");
        RegisterActivation<HardSigmoid>("hardsigmoid");
        RegisterActivation<HardSwish>("hardswish");
        RegisterActivation<HardTanh>("hardtanh", (s, f) => new(s.Number("low", f?.Low), s.Number("high", f?.High)));
        RegisterActivation<LeakyRelu>("leakyrelu", (s, f) => new(s.Number("negativeSlope", f?.NegativeSlope)));
        RegisterActivation<Log>("log");
        RegisterActivation<LogSigmoid>("logsigmoid");
        RegisterActivation<Mish>("mish");
        RegisterActivation<Pow>("pow", (s, f) => new(s.Number("exponent", f?.Exponent)));
        RegisterActivation<Relu>("relu");
        RegisterActivation<Relu6>("relu6");
        RegisterActivation<Selu>("selu");
        RegisterActivation<Sigmoid>("sigmoid");
        RegisterActivation<Silu>("silu");
        RegisterActivation<Sin>("sin");
        RegisterActivation<Softplus>("softplus", (s, f) => new(s.Number("beta", f?.Beta), s.Number("threshold", f?.Threshold)));
        RegisterActivation<Softsign>("softsign");
        RegisterActivation<Sqrt>("sqrt");
        RegisterActivation<Tanh>("tanh");
        RegisterActivation<ThresholdedRelu>("thresholdedrelu", (s, f) => new(s.Number("theta", f?.Theta)));
        Register<PRelu>("prelu", (s, l) => new(s.Number("slope", l?.Slope), s.Flag("perChannel", l?.PerChannel)));
        Register<Glu>("glu", (_, _) => new());
        Register<SwiGlu>("swiglu", (_, _) => new());
        Register<Softmax>("softmax", (_, _) => new());
        Register<LogSoftmax>("logsoftmax", (_, _) => new());
        Register<Dropout>("dropout", (s, l) => new(s.Number("probability", l?.Probability)));
        Register<SpatialDropout>("spatialdropout", (s, l) => new(s.Number("probability", l?.Probability)));
        Register<AlphaDropout>("alphadropout", (s, l) => new(s.Number("probability", l?.Probability)));
        Register<GaussianDropout>("gaussiandropout", (s, l) => new(s.Number("probability", l?.Probability)));
        Register<GaussianNoise>("gaussiannoise", (s, l) => new(s.Number("deviation", l?.Deviation)));
        Register<Noise>("noise", (s, l) => new(
            s.Choice("distribution", l?.Distribution), s.Number("location", l?.Location), s.Number("spread", l?.Spread)));
    }

    private static void AddGates()
    {
        RegisterGate<Add>("add");
        RegisterGate<Subtract>("subtract");
        RegisterGate<Multiply>("multiply");
        RegisterGate<Divide>("divide");
        RegisterGate<Power>("power");
        RegisterGate<Maximum>("maximum");
        RegisterGate<Minimum>("minimum");
        Register<Where>("where", (_, _) => new());
        Register<Negate>("negate", (_, _) => new());
        Register<Exponential>("exponential", (_, _) => new());
        Register<Reciprocal>("reciprocal", (_, _) => new());
        Register<SquaredNorm>("squarednorm", (_, _) => new());
        Register<MatrixProduct>("matrixproduct", (_, _) => new());
        Register<StopGradient>("stopgradient", (_, _) => new());
        Register<Scale>("scale", (s, l) => new(s.Number("factor", l?.Factor)));
        Register<Shift>("shift", (s, l) => new(s.Number("offset", l?.Offset)));
        Register<Sum>("sum", (s, l) => new(Kept(s, l), Axes(s, l)));
        Register<Mean>("mean", (s, l) => new(Kept(s, l), Axes(s, l)));
        Register<Max>("max", (s, l) => new(Kept(s, l), Axes(s, l)));
        Register<Min>("min", (s, l) => new(Kept(s, l), Axes(s, l)));
        Register<Norm>("norm", (s, l) => new(Kept(s, l), Axes(s, l)));
        Register<LogSumExp>("logsumexp", (s, l) => new(Kept(s, l), Axes(s, l)));
        Register<Variance>("variance", (s, l) => new(s.Number("correction", l?.Correction), Kept(s, l), Axes(s, l)));
        Register<ArgMax>("argmax", (s, l) => new(s.WholeNumber("axis", l?.Axis), s.Flag("keepDimensions", l?.KeepDimensions)));
        Register<CumulativeSum>("cumulativesum", (s, l) => new(
            s.WholeNumber("axis", l?.Axis), s.Flag("exclusive", l?.IsExclusive), s.Flag("reverse", l?.IsReverse)));
        Register<Sort>("sort", (s, l) => new(s.WholeNumber("axis", l?.Axis), s.Flag("descending", l?.IsDescending)));
        Register<TopK>("topk", (s, l) => new(s.WholeNumber("count", l?.Count), s.WholeNumber("axis", l?.Axis), s.Flag("largest", l?.IsLargest)));

        static bool Kept(LayerSettings s, AxisReduction? l) => s.Flag("keepDimensions", l?.KeepDimensions);
        static int[] Axes(LayerSettings s, AxisReduction? l) => s.WholeNumbers("axes", l?.Axes);
    }

    private static void AddLayers()
    {
        Register<Affine>("affine", (s, l) => new(
            s.WholeNumber("outputs", l?.Outputs), Initializer(s, l?.Initializer), s.Flag("bias", l?.HasBias), s.Flag("perPosition", l?.PerPosition)));
        Register<Embedding>("embedding", (s, l) => new(
            s.WholeNumber("count", l?.Count), s.WholeNumber("size", l?.Size), Initializer(s, l?.Initializer),
            s.OptionalWholeNumber("paddingIndex", l?.PaddingIndex)));
        Register<EmbeddingBag>("embeddingbag", (s, l) => new(
            s.WholeNumber("count", l?.Count), s.WholeNumber("size", l?.Size), s.Choice("mode", l?.Mode), Initializer(s, l?.Initializer),
            s.OptionalWholeNumber("paddingIndex", l?.PaddingIndex)));
        Register<BatchNormalization>("batchnormalization", (s, l) => new(
            s.Number("momentum", l?.Momentum), s.Number("epsilon", l?.Epsilon), s.Flag("affine", l?.IsAffine)));
        Register<Normalize>("normalize", (s, l) => new(s.Numbers("offsets", l?.Offsets), s.Numbers("factors", l?.Factors)));
        Register<Denormalize>("denormalize", (s, l) => new(s.Numbers("offsets", l?.Offsets), s.Numbers("factors", l?.Factors)));
        Register<GroupNormalization>("groupnormalization", (s, l) => new(
            s.WholeNumber("groups", l?.Groups), s.Number("epsilon", l?.Epsilon), s.Flag("affine", l?.IsAffine)));
        Register<LayerNormalization>("layernormalization", (s, l) => new(
            s.WholeNumber("dimensions", l?.Dimensions), s.Number("epsilon", l?.Epsilon), s.Flag("affine", l?.IsAffine), s.Flag("bias", l?.HasBias)));
        Register<RmsNormalization>("rmsnormalization", (s, l) => new(
            s.WholeNumber("dimensions", l?.Dimensions), s.Number("epsilon", l?.Epsilon), s.Flag("affine", l?.IsAffine)));
    }

    private static void AddShapes()
    {
        Register<Concatenate>("concatenate", (s, l) => new(s.WholeNumber("axis", l?.Axis)));
        Register<CutTo>("cutto", (s, l) => new(s.WholeNumber("axis", l?.Axis)));
        Register<EachStep>("eachstep", (s, l) => new(
            s.Layer("layer", l?.Layer) ?? throw new ArgumentException("The layer of each step is missing.", nameof(l))));
        Register<Flatten>("flatten", (_, _) => new());
        Register<Gather>("gather", (s, l) => new(s.WholeNumber("axis", l?.Axis)));
        Register<GatherElements>("gatherelements", (s, l) => new(s.WholeNumber("axis", l?.Axis)));
        Register<Pad>("pad", (s, l) => new(
            s.WholeNumbers("before", l?.Before), s.WholeNumbers("after", l?.After), s.Choice("mode", l?.Mode), s.Number("value", l?.Value)));
        Register<PixelShuffle>("pixelshuffle", (s, l) => new(s.WholeNumber("factor", l?.Factor), s.Flag("blocksFirst", l?.BlocksFirst)));
        Register<PixelUnshuffle>("pixelunshuffle", (s, l) => new(s.WholeNumber("factor", l?.Factor), s.Flag("blocksFirst", l?.BlocksFirst)));
        Register<Reshape>("reshape", (s, l) => new(s.WholeNumbers("dimensions", l?.Dimensions)));
        Register<Reverse>("reverse", (s, l) => new(s.WholeNumbers("axes", l?.Axes)));
        Register<ScatterAdd>("scatteradd", (s, l) => new(s.WholeNumber("size", l?.Size), s.WholeNumber("axis", l?.Axis)));
        Register<SegmentSum>("segmentsum", (s, l) => new(s.WholeNumber("segments", l?.Segments), s.WholeNumber("axis", l?.Axis)));
        Register<Slice>("slice", (s, l) => new(s.WholeNumber("axis", l?.Axis), s.WholeNumber("start", l?.Start), s.WholeNumber("length", l?.Length)));
        Register<Squeeze>("squeeze", (s, l) => new(s.WholeNumber("axis", l?.Axis)));
        Register<Unsqueeze>("unsqueeze", (s, l) => new(s.WholeNumber("axis", l?.Axis)));
        Register<Tile>("tile", (s, l) => new(s.WholeNumbers("repeats", l?.Repeats)));
        Register<Transpose>("transpose", (s, l) => new(s.WholeNumbers("axes", l?.Axes)));
        Register<Upsample>("upsample", (s, l) => new(
            ScaleOf(s, l?.Scale), OptionalExtent(s, "outputs", l?.Outputs), s.Choice("mode", l?.Mode), s.Flag("alignCorners", l?.AlignCorners)));
    }

    private static void AddConvolutions()
    {
        Register<Convolution1D>("convolution1d", (s, l) => new(
            s.WholeNumber("filters", l?.Filters), s.WholeNumber("kernel", l?.Kernel), s.WholeNumber("stride", l?.Stride), Padding(s, l?.Padding),
            s.WholeNumber("dilation", l?.Dilation), s.WholeNumber("groups", l?.Groups), Initializer(s, l?.Initializer), s.Flag("bias", l?.HasBias)));
        Register<Convolution2D>("convolution2d", (s, l) => new(
            s.WholeNumber("filters", l?.Filters), Extent(s, "kernel", l?.Kernel), Extent(s, "stride", l?.Stride), Padding(s, l?.Padding),
            Extent(s, "dilation", l?.Dilation), s.WholeNumber("groups", l?.Groups), Initializer(s, l?.Initializer), s.Flag("bias", l?.HasBias)));
        Register<ConvolutionTranspose1D>("convolutiontranspose1d", (s, l) => new(
            s.WholeNumber("filters", l?.Filters), s.WholeNumber("kernel", l?.Kernel), s.WholeNumber("stride", l?.Stride), Padding(s, l?.Padding),
            s.WholeNumber("outputPadding", l?.OutputPadding), s.WholeNumber("dilation", l?.Dilation), s.WholeNumber("groups", l?.Groups),
            Initializer(s, l?.Initializer), s.Flag("bias", l?.HasBias)));
        Register<ConvolutionTranspose2D>("convolutiontranspose2d", (s, l) => new(
            s.WholeNumber("filters", l?.Filters), Extent(s, "kernel", l?.Kernel), Extent(s, "stride", l?.Stride), Padding(s, l?.Padding),
            Extent(s, "outputPadding", l?.OutputPadding), Extent(s, "dilation", l?.Dilation), s.WholeNumber("groups", l?.Groups),
            Initializer(s, l?.Initializer), s.Flag("bias", l?.HasBias)));
        Register<FunctionalConvolution>("functionalconvolution", (s, l) => new(
            Extent(s, "stride", l?.Stride), Padding(s, l?.Padding), Extent(s, "dilation", l?.Dilation), s.WholeNumber("groups", l?.Groups)));
        Register<AveragePooling1D>("averagepooling1d", (s, l) => new(
            s.WholeNumber("kernel", l?.Kernel), s.WholeNumber("stride", l?.Stride), Padding(s, l?.Padding), s.Flag("ceiling", l?.Ceiling),
            s.Flag("includePadding", l?.IncludePadding)));
        Register<AveragePooling2D>("averagepooling2d", (s, l) => new(
            Extent(s, "kernel", l?.Kernel), Extent(s, "stride", l?.Stride), Padding(s, l?.Padding), s.Flag("ceiling", l?.Ceiling),
            s.Flag("includePadding", l?.IncludePadding)));
        Register<MaxPooling1D>("maxpooling1d", (s, l) => new(
            s.WholeNumber("kernel", l?.Kernel), s.WholeNumber("stride", l?.Stride), Padding(s, l?.Padding), s.Flag("ceiling", l?.Ceiling),
            s.WholeNumber("dilation", l?.Dilation)));
        Register<MaxPooling2D>("maxpooling2d", (s, l) => new(
            Extent(s, "kernel", l?.Kernel), Extent(s, "stride", l?.Stride), Padding(s, l?.Padding), s.Flag("ceiling", l?.Ceiling),
            Extent(s, "dilation", l?.Dilation)));
        Register<AdaptiveAveragePooling2D>("adaptiveaveragepooling2d", (s, l) => new(Extent(s, "outputs", l?.Outputs)));
        Register<AdaptiveMaxPooling1D>("adaptivemaxpooling1d", (s, l) => new(s.WholeNumber("outputs", l?.Outputs)));
        Register<AdaptiveMaxPooling2D>("adaptivemaxpooling2d", (s, l) => new(Extent(s, "outputs", l?.Outputs)));
        Register<GlobalAveragePooling1D>("globalaveragepooling1d", (_, _) => new());
        Register<GlobalAveragePooling2D>("globalaveragepooling2d", (_, _) => new());
        Register<GlobalMaxPooling1D>("globalmaxpooling1d", (_, _) => new());
        Register<GlobalMaxPooling2D>("globalmaxpooling2d", (_, _) => new());
    }

    private static void AddSequences()
    {
        Register<Rnn>("rnn", (s, l) => new(
            s.WholeNumber("units", l?.Units), s.Choice("function", l?.Function), Initializer(s, l?.Initializer), s.Flag("reverse", l?.IsReverse)));
        Register<Gru>("gru", (s, l) => new(
            s.WholeNumber("units", l?.Units), Initializer(s, l?.Initializer), s.Flag("resetAfter", l?.ResetAfter), s.Flag("reverse", l?.IsReverse)));
        Register<Lstm>("lstm", (s, l) => new(
            s.WholeNumber("units", l?.Units), s.Number("forgetBias", l?.ForgetBias), Initializer(s, l?.Initializer), s.Flag("reverse", l?.IsReverse),
            s.OptionalWholeNumber("projection", l?.Projection)));
        Register<RotaryPositions>("rotarypositions", (s, l) => new(
            s.WholeNumber("heads", l?.Heads), s.Number("root", l?.Root), s.Flag("interleaved", l?.IsInterleaved)));
        Register<SinusoidalPositions>("sinusoidalpositions", (s, l) => new(s.Number("root", l?.Root)));
        Register<LearnedPositions>("learnedpositions", (s, l) => new(s.WholeNumber("length", l?.Length), Initializer(s, l?.Initializer)));
        Register<MultiHeadAttention>("multiheadattention", (s, l) => new(
            s.WholeNumber("heads", l?.Heads), s.Flag("causal", l?.IsCausal), Initializer(s, l?.Initializer), s.WholeNumber("keyValueHeads", l?.KeyValueHeads),
            s.Number("dropout", l?.Dropout), s.Layer("rotary", l?.Rotary), s.Flag("weights", l?.HasWeights),
            s.Flag("projected", l?.IsProjected)));
        Register<AttentionMemory>("attentionmemory", (s, l) => new(s.WholeNumber("columns", l?.Columns), Initializer(s, l?.Initializer)));
        Register<AttentionStep>("attentionstep", (s, l) => new(
            s.WholeNumber("heads", l?.Heads), Initializer(s, l?.Initializer), s.WholeNumber("keyValueHeads", l?.KeyValueHeads), s.Layer("rotary", l?.Rotary)));
    }

    private static void AddLosses()
    {
        Register<ExpressionLoss>("expressionloss", (s, l) => new(s.Choice("reduction", l?.Reduction)));
        Register<SoftmaxCrossEntropy>("softmaxcrossentropy", (s, l) => new(
            Weights(s, l), s.Number("labelSmoothing", l?.LabelSmoothing), Ignored(s, l), Reduction(s, l)));
        Register<NegativeLogLikelihood>("negativeloglikelihood", (s, l) => new(Weights(s, l), Ignored(s, l), Reduction(s, l)));
        Register<MultiClassHinge>("multiclasshinge", (s, l) => new(
            s.Number("margin", l?.Margin), s.Flag("squared", l?.IsSquared), Weights(s, l), Ignored(s, l), Reduction(s, l)));
        Register<BinaryCrossEntropy>("binarycrossentropy", (s, l) => new(
            s.Number("positiveWeight", l?.PositiveWeight), Reduction(s, l), s.Number("labelSmoothing", l?.LabelSmoothing)));
        Register<MeanSquaredError>("meansquarederror", (s, l) => new(Reduction(s, l)));
        Register<MeanAbsoluteError>("meanabsoluteerror", (s, l) => new(Reduction(s, l)));
        Register<Huber>("huber", (s, l) => new(s.Number("delta", l?.Delta), Reduction(s, l)));
        Register<SmoothL1>("smoothl1", (s, l) => new(s.Number("beta", l?.Beta), Reduction(s, l)));
        Register<Quantile>("quantile", (s, l) => new(s.Number("level", l?.Level), Reduction(s, l)));
        Register<Hinge>("hinge", (s, l) => new(s.Number("margin", l?.Margin), Reduction(s, l)));
        Register<KullbackLeibler>("kullbackleibler", (s, l) => new(s.Flag("logTarget", l?.LogTarget), Reduction(s, l)));
        Register<Focal>("focal", (s, l) => new(s.OptionalNumber("alpha", l?.Alpha), s.Number("gamma", l?.Gamma), Reduction(s, l)));
        Register<Dice>("dice", (s, l) => new(s.Flag("logits", l?.Logits), s.Number("smooth", l?.Smooth), Reduction(s, l)));
        Register<PoissonNegativeLogLikelihood>("poissonnegativeloglikelihood", (s, l) => new(
            s.Flag("logInput", l?.LogInput), s.Flag("full", l?.Full), s.Number("epsilon", l?.Epsilon), Reduction(s, l)));
        Register<GaussianNegativeLogLikelihood>("gaussiannegativeloglikelihood", (s, l) => new(
            s.Flag("full", l?.Full), s.Number("epsilon", l?.Epsilon), Reduction(s, l)));
        Register<CosineEmbedding>("cosineembedding", (s, l) => new(s.Number("margin", l?.Margin), Reduction(s, l)));
        Register<TripletMargin>("tripletmargin", (s, l) => new(
            s.Number("margin", l?.Margin), s.Flag("swap", l?.Swap), s.Number("epsilon", l?.Epsilon), Reduction(s, l)));
        Register<InfoNce>("infonce", (s, l) => new(s.Number("temperature", l?.Temperature), s.Flag("symmetric", l?.IsSymmetric), Reduction(s, l)));
        Register<Ctc>("ctc", (s, l) => new(s.WholeNumber("blank", l?.Blank), s.Flag("zeroInfinity", l?.ZeroInfinity), Reduction(s, l)));

        static LossReduction Reduction(LayerSettings s, ReducedLoss? l) => s.Choice("reduction", l?.Reduction);
        static double[]? Weights(LayerSettings s, LabelLoss? l) => s.Numbers("classWeights", l?.ClassWeights) is { Length: > 0 } weights ? weights : null;
        static int Ignored(LayerSettings s, LabelLoss? l) => s.WholeNumber("ignoreIndex", l?.IgnoreIndex);
    }

    private static Initializers.Initializer? Initializer(LayerSettings s, Initializers.Initializer? value) => s.Initializer("initializer", value);

    private static Extent Extent(LayerSettings s, string name, Extent? value) =>
        s.WholeNumbers(name, value is { } e ? [e.Height, e.Width] : null) is [var height, var width] ? new(height, width)
            : throw new ArgumentException($"'{name}' must be a height and a width.", name);

    private static Extent? OptionalExtent(LayerSettings s, string name, Extent? value) =>
        s.WholeNumbers(name, value is { } e ? [e.Height, e.Width] : s.IsReading ? null : []) switch
        {
            [] => null,
            [var height, var width] => new(height, width),
            _ => throw new ArgumentException($"'{name}' must be a height and a width, or nothing.", name),
        };

    private static ResizeScale? ScaleOf(LayerSettings s, ResizeScale? value) =>
        s.Numbers("scale", value is { } scale ? [scale.Height, scale.Width] : s.IsReading ? null : []) switch
        {
            [] => null,
            [var height, var width] => new(height, width),
            _ => throw new ArgumentException("'scale' must be a factor of the height and one of the width, or nothing.", nameof(value)),
        };

    private static Padding Padding(LayerSettings s, Padding? value) =>
        s.WholeNumbers("padding", value is { } p ? [p.Top, p.Left, p.Bottom, p.Right] : null) is [var top, var left, var bottom, var right]
            ? new(top, left, bottom, right) : throw new ArgumentException("'padding' must be four sizes: top, left, bottom, right.", nameof(value));
}
