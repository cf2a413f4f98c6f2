using Backprop.Simd.Data;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Serialization;

namespace Backprop.Simd.Tests.Inference;

/// <summary>A predictor of a model file: names of classes and columns, rows of indices, whole sets.</summary>
public sealed class PredictorModelTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_file_answers_in_names()
    {
        var network = GraphBuilder.Chain(3).Affine(8).Tanh().Affine(2).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var model = new Model<float>(network);
        model.ClassNames["affine2"] = ["cheap", "dear"];
        model.ColumnNames["x"] = ["age", "rooms", "area"];
        model.Save(_directory["houses.model"]);

        var predictor = Predictor.Load<float>(_directory["houses.model"]);
        Assert.Equal(["cheap", "dear"], predictor.ClassNames);
        var plain = new Predictor<float>(network);
        float[] row = [41, 3, 120], outputs = new float[2];
        plain.Predict(row, outputs);
        Assert.Equal(outputs, predictor.Predict(("rooms", 3), ("area", 120), ("age", 41)));
        Assert.Equal(predictor.ClassNames[plain.PredictClass(row)], predictor.PredictName(row));

        Assert.Contains("'area' is missing", Assert.Throws<ArgumentException>("row", () => predictor.Predict(("rooms", 3), ("age", 41))).Message);
        Assert.Contains("'age' is given twice", Assert.Throws<ArgumentException>("row", () => predictor.Predict(("age", 3), ("age", 41))).Message);
        Assert.Contains("age, rooms, area", Assert.Throws<ArgumentException>("row", () => predictor.Predict(("Age", 3))).Message);
        Assert.Contains("ColumnNames", Assert.Throws<InvalidOperationException>(() => plain.Predict(("age", 3))).Message);
        Assert.Contains("ClassNames", Assert.Throws<InvalidOperationException>(() => plain.PredictName(row)).Message);
        Assert.Empty(plain.ClassNames);
        Assert.Throws<ArgumentNullException>("model", () => new Predictor<float>((Model<float>)null!));
    }

    [Fact]
    public void Rows_of_indices_are_predicted()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.IndexInput("words", 4).Embedding(9, 3).Flatten().Affine(2));
        var network = graph.Build().CreateNetwork<double>(seed: 2);
        var predictor = new Predictor<double>(network, new() { MaximumRows = 3 });
        int[] words = [.. Enumerable.Range(0, 7 * 4).Select(i => i * 5 % 9)];
        var outputs = new double[7 * 2];
        predictor.PredictFromIndices(words, outputs);
        var workspace = network.CreateWorkspace(3, WorkspaceOptions.Inference);
        for (var first = 0; first < 7; first += 3)
        {
            workspace.Rows = Math.Min(3, 7 - first);
            workspace.SetIndexInput("words", words.AsSpan(first * 4, workspace.Rows * 4));
            network.Forward(workspace);
            Bits.AssertEqual(workspace.Output(), outputs.AsSpan(first * 2, workspace.Rows * 2), "outputs");
        }

        predictor.PredictFromIndices([], []);
        Assert.Throws<ArgumentException>("indices", () => predictor.PredictFromIndices(new int[5], outputs));
        Assert.Throws<ArgumentException>("outputs", () => predictor.PredictFromIndices(words, new double[13]));
        words[27] = 9;
        Assert.Throws<ArgumentException>(() => predictor.PredictFromIndices(words, outputs));
        var values = new Predictor<double>(GraphBuilder.Chain(4).Affine(1).MeanSquaredError().Build<double>());
        Assert.Contains("'x'", Assert.Throws<InvalidOperationException>(() => values.PredictFromIndices(words, outputs)).Message);
    }

    [Fact]
    public void A_whole_set_feeds_several_inputs()
    {
        var graph = new GraphBuilder();
        var (x, district) = (graph.Input("x", 2), graph.IndexInput("district"));
        var h = x.Concatenate(district.Embedding(3, 2)).Affine(4).Relu();
        var (price, rent) = (h.Affine(1).Named("price"), h.Affine(1).Named("rent"));
        graph.Output(price);
        graph.Output(rent);
        price.MeanSquaredError();
        var network = graph.Build().CreateNetwork<float>(seed: 3);
        float[] numbers = [.. Enumerable.Range(0, 22).Select(i => i * 0.1f)];
        int[] districts = [.. Enumerable.Range(0, 11).Select(i => i % 3)];
        var set = new Dataset<float>(Columns.Values<float>("x", new Shape(2), numbers), Columns.Indices("district", Shape.Scalar, districts));
        foreach (var output in (string[])["price", "rent"])
        {
            var predictor = new Predictor<float>(network, new() { MaximumRows = 4, Output = output });
            var outputs = new float[11];
            predictor.Predict(set, outputs);
            var workspace = network.CreateWorkspace(11, WorkspaceOptions.Inference);
            workspace.SetInput("x", numbers);
            workspace.SetIndexInput("district", districts);
            network.Forward(workspace);
            for (var i = 0; i < 11; i++)
                Assert.Equal(workspace.Output(output)[i], outputs[i], 1e-6f);
            Assert.Throws<ArgumentException>("outputs", () => predictor.Predict(set, new float[10]));
        }

        var half = new Dataset<float>(Columns.Values<float>("x", new Shape(2), numbers));
        Assert.Contains("'district'", Assert.Throws<ArgumentException>(() => new Predictor<float>(network).Predict(half, new float[11])).Message);
    }
}
