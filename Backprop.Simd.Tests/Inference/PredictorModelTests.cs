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

        var model = new Model<double>(network);
        Assert.Contains("ClassNames", Assert.Throws<InvalidOperationException>(() => predictor.PredictNameFromIndices(words.AsSpan(0, 4))).Message);
        model.ClassNames[network.Definition.OutputNames.First()] = ["glad", "sad"];
        var named = new Predictor<double>(model);
        for (var row = 0; row < 7; row++)
            Assert.Equal(outputs[row * 2] >= outputs[(row * 2) + 1] ? "glad" : "sad", named.PredictNameFromIndices(words.AsSpan(row * 4, 4)));
        Assert.Contains("takes 4 integers; got 8", Assert.Throws<ArgumentException>("row", () => named.PredictNameFromIndices(words.AsSpan(0, 8))).Message);
        predictor.PredictFromIndices([], []);
        Assert.Throws<ArgumentException>("indices", () => predictor.PredictFromIndices(new int[5], outputs));
        Assert.Throws<ArgumentException>("outputs", () => predictor.PredictFromIndices(words, new double[13]));
        words[27] = 9;
        Assert.Throws<ArgumentException>(() => predictor.PredictFromIndices(words, outputs));
        var values = new Predictor<double>(GraphBuilder.Chain(4).Affine(1).MeanSquaredError().Build<double>());
        Assert.Contains("'x'", Assert.Throws<InvalidOperationException>(() => values.PredictFromIndices(words, outputs)).Message);
    }

    [Fact]
    public void A_row_in_names_feeds_several_inputs()
    {
        var graph = new GraphBuilder();
        var (rooms, place, district) = (graph.Input("rooms", 1), graph.Input("place", 2), graph.IndexInput("district"));
        graph.Output(rooms.Concatenate(place, district.Embedding(3, 2)).Affine(2));
        var network = graph.Build().CreateNetwork<float>(seed: 4);
        var model = new Model<float>(network);
        var predictor = new Predictor<float>(model);
        var row = ((string, double)[])[("district", 2), ("north", 0.5), ("east", -1), ("rooms", 3)];
        Assert.Contains("columns of 'place' values [2] have no names: set ColumnNames",
            Assert.Throws<InvalidOperationException>(() => predictor.Predict(row)).Message);
        model.ColumnNames["place"] = ["east", "north"];

        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        workspace.SetInput("rooms", [3]);
        workspace.SetInput("place", [-1, 0.5f]);
        workspace.SetIndexInput("district", [2]);
        network.Forward(workspace);
        Bits.AssertEqual(workspace.Output(), predictor.Predict(row), "outputs");

        Assert.Contains("'district' is an index, an integer; got 2.5",
            Assert.Throws<ArgumentException>("row", () => predictor.Predict([("district", 2.5), .. row[1..]])).Message);
        Assert.Throws<ArgumentException>(() => predictor.Predict([("district", 3), .. row[1..]]));
        Assert.Contains("'rooms' is missing", Assert.Throws<ArgumentException>("row", () => predictor.Predict(row.AsSpan(0, 3))).Message);
        Assert.Contains("rooms, east, north, district", Assert.Throws<ArgumentException>("row", () => predictor.Predict(("place", 1))).Message);
        model.ColumnNames["place"] = ["rooms", "north"];
        Assert.Contains("'rooms' and 'place' both have a column 'rooms'", Assert.Throws<InvalidOperationException>(() => predictor.Predict(row)).Message);

        var sequence = new Predictor<float>(GraphBuilder.Chain(new Shape(2, 3)).Flatten().Affine(1).Build<float>());
        Assert.Contains("rent a workspace", Assert.Throws<InvalidOperationException>(() => sequence.Predict(("x", 1))).Message);
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
