using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The networks of docs/examples.md, compiled and trained. Each text here equals the document's text.</summary>
public sealed class ExamplesDocumentTests
{
    private static readonly string[] Names = ["Vae", "Siamese", "UShape", "Translate", "Characters"];

    public static TheoryData<string> Examples => [.. Names];

    [Fact]
    public void The_autoencoder_learns_digits()
    {
        using var digits = new BatchLoader<float>(Digits.Split().Train.ToDataset<float>(), 50);
        var losses = Vae(digits, 300);
        Assert.InRange(losses[^20..].Average(), 0, 0.7 * losses[0]);
    }

    [Fact]
    public void The_siamese_network_tells_new_images_apart()
    {
        var (train, test) = Digits.Split();
        var network = Siamese();
        var workspace = network.CreateWorkspace(64);
        var adam = new Adam<float>(network, 0.003);
        var random = new Random(1);

        void Fill(LabeledImages images, Workspace<float> into)
        {
            for (var row = 0; row < into.Rows; row++)
            {
                int a = random.Next(images.Count), b = random.Next(images.Count);
                for (var tries = 0; tries < 100 && (images.Label(a) == images.Label(b)) != (row % 2 == 0); tries++)
                    b = random.Next(images.Count);
                images.CopyRows(a, 1, into.Input("first").Slice(row * 64, 64));
                images.CopyRows(b, 1, into.Input("second").Slice(row * 64, 64));
                into.Input("targets")[row] = images.Label(a) == images.Label(b) ? 1 : -1;
            }
        }

        for (var step = 0; step < 600; step++)
        {
            Fill(train, workspace);
            network.Step(workspace, adam);
        }

        Fill(test, workspace);
        network.Forward(workspace);
        var (same, other) = (0.0, 0.0);
        for (var row = 0; row < 64; row++)
        {
            if (workspace.Input("targets")[row] > 0)
                same += workspace.Output("alike")[row] / 32;
            else
                other += workspace.Output("alike")[row] / 32;
        }

        Assert.True(same > other + 0.3, $"{same} {other}");
    }

    [Fact]
    public void The_U_shape_finds_bright_squares()
    {
        var network = UShape();
        var workspace = network.CreateWorkspace(8);
        var adam = new Adam<float>(network, 0.01);
        var random = new Random(1);
        var losses = new List<double>();
        for (var step = 0; step < 60; step++)
        {
            workspace.Input("targets").Clear();
            for (var row = 0; row < 8; row++)
            {
                var (top, left) = (random.Next(8), random.Next(8));
                for (var i = 0; i < 36; i++)
                    workspace.Input("targets")[row * 256 + (top + i / 6) * 16 + left + i % 6] = 1;
            }

            for (var i = 0; i < 8 * 256; i++)
                workspace.Input("x")[i] = workspace.Input("targets")[i] + random.NextSingle() - 0.5f;
            losses.Add(network.Step(workspace, adam));
        }

        Assert.InRange(losses[^1], 0, 0.3 * losses[0]);
    }

    [Fact]
    public void The_translator_learns_to_read_backward()
    {
        var network = Translate();
        var workspace = network.CreateWorkspace(32);
        var adam = new Adam<float>(network, 0.005);
        var random = new Random(1);
        var losses = new List<double>();
        for (var step = 0; step < 400; step++)
        {
            for (var row = 0; row < 32; row++)
            {
                for (var t = 0; t < 8; t++)
                    workspace.IndexInput("source")[row * 8 + t] = 1 + random.Next(11);
                for (var t = 0; t < 8; t++)
                {
                    workspace.IndexInput("labels")[row * 8 + t] = workspace.IndexInput("source")[row * 8 + 7 - t];
                    workspace.IndexInput("before")[row * 8 + t] = t == 0 ? 0 : workspace.IndexInput("source")[row * 8 + 8 - t];
                }
            }

            losses.Add(network.Step(workspace, adam));
        }

        Assert.InRange(losses[^1], 0, 0.5 * losses[0]);
    }

    [Fact]
    public void The_character_model_writes_what_it_has_read()
    {
        var text = string.Concat(Enumerable.Repeat("the cat sat on the mat. ", 20));
        var (losses, written) = Characters(text, 150);
        Assert.InRange(losses[^1], 0, 0.2 * losses[0]);
        Assert.Contains(written[4..12], text, StringComparison.Ordinal);
    }

    private static List<double> Vae(BatchLoader<float> digits, int steps)
    {
        var losses = new List<double>();

        // begin Vae
        var graph = new GraphBuilder();
        var x = graph.Input("x", 64);
        var h = x.Affine(64).Relu();
        var (mean, logVariance) = (h.Affine(6), h.Affine(6));
        var z = mean + (logVariance * 0.5).Exponential() * mean.Noise();            // drawn anew in each step
        var logits = z.Affine(64).Relu().Affine(64);
        graph.Loss(logits.Apply(new BinaryCrossEntropy(), x), 64);                  // the mean over 64 pixels, times 64
        graph.Loss((mean * mean + logVariance.Exponential() - logVariance - 1).Sum(), 0.5);
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(50);
        var adam = new Adam<float>(network, 0.003);
        for (var step = 0; step < steps; step++)
        {
            workspace.Bind(digits.Next());
            losses.Add(network.Step(workspace, adam));
        }
        // end Vae
        return losses;
    }

    private static Network<float> Siamese()
    {
        // begin Siamese
        var graph = new GraphBuilder();
        var (hidden, code) = (graph.Share(new Affine(64)), graph.Share(new Affine(16)));               // one set of parameters for both images
        Node Encode(Node image) => graph.Apply(code, graph.Apply(hidden, image).Relu());

        var (first, second) = (Encode(graph.Input("first", 64)), Encode(graph.Input("second", 64)));
        var alike = (first * second).Sum() / (first.Norm() * second.Norm() + 1e-6);                    // the cosine, from -1 to 1
        graph.Output(alike.Named("alike"));
        first.CosineEmbedding(second, "targets", new CosineEmbedding(margin: 0.3));                    // 1: the same digit; -1: another one
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        // end Siamese
        return network;
    }

    private static Network<float> UShape()
    {
        // begin UShape
        static Node Block(Node x, int channels) => x.Convolution2D(channels, 3, padding: 1).BatchNormalization().Relu();

        var x = GraphBuilder.Chain(new Shape(16, 16, 1));
        var top = Block(x, 8);
        var bottom = Block(top.MaxPooling2D(2), 16);
        var joined = Block(bottom.Upsample(2, mode: ResizeMode.Bilinear).Concatenate(top), 8);
        var network = joined.Convolution2D(1, 1).BinaryCrossEntropy().Build<float>(seed: 1);        // targets: a mask [16, 16, 1]
        // end UShape
        return network;
    }

    private static Network<float> Translate()
    {
        // begin Translate
        const int Longest = 8, Words = 12;
        var graph = new GraphBuilder();
        var source = graph.IndexInput("source", Longest).Embedding(Words, 32).BidirectionalGru(32);
        var before = graph.IndexInput("before", Longest).Embedding(Words, 64).Gru(64);              // the words that come before each word
        var decoded = before.CrossAttention(source, heads: 4) + before;
        decoded.Affine(Words).SoftmaxCrossEntropy();                                                // labels: the words
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        // end Translate
        return network;
    }

    private static (List<double> Losses, string Written) Characters(string text, int steps)
    {
        var losses = new List<double>();

        // begin Characters
        var letters = text.Distinct().Order().ToArray();
        var graph = new GraphBuilder();
        var h = graph.IndexInput("letters", 24).Embedding(letters.Length, 48).LearnedPositions();
        for (var i = 0; i < 2; i++)
            h = h.TransformerEncoderLayer(heads: 4, feedForward: 96, dropout: 0, normalizeFirst: true, causal: true);
        var logits = h.LayerNormalization().Affine(letters.Length);
        graph.Output(logits);
        logits.SoftmaxCrossEntropy();                                               // labels: the letter that follows each
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(16);
        var adam = new Adam<float>(network, 0.003);
        var random = new Random(1);
        for (var step = 0; step < steps; step++)
        {
            for (var row = 0; row < 16; row++)
            {
                var start = random.Next(text.Length - 25);
                for (var t = 0; t < 24; t++)
                {
                    workspace.IndexInput("letters")[row * 24 + t] = Array.IndexOf(letters, text[start + t]);
                    workspace.IndexInput("labels")[row * 24 + t] = Array.IndexOf(letters, text[start + t + 1]);
                }
            }

            losses.Add(network.Step(workspace, adam));
        }

        var generator = new SequenceGenerator<float>(network);
        var sampler = new Sampler(seed: 1, temperature: 0.5, topK: 5);
        var written = text[..1];
        while (written.Length < 24)
            written += letters[sampler.Next(generator.Next(Array.IndexOf(letters, written[^1])))];
        // end Characters
        return (losses, written);
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_document_shows_what_is_run(string name) =>
        DocumentExamples.AssertShown("docs/examples.md", "Backprop.Simd.Tests/Documentation/ExamplesDocumentTests.cs", Names, name);
}
