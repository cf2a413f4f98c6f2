using Backprop.Simd.Datasets;
using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A network that others trained learns another task: ResNet-18, of photographs, the clothes of Fashion-MNIST.</summary>
/// <param name="output">What is told.</param>
public sealed class TransferLearningTests(ITestOutputHelper output)
{
    private const int Train = 2000, Test = 1000, Batch = 20, Features = 512, Classes = 10;

    private const string Input = "Input247", Last = "ReLU393_Output_0";

    /// <summary>Smaller photographs than the model was made for: its last map is 3 x 3 then, and its mean the features.</summary>
    private const int Size = 96;

    /// <summary>The mean of a photograph's pixels, which the model expects to be subtracted.</summary>
    private const double Mean = 118;

    [Fact]
    public void A_head_on_its_features_and_then_its_last_block_learn()
    {
        if (ModelPackages.ResNet18 is not { } path || FashionMnist.Published.Find() is not { } data)
        {
            output.WriteLine($"{ModelPackages.Missing}, or Fashion-MNIST is missing");
            return;
        }

        var set = FashionMnist.LoadOrDownload(data).Train;
        var file = OnnxFile.Open(path);

        // The features of 3,000 images, once.
        var (graph, model) = Backbone(file);
        graph.Output(model[Last].GlobalAveragePooling2D());
        var backbone = graph.Build().CreateNetwork<float>();
        model.CopyTo(backbone);
        var features = new float[(Train + Test) * Features];
        var workspace = backbone.CreateWorkspace(Batch, WorkspaceOptions.Inference, ComputeContext.Default);
        for (var start = 0; start < Train + Test; start += Batch)
        {
            set.CopyRows(start, Batch, workspace.Input());
            backbone.Forward(workspace);
            workspace.Output().CopyTo(features.AsSpan(start * Features));
        }

        var head = Head(GraphBuilder.Chain(Features)).SoftmaxCrossEntropy().Build<float>(seed: 1);
        var accuracy = TrainHead(head, features, set);
        output.WriteLine($"A head on the features of {Train} images: {accuracy:P1} of {Test} others.");
        Assert.True(accuracy >= 0.8, $"{accuracy:P1} are right.");

        // The same head on the whole network; then its last block learns too.
        (graph, model) = Backbone(file);
        Head(model[Last].GlobalAveragePooling2D()).SoftmaxCrossEntropy();
        var whole = graph.Build().CreateNetwork<float>();
        model.CopyTo(whole);
        foreach (var p in head.Definition.Parameters.Entries)
            head.ParameterOf(p.Name).CopyTo(whole.ParameterOf(p.Name));
        foreach (var s in head.Definition.State.Entries)
            head.StateOf(s.Name).CopyTo(whole.StateOf(s.Name));

        var nodes = whole.Definition.Nodes;
        var blockBefore = nodes.Where(n => n.Layer.Kind == "add").ToArray()[^2];
        HashSet<string> last = [.. nodes.SkipWhile(n => n != blockBefore).SelectMany(n => n.Parameters.Concat(n.States))];
        whole.Freeze(p => !last.Contains(p.Name), statistics: true);
        Assert.Equal(10, last.Count(name => whole.Definition.Parameters.TryFind(name, out _)));

        var training = whole.CreateWorkspace(Batch);
        set.CopyRows(0, Batch, training.Input());
        set.CopyLabels(0, Batch, training.IndexInput());
        var sgd = new Sgd<float>(whole, 1e-3, momentum: 0.9);
        var first = whole.Step(training, sgd);
        double loss = 0;
        for (var step = 0; step < 8; step++)
            loss = whole.Step(training, sgd);
        output.WriteLine($"Its last block learns too: the loss falls from {first:F4} to {loss:F4} in 9 steps.");
        Assert.True(loss < 0.8 * first, $"The loss is {loss} after {first}.");
        // All of it goes out again.
        using var run = OnnxRun.Of(whole, new OnnxSaveOptions { Outputs = ["head"] });
        var inference = whole.CreateWorkspace(Batch, WorkspaceOptions.Inference with { Retain = Retain.Nodes("head") }, ComputeContext.Default);
        set.CopyRows(Train, Batch, inference.Input());
        var difference = run.Difference(inference);
        output.WriteLine($"Exported again: {difference:E1} of the largest from ONNX Runtime.");
        Assert.InRange(difference, 0, 1e-4);
        Assert.Equal(backbone.ParameterOf("convolution2d1.weight").ToArray(), whole.ParameterOf("convolution2d1.weight").ToArray());
    }

    /// <summary>From grey pixels, 28 x 28, to what the model takes: three channels, larger, less the mean.</summary>
    private static (GraphBuilder Graph, OnnxGraph Model) Backbone(OnnxFile file)
    {
        var graph = new GraphBuilder();
        var photo = (graph.Input("x", 28, 28, 1) * 255 - Mean).Upsample(outputs: new Extent(Size, Size), mode: ResizeMode.Bilinear).Tile(1, 1, 3);
        return (graph, file.AddTo(graph, new()
        {
            Sizes = new Dictionary<string, int[]> { [Input] = [1, 3, Size, Size] },
            Inputs = new Dictionary<string, Node> { [Input] = photo },
            Outputs = [Last],
        }));
    }

    private static Node Head(Node features) => features.BatchNormalization().Named("norm").Dropout(0.5).Affine(Classes).Named("head");

    private static double TrainHead(Network<float> head, float[] features, LabeledImages set)
    {
        var training = head.CreateWorkspace(Batch);
        var adam = new Adam<float>(head, 1e-3);
        for (var epoch = 0; epoch < 30; epoch++)
        {
            for (var start = 0; start < Train; start += Batch)
            {
                features.AsSpan(start * Features, Batch * Features).CopyTo(training.Input());
                set.CopyLabels(start, Batch, training.IndexInput());
                head.Step(training, adam);
            }
        }

        var test = head.CreateWorkspace(Test, WorkspaceOptions.Inference);
        features.AsSpan(Train * Features).CopyTo(test.Input());
        head.Forward(test);
        var right = 0;
        for (var row = 0; row < Test; row++)
        {
            right += System.Numerics.Tensors.TensorPrimitives.IndexOfMax(test.Output().Slice(row * Classes, Classes)) == set.Label(Train + row) ? 1 : 0;
        }

        return (double)right / Test;
    }
}
