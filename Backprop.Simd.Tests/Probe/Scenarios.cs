using Backprop.Simd.Inference;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Probe;

/// <summary>What a step may be; each makes its network once and returns the step.</summary>
internal static partial class Scenarios
{
    private const int Rows = 64;
    private const int Inputs = 80;
    private const int Classes = 10;

    public static IReadOnlyDictionary<string, Func<int, Action<int>>> All { get; } = new Dictionary<string, Func<int, Action<int>>>
    {
        ["training"] = Training,
        ["frozen"] = Frozen,
        ["graph"] = Graph,
        ["arrays"] = Arrays,
        ["sizes"] = Sizes,
        ["functions"] = Functions,
        ["losses"] = Losses,
        ["tokens"] = Tokens,
        ["inference"] = Inference,
        ["predictor"] = Predictions,
        ["sequences"] = Sequences,
        ["attention"] = Attention,
        ["generation"] = Generation,
        ["images"] = Images,
        ["vision"] = Vision,
        ["loading"] = Loading,
        ["reading-ahead"] = ReadingAhead,
        ["trainer"] = TrainerSteps,
        ["boxes"] = Boxes,
        ["product"] = Product,
    };

    /// <summary>Batches copied in from a data set, the last one short; momentum; a wide layer that two threads share.</summary>
    private static Action<int> Training(int threads)
    {
        var network = GraphBuilder.Chain(Inputs).Affine(200).Relu().Affine(Classes).SoftmaxCrossEntropy().Build<float>(seed: 1);
        return Steps(network, threads, new Sgd<float>(network.Parameters.Length, 0.01, 0.9, nesterov: true, weightDecay: 1e-4));
    }

    private static Action<int> Frozen(int threads)
    {
        var network = GraphBuilder.Chain(Inputs).Affine(50).Sigmoid().BatchNormalization().Dropout(0.2).Affine(Classes).SoftmaxCrossEntropy()
            .Build<float>(seed: 1);
        network.Freeze("affine1.weight");
        network.SetTraining(node => node is "batchnormalization1" or "dropout1", false);
        return Steps(network, threads, new AdamW<float>(network.Parameters.Length));
    }

    private static Action<int> Steps(Network<float> network, int threads, Optimizer<float> optimizer)
    {
        var (images, labels) = Data();
        var workspace = network.CreateWorkspace(Rows, compute: new ComputeContext(threads));
        return step =>
        {
            var first = step * Rows % labels.Length;
            workspace.Rows = Math.Min(Rows, labels.Length - first);
            images.AsSpan(first * Inputs, workspace.Rows * Inputs).CopyTo(workspace.Input("x"));
            workspace.SetIndexInput("labels", labels.AsSpan(first, workspace.Rows));
            var loss = network.Step(workspace, optimizer);
            if (!double.IsFinite(loss))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }

    /// <summary>Broadcasting, reductions, transposition, a choice, a shared layer, losses from expressions.</summary>
    private static Action<int> Arrays(int threads)
    {
        var graph = new GraphBuilder();
        var (x, w) = (graph.Input("x", 6, 5, 8), graph.Parameter("w", new Shape(8)));
        var encoder = graph.Share(new Affine(8, perPosition: true));
        var y = (x * w / (x.Norm(true, -1) + 1)).Apply(encoder).Tanh().Apply(encoder).Transpose(1, 0, 2);
        var z = Node.Where(y - y.Mean(true, 0), y, y.Max(true, 1, 2)) - y.Variance(0, true, 0, 1) + y.LogSumExp(true, 2) * y.Min(true, 0);
        graph.Output(z.ArgMax().Named("place"));
        z = Node.MatrixProduct(Node.MatrixProduct(z, graph.Parameter("v", new Shape(8, 6))), z);
        z = z.Pad([1, 0, 2], [1, 3, 1], PaddingMode.Edge).Reverse(0, -1).Tile(1, 40, 1).Slice(0, 1, 5).Slice(2, 2, 8);
        z = z.CumulativeSum(1).Sort(0).Values.Gather(graph.IndexInput("ids", 6)).SegmentSum(graph.IndexInput("segments", 6), 5);
        graph.Output(z.Tile(1, 1, 3).TopK(2, 0).Indices.Named("first"));
        graph.Loss(Node.Minimum(z * z, 4 + w).Sum(0, -1).Mean());
        graph.Loss(w.SquaredNorm(), 0.1);
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(4, compute: new ComputeContext(threads));
        var sgd = new Sgd<float>(network, 1e-4);
        return step =>
        {
            workspace.Rows = 1 + step % 4;
            workspace.Input("x").Fill(1 + step % 3);
            if (!double.IsFinite(network.Step(workspace, sgd)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }

    /// <summary>Every gate, fan-out, a tied parameter, input and output gradients, retained nodes, accumulation.</summary>
    private static Action<int> Graph(int threads)
    {
        var graph = new GraphBuilder();
        var (x, w) = (graph.Input("x", 16), graph.Parameter("w", new Shape(16, 16)));
        var h = Node.MatrixProduct(Node.MatrixProduct(x, w).Tanh().Named("hidden"), w);
        var y = Node.Maximum((h * h + 1).Reciprocal(), (-h).Exponential() * 0.5) + h.LeakyRelu() - x;
        graph.Output(y.Named("y"));
        graph.Output(y.SquaredNorm());
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(8, new WorkspaceOptions { InputGradients = true, Retain = Retain.Nodes("hidden") },
            new ComputeContext(threads));
        var memory = new double[8 * 16];
        Array.Fill(memory, 0.25);
        return step =>
        {
            workspace.BindInput("x", memory);
            workspace.OutputGradient("y").Fill(step % 3);
            network.Forward(workspace);
            network.Backward(workspace, accumulate: step % 2 == 1);
            if (workspace.GradientOf("x").Length + workspace.Output("y").Length + workspace.ParameterGradientOf("w").Length != 2 * 8 * 16 + 256)
                throw new InvalidOperationException("A length is wrong.");
        };
    }

    /// <summary>The losses in their forms, in one network, behind a learned rectifier.</summary>
    private static Action<int> Losses(int threads)
    {
        var graph = new GraphBuilder();
        var logits = graph.Input("x", 4).Affine(4).PRelu();
        var (labels, targets, rows) = (graph.IndexInput("labels"), graph.Input("t", 4), graph.Input("w"));
        double[] weights = [1, 2, 3, 4];
        graph.Loss(logits.Apply(new SoftmaxCrossEntropy(weights, 0.1), labels));
        graph.Loss(logits.Apply(new SoftmaxCrossEntropy(), labels), 0.5);
        graph.Loss(logits.Apply(new SoftmaxCrossEntropy(), targets));
        graph.Loss(logits.Apply(new MeanSquaredError(), targets));
        graph.Loss(logits.Apply(new SoftmaxCrossEntropy(labelSmoothing: 0.1), targets, rows));
        graph.Loss(logits.LogSoftmax().Apply(new NegativeLogLikelihood(), labels, rows));
        graph.Loss(logits.LogSoftmax().Apply(new KullbackLeibler(), targets));
        graph.Loss(logits.Softmax().Apply(new Huber(), targets, rows));
        graph.Loss(logits.Apply(new BinaryCrossEntropy(2, LossReduction.Sum), targets));
        graph.Output(logits.Gelu().Apply(new MeanAbsoluteError(LossReduction.None), targets));
        graph.Loss(logits.Apply(new MultiClassHinge(squared: true), labels, rows));
        graph.Loss(logits.Apply(new Focal(), targets, rows));
        graph.Loss(logits.Apply(new Dice(), targets, rows));
        graph.Loss(logits.Apply(new BinaryCrossEntropy(labelSmoothing: 0.1), targets));
        graph.Loss(logits.Apply(new CosineEmbedding(), targets, rows, rows));
        graph.Loss(logits.Apply(new TripletMargin(swap: true), logits.Tanh(), targets, rows));
        graph.Loss(logits.Apply(new InfoNce(symmetric: true), targets, rows));
        graph.Loss(logits.Apply(new GaussianNegativeLogLikelihood(), targets, logits.Exponential(), rows), 0.01);
        var (tokens, ends) = (graph.IndexInput("tokens", 3), graph.IndexInput("ends"));
        graph.Loss(graph.Input("sequence", 8, 6).Affine(5, perPosition: true).Apply(new Ctc(), tokens, graph.IndexInput("steps"), ends, rows));
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var sgd = new Sgd<float>(network.Parameters.Length, 1e-3);
        var workspace = network.CreateWorkspace(5, new WorkspaceOptions { InputGradients = true }, new ComputeContext(threads));
        var classes = new[] { 0, 1, 2, 3, -100 };
        workspace.Input("x").Fill(0.5f);
        workspace.Input("t").Fill(0.25f);
        workspace.Input("w").Fill(2);
        var (words, steps, lengths) = (Enumerable.Repeat(3, 15).ToArray(), new[] { 8, 7, 6, 5, 8 }, new[] { 3, 2, 1, 0, 3 });
        return step =>
        {
            workspace.SetIndexInput("labels", classes);
            workspace.SetIndexInput("tokens", words);
            workspace.SetIndexInput("steps", steps);
            workspace.SetIndexInput("ends", lengths);
            network.Step(workspace, sgd);
            if (!double.IsFinite(workspace.LossOf("meansquarederror1")))
                throw new InvalidOperationException($"The loss of step {step} is not finite.");
        };
    }

    /// <summary>Rows of a table that occur more than once, dropout, pooling, concatenation; steps of the rows that occur alone.</summary>
    private static Action<int> Tokens(int threads)
    {
        var graph = new GraphBuilder();
        var words = graph.IndexInput("tokens", 6).Embedding(500, 40, paddingIndex: 0).Dropout(0.2);
        var image = graph.Input("x", 9, 9, 20);
        var means = image.MaxPooling2D(3, stride: 2, padding: 1).AveragePooling2D(2).GlobalAveragePooling2D();
        words.Concatenate(words).Flatten().Affine(20).Concatenate(means).Affine(Classes).SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var sgd = new Sgd<float>(network.Parameters.Length, 1e-3);
        var workspace = network.CreateWorkspace(Rows, compute: new ComputeContext(threads));
        workspace.Input("x").Fill(0.5f);
        return step =>
        {
            var tokens = workspace.IndexInput("tokens");
            for (var i = 0; i < tokens.Length; i++)
                tokens[i] = (i * i + step) % 500;
            workspace.IndexInput("labels").Fill(step % Classes);
            if (!double.IsFinite(network.Step(workspace, sgd)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }

    /// <summary>Convolutions of every kind, fused with pooling and not, and every normalization; a short last batch now and then.</summary>
    private static Action<int> Images(int threads)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 12, 12, 3);
        var y = x.Convolution2D(20, 3, padding: 1).Relu().MaxPooling2D(2).BatchNormalization();
        y += y.Convolution2D(20, 3, padding: 1, groups: 20).GroupNormalization(4).Silu();
        y = y.Convolution2D(40, 3, stride: 2, padding: 1).LayerNormalization().Gelu();
        y = y.ConvolutionTranspose2D(10, 2, stride: 2).RmsNormalization().Convolution2D(16, 1).Relu();
        y.Reshape(36, 16).Convolution1D(8, 3, padding: Padding.Sides(2, 0)).Relu().Flatten().Affine(Classes).SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var adam = new Adam<float>(network.Parameters.Length, 1e-3);
        var workspace = network.CreateWorkspace(8, compute: new ComputeContext(threads));
        return step =>
        {
            workspace.Rows = step % 5 == 4 ? 3 : 8;
            var input = workspace.Input();
            for (var i = 0; i < input.Length; i++)
                input[i] = (i * 7 + step) % 11 * 0.1f;
            workspace.IndexInput("labels").Fill(step % Classes);
            if (!double.IsFinite(network.Step(workspace, adam)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }

    private static Action<int> Inference(int threads)
    {
        var network = GraphBuilder.Chain(Inputs).Affine(200).Relu().Affine(Classes).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var (images, labels) = Data();
        var workspace = network.CreateWorkspace(Rows, WorkspaceOptions.Inference, new ComputeContext(threads));
        return step =>
        {
            var first = step * Rows % labels.Length;
            workspace.Rows = Math.Min(Rows, labels.Length - first);
            workspace.BindInput("x", images.AsMemory(first * Inputs, workspace.Rows * Inputs));
            network.Forward(workspace);
            if (workspace.Output().Length != workspace.Rows * Classes)
                throw new InvalidOperationException("A length is wrong.");
        };
    }

    /// <summary>All ways to predict; more threads than workspaces, so that callers wait for each other.</summary>
    private static Action<int> Predictions(int threads)
    {
        var network = GraphBuilder.Chain(Inputs).Affine(200).Relu().Affine(Classes).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var images = Data().Images;
        var predictor = new Predictor<float>(network, new PredictorOptions { MaximumRows = 16, MaximumConcurrency = 1, Preallocate = true });
        for (var i = 1; i < threads; i++)
        {
            new Thread(() =>
            {
                var step = Caller();
                for (var s = 0; ; s++)
                    step(s);
            })
            { IsBackground = true }.Start();
        }

        return Caller();

        Action<int> Caller()
        {
            var (outputs, classes) = (new float[Rows * Classes], new int[Rows]);
            return step =>
            {
                var row = images.AsSpan(step % 200 * Inputs, Inputs);
                var batch = images.AsSpan(step % 200 * Inputs, (1 + step % Rows) * Inputs);
                predictor.Predict(row, outputs);
                predictor.Predict(batch, outputs);
                predictor.PredictProbabilities(batch, outputs);
                predictor.PredictClasses(batch, classes);
                if (predictor.PredictClass(row) != classes[0])
                    throw new InvalidOperationException("A row has another class alone.");
                using var lease = predictor.Rent(3);
                lease.Workspace.BindInput("x", images);
                lease.Forward();
            };
        }
    }

    /// <summary>Recurrences and attention, with lengths and learned positions.</summary>
    private static Action<int> Sequences(int threads)
    {
        const int Length = 12;
        var graph = new GraphBuilder();
        var (x, lengths) = (graph.Input("x", Length, 24), graph.IndexInput("lengths"));
        var attended = (x + graph.Parameter("position", new Shape(Length, 24))).SelfAttention(2, causal: true, lengths);
        var h = attended.Rnn(30, lengths).Lstm(40, lengths).Gru(24).Gru(20, lengths, resetAfter: false);
        h = h.StackedLstm(16, 2, lengths, dropout: 0.1, bidirectional: true).BidirectionalGru(12).Lstm(20, lengths, projection: 9);
        h.BidirectionalRnn(12, lengths).CrossAttention(x, 3, lengths).MeanSquaredError();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(16, new WorkspaceOptions { InputGradients = true }, new ComputeContext(threads));
        var adam = new Adam<float>(network.Parameters.Length);
        return step =>
        {
            workspace.Rows = step % 3 == 0 ? 5 : 16;
            workspace.Input("x").Fill(0.25f);
            workspace.IndexInput("lengths").Fill(1 + step % Length);
            if (!double.IsFinite(network.Step(workspace, adam)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }

    /// <summary>Attention with every option, with all scores and in blocks.</summary>
    private static Action<int> Attention(int threads)
    {
        var graph = new GraphBuilder();
        Node x = graph.Input("x", 512, 4), mask = graph.IndexInput("mask", 512), first = graph.IndexInput("first");
        var y = x.SinusoidalPositions(first).LearnedPositions(600, first);
        y = y.SelfAttention(2, causal: true, mask: mask, keyValueHeads: 1, dropout: 0.2, rotary: new RotaryPositions());
        y = y.Slice(0, 0, 20).RotaryPositions(2);
        y = y.SelfAttention(2, mask: graph.Parameter("bias", new Shape(20, 20)), dropout: 0.1, rotary: new RotaryPositions());
        graph.ApplyAll(new MultiHeadAttention(2, weights: true), y)[1].MeanSquaredError();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(2, compute: new ComputeContext(threads));
        var adam = new Adam<float>(network.Parameters.Length);
        return step =>
        {
            workspace.Input("x").Fill(0.25f);
            workspace.IndexInput("mask").Fill(1);
            workspace.IndexInput("mask")[step % 512] = 0;
            workspace.IndexInput("first").Fill(step % 80);
            if (!double.IsFinite(network.Step(workspace, adam)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }

    /// <summary>A sequence one position at a time, and draws.</summary>
    private static Action<int> Generation(int threads)
    {
        var graph = new GraphBuilder();
        var x = graph.IndexInput("tokens", 40).Embedding(30, 16).LearnedPositions();
        x.TransformerEncoderLayer(2, 32, causal: true, rotary: new RotaryPositions()).Affine(30).SoftmaxCrossEntropy();
        var generator = new SequenceGenerator<float>(graph.Build().CreateNetwork<float>(seed: 1), 2, compute: new ComputeContext(threads));
        var decoder = Decoder(threads);
        var sampler = new Sampler(1, 0.8, 10, 0.9);
        int first = 0, second = 1;
        return step =>
        {
            if (generator.Length == generator.MaximumLength)
                generator.Reset();
            var logits = generator.Next(first, second);
            first = sampler.Next(logits[..30]);
            second = sampler.Next(logits[30..]);
            if (decoder.Length == decoder.MaximumLength)
            {
                decoder.Reset();
                decoder.Input("memory").Fill(0.01f * first);
            }

            decoder.Next(first, second);
        };
    }

    private static SequenceGenerator<float> Decoder(int threads)
    {
        var graph = new GraphBuilder();
        var memory = graph.Input("memory", 7, 6).BidirectionalGru(8);
        var x = graph.IndexInput("tokens", 5).Embedding(30, 16).StackedLstm(16, layers: 2);
        (x + x.CrossAttention(memory, 2)).Affine(30).SoftmaxCrossEntropy();
        return new(graph.Build().CreateNetwork<float>(seed: 1), 2, compute: new ComputeContext(threads));
    }

    /// <summary>Allocates 24 bytes a step: shows that the probe sees them.</summary>
    private static Action<int> Boxes(int threads)
    {
        var boxes = new object[1];
        return step => boxes[0] = step + threads;
    }

    /// <summary>One matrix product, for whoever wants to see what it is compiled to.</summary>
    private static Action<int> Product(int threads)
    {
        const int Size = 64;
        var (a, b, c) = (new float[Size * Size], new float[Size * Size], new float[Size * Size]);
        var context = new ComputeContext(threads);
        return _ => Gemm.Multiply(new ReadOnlyMatrix<float>(a, Size, Size), new(b, Size, Size), new Matrix<float>(c, Size, Size), context);
    }

    private static (float[] Images, int[] Labels) Data()
    {
        var (images, labels) = (new float[300 * Inputs], new int[300]);
        for (var i = 0; i < images.Length; i++)
            images[i] = i * 7919 % 100 / 100f;
        for (var i = 0; i < labels.Length; i++)
            labels[i] = i % Classes;
        return (images, labels);
    }
}
