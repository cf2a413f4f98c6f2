using Backprop.Simd.Data;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The code of docs/onnx.md, compiled and run. Each text here equals the document's text.</summary>
public sealed class OnnxDocumentTests
{
    private static readonly string[] Names = ["Out", "Run"];

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
