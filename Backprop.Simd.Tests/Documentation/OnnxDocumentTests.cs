using Backprop.Simd.Data;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The code of docs/onnx.md, compiled and run. Each text here equals the document's text.</summary>
public sealed class OnnxDocumentTests
{
    private static readonly string[] Names = ["Out", "Run", "In", "Head"];

    public static TheoryData<string> Blocks => [.. Names];

    [Fact]
    public void The_model_gives_what_the_network_gives()
    {
        const int Rows = 3;
        var directory = Directory.CreateTempSubdirectory("backprop-onnx-");
        try
        {
            var pixels = new float[Rows * 28 * 28];
            for (var i = 0; i < pixels.Length; i++)
                pixels[i] = i * 37 % 256 / 255f;
            var path = Path.Combine(directory.FullName, "digits.onnx");
            var network = Out(path, Normalization.Standardize(new Dataset<float>(Columns.Values("x", new Shape(28, 28, 1), pixels)), "x"));
            var workspace = network.CreateWorkspace(Rows, WorkspaceOptions.Inference);
            workspace.SetInput("x", pixels);
            network.Forward(workspace);
            var expected = workspace.Output("probabilities").ToArray();
            var actual = Run(path, pixels, Rows);
            Assert.Equal(Rows * 10, actual.Length);
            for (var i = 0; i < actual.Length; i++)
                Assert.InRange(Math.Abs(actual[i] - expected[i]), 0, 1e-5);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_model_comes_in_and_another_head_learns_on_it()
    {
        var directory = Directory.CreateTempSubdirectory("backprop-onnx-");
        try
        {
            var path = Path.Combine(directory.FullName, "model.onnx");
            var features = GraphBuilder.Chain(new Shape(28, 28, 1)).Convolution2D(8, 3, stride: 2).Relu().GlobalAveragePooling2D().Named("features");
            features.Graph.Output(features);
            features.Graph.Output(features.Affine(10).Named("logits"));
            var original = features.Graph.Build().CreateNetwork<float>(seed: 3);
            original.SaveOnnx(path);
            Assert.Equal(original.ParameterOf("convolution2d1.weight").ToArray(), In(path, 2).Network.ParameterOf("convolution2d1.weight").ToArray());

            var network = Head(path);
            var before = network.ParameterOf("convolution2d1.weight").ToArray();
            Assert.Equal(original.ParameterOf("convolution2d1.weight").ToArray(), before);
            var workspace = network.CreateWorkspace(4);
            for (var i = 0; i < workspace.Input("pixels").Length; i++)
                workspace.Input("pixels")[i] = i * 37 % 256;
            workspace.SetIndexInput("labels", [0, 1, 2, 4]);
            var sgd = new Sgd<float>(network, 0.1);
            var first = network.Step(workspace, sgd);
            Assert.True(network.Step(workspace, sgd) < first);
            Assert.Equal(before, network.ParameterOf("convolution2d1.weight").ToArray());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static Workspace<float> In(string path, int rows)
    {
        // begin In
        var network = OnnxNetworks.LoadOnnx<float>(path);                    // operators 7 to 21; where sizes are free: options.Sizes
        var workspace = network.CreateWorkspace(rows);
        // end In
        return workspace;
    }

    private static Network<float> Head(string path)
    {
        // begin Head
        var file = OnnxFile.Open(path);
        var graph = new GraphBuilder();
        var images = graph.Input("pixels", 28, 28, 1) * (1 / 127.5) - 1;                // 0..255, as -1..1
        var model = file.AddTo(graph, new OnnxLoadOptions
        {
            Inputs = new Dictionary<string, Node> { ["x"] = images },                   // nodes in place of inputs
            Outputs = ["features"],                                                     // any name of the model
        });
        model["features"].Affine(5).Named("head").SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        model.CopyTo(network);                                                          // the numbers of the model
        network.Freeze(p => !p.Name.StartsWith("head"), statistics: true);
        // end Head
        return network;
    }

    private static Network<float> Out(string path, Normalization statistics)
    {
        // begin Out
        var graph = new GraphBuilder();
        var x = graph.Input("x", 28, 28, 1).Normalize(statistics);
        x = x.Convolution2D(8, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2).Dropout(0.3);
        var logits = x.Flatten().Affine(10).Named("logits");
        graph.Output(logits.Softmax().Named("probabilities"));
        logits.SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);          // train it
        network.SaveOnnx(path, new OnnxSaveOptions
        {
            Outputs = ["probabilities"],
            Metadata = new Dictionary<string, string> { ["author"] = "me" },
        });
        // end Out
        return network;
    }

    private static float[] Run(string path, float[] pixels, int rows)
    {
        // begin Run
        using var session = new InferenceSession(path);
        using var images = OrtValue.CreateTensorValueFromMemory(pixels, [rows, 28, 28, 1]);
        using var results = session.Run(new RunOptions(), ["x"], [images], ["probabilities"]);
        var probabilities = results[0].GetTensorDataAsSpan<float>();        // [rows, 10]
        // end Run
        return probabilities.ToArray();
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void The_document_shows_what_is_run(string name) =>
        DocumentExamples.AssertShown("docs/onnx.md", "Backprop.Simd.Tests/Documentation/OnnxDocumentTests.cs", Names, name);
}
