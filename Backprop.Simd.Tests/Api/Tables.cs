using System.Reflection;
using Backprop.Simd.Activations;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Gradients;

namespace Backprop.Simd.Tests.Api;

/// <summary>The recipes, and the members that have none.</summary>
internal static class Tables
{
    private const string Weight = "affine1.weight", Running = "batchnormalization1.runningMean";

    /// <summary>Members whose good arguments are refused here: there is no such data, or the object is in another state.</summary>
    private static readonly HashSet<string> Refused =
    [
        "Mnist.Load", "Mnist.LoadOrDownload", "FashionMnist.LoadOrDownload", "MnistSet.LoadOrDownload", "MnistSet.DownloadAsync", "MnistSet.Verify",
        "GraphBuilder.Build", "GraphBuilder.IndexInput", "GraphBuilder.Parameter", "GradientAccumulator.Average", "Trainer.Resume",
        "Trainer.TryResume", "Optimizer.State", "DataArray.Labels", "DataArray.Indices", "DataArray.Bytes", "ExponentialMovingAverage.CopyTo",
        "ExponentialMovingAverage.Swap", "Network.Update", "Workspace.SetSizes", "Workspace.SizeOf", "SafetensorsFile.VerifyChecksum",
        "LayerKinds.Register", "LayerKinds.RegisterActivation", "LayerKinds.RegisterGate", "Predictor.PredictFromIndices", "Predictor.PredictNameFromIndices",
        "SequenceGenerator.ctor", "ForwardContext.EachStep", "BackwardContext.EachStep", "LayerDeclaration.UseEachStep",
        "NpyArray.Values", "NpyArray.AsTensorSpan",
    ];

    /// <summary>Arguments that have one value only: with another the members would go to the network.</summary>
    private static readonly HashSet<string> Fixed = ["Mnist.LoadOrDownload.options", "FashionMnist.LoadOrDownload.options"];

    public static bool IsRefused(MethodBase member) => Refused.Contains(Key(member)) || IsPass(member)
        || member is MethodInfo { IsGenericMethod: true } method && method.GetGenericArguments().Contains(typeof(Half));

    public static bool IsFixed(System.Reflection.ParameterInfo parameter) => Fixed.Contains($"{Key(parameter.Member)}.{parameter.Name}");

    /// <summary>Arguments that a large number is right for, and takes long: a gradient check runs forward for each element.</summary>
    public static bool TakesLong(System.Reflection.ParameterInfo parameter) => parameter.Member.DeclaringType!.Name is "GradientCheck";

    /// <summary>Whether this is a layer's pass: only a network can make a context for it.</summary>
    public static bool IsPass(MemberInfo member) => member.DeclaringType!.IsAssignableTo(typeof(Layer)) && member.Name is "Forward" or "Backward"
        && !member.DeclaringType!.IsAssignableTo(typeof(IActivation)) && member.DeclaringType != typeof(ActivationKernels);

    public static string Key(MemberInfo member) => $"{member.DeclaringType!.Name.Split('`')[0]}.{member.Name.TrimStart('.')}";

    public static Dictionary<string, Func<object?>> All()
    {
        var table = new Dictionary<string, Func<object?>>();
        foreach (var part in (IEnumerable<(string, Func<object?>)>[])[Kernels(), Graphs(), Data(), Training()])
        {
            foreach (var (key, make) in part)
                table.Add(key, make);
        }

        return table;
    }

    private static IEnumerable<(string, Func<object?>)> Kernels() =>
    [
        ("Convolution.weights", () => 1), ("Convolution.bias", () => 1), ("Convolution.dw", () => 1), ("Convolution.db", () => 1),
        ("ConvolutionShape.channels", () => 2), ("ConvolutionShape.kernel", () => 2), ("Same.kernel", () => 3),
        ("bias", () => 2), ("row", () => 2), ("sums", () => 2), ("losses", () => 2), ("maximum", () => 2), ("logSum", () => 2), ("labels", () => 2),
        ("Matrix.ctor.columnStride", () => 1), ("ReadOnlyMatrix.ctor.columnStride", () => 1),
        ("Matrix.row", () => 1), ("Matrix.column", () => 1), ("ReadOnlyMatrix.row", () => 1), ("ReadOnlyMatrix.column", () => 1),
        ("SliceRows.start", () => 0), ("SliceRows.count", () => 1), ("SliceColumns.start", () => 0), ("SliceColumns.count", () => 1),
        ("ByNorm.maximum", () => 1.0), ("ByValue.maximum", () => 1.0),
        ("Fill.fanIn", () => 2), ("Fill.shape", () => new[] { 2, 2 }), ("ValuesInitializer.Fill.values", () => 2),
        ("Uniform.high", () => 1.0), ("UniformInitializer.high", () => 1.0),
        ("TruncatedNormal.bound", () => 2.0), ("Shape.dimension", () => 0), ("Shape.ctor.dimensions", () => new[] { 2, 2 }),
        ("dimensions", () => new[] { 2, 2 }), ("ShapedSpan.ctor.shape", () => new[] { 2, 2 }), ("ShapedSpan.dimension", () => 0),
        ("Broadcasting.Shape.x", () => new[] { 2, 1 }), ("Broadcasting.Shape.y", () => new[] { 2 }), ("Shape.result", () => 2),
        ("GluBackward.dy", () => 2), ("SwiGluBackward.dy", () => 2), ("Glu.y", () => 2), ("SwiGlu.y", () => 2),
        ("AxisReductions.shape", () => new[] { 2, 1 }), ("AxisReductions.y", () => 2), ("AxisReductions.dy", () => 2), ("AxisReductions.means", () => 2),
        ("AxisReductions.variances", () => 2), ("AxisReductions.scratch", () => 12), ("Broadcasting.scratch", () => 8),
        ("WhereGradient.shape", () => new[] { 2, 2 }), ("WhereGradient.gradient", () => 4), ("NodeChain.Split.lengths", () => new[] { 4 }),
        ("Permutation.axes", () => new[] { 1, 0 }), ("MultiplyBatch.a", () => new[] { 2, 2 }), ("MultiplyBatch.b", () => new[] { 2, 2 }),
        ("Arrays.x", () => new[] { 2 }), ("Arrays.before", () => new[] { 1 }), ("Arrays.after", () => new[] { 1 }), ("Arrays.axes", () => new[] { 0 }),
        ("Arrays.shape", () => new[] { 2 }), ("Arrays.repeats", () => new[] { 2 }), ("Arrays.y", () => 4), ("Arrays.dy", () => 4), ("Arrays.dx", () => 2),
        ("Arrays.Reverse.y", () => 2), ("Pad.before", () => new[] { 1 }), ("Pad.after", () => new[] { 1 }), ("Tile.repeats", () => new[] { 2 }),
        ("Reverse.axes", () => new[] { 0 }),
        ("Indexing.x", () => new[] { 2, 1, 2, 1 }), ("Indexing.indices", () => new[] { 0, 1, 1, 0 }), ("Indexing.count", () => 2),
        ("Indexing.y", () => 4), ("ScatterAdd.dy", () => new[] { 2, 1, 2, 1 }), ("Indexing.shape", () => new[] { 2, 1, 2, 1 }),
        ("ScatterAddElements.dy", () => 4), ("Indexing.order", () => 12), ("ScatterAdd.x", () => 4), ("ScatterAddElements.x", () => 4),
        ("AxisScans.axis", () => 1), ("AxisScans.TopKGradient.places", () => new[] { 0.0, 1.0, 0.0, 1.0 }),
        ("AxisScans.count", () => 2), ("AxisScans.shape", () => new[] { 2, 2 }),
        ("MultiplyBatch.shape", () => new[] { 2, 2 }), ("MultiplyBatch.c", () => 4),
        ("AxisReductions.SumGradient.dy", () => new[] { 2, 1 }), ("AxisReductions.SumGradient.shape", () => new[] { 2, 2 }),
        ("CtcKernels.targets", () => new[] { 1, 1 }), ("CtcKernels.inputLengths", () => new[] { 1, 1 }),
        ("CtcKernels.targetLengths", () => new[] { 1, 1 }), ("CtcKernels.logits", () => (2, 2)), ("CtcKernels.gradient", () => (2, 2)),
        ("CtcKernels.losses", () => 2),
        ("ArgMax.outer", () => 2), ("ArgMax.length", () => 2), ("ArgMax.inner", () => 1),
    ];

    private static IEnumerable<(string, Func<object?>)> Graphs()
    {
        string[] images = ["Convolution2D", "ConvolutionTranspose2D", "MaxPooling2D", "AveragePooling2D", "AdaptiveAveragePooling2D",
            "GlobalAveragePooling2D", "GroupNormalization", "Upsample", "GlobalMaxPooling2D", "PixelUnshuffle", "SeparableConvolution2D", "SqueezeExcite",
            "InstanceNormalization", "SpatialDropout", "WeightNormalizedConvolution2D", "FunctionalConvolution", "AdaptiveMaxPooling2D"];
        foreach (var member in images)
            yield return ($"NodeChain.{member}.node", () => Instances.Of<GraphBuilder>().Input("image", 4, 4, 2));
        var recurrences = ((string[])["Rnn", "Lstm", "Gru"])
            .SelectMany(k => ((string[])["", "Bidirectional", "Stacked"]).SelectMany(form => (string[])[form + k, $"{form}{k}Last"]));
        foreach (var member in (IEnumerable<string>)["Convolution1D", "SelfAttention", "CrossAttention", .. recurrences,
            "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D", "GlobalAveragePooling1D", "ConvolutionTranspose1D", "SinusoidalPositions",
            "LearnedPositions", "RotaryPositions", "TransformerEncoderLayer", "TransformerDecoderLayer", "WeightNormalizedConvolution1D",
            "AdaptiveMaxPooling1D"])
            yield return ($"NodeChain.{member}.node", () => Instances.Of<GraphBuilder>().Input("sequence", 3, 4));
        foreach (var parameter in (string[])["second", "positive", "negative", "variances"])
            yield return ($"NodeChain.{parameter}", () => Instances.Of<GraphBuilder>().Input(parameter, 4));
        yield return ("CrossAttention.keys", () => Instances.Of<GraphBuilder>().Input("keys", 2, 4));
        yield return ("TransformerDecoderLayer.memory", () => Instances.Of<GraphBuilder>().Input("memory", 2, 4));
        yield return ("NodeChain.Embedding.indices", () => Instances.Of<GraphBuilder>().IndexInput("indices", 3));
        yield return ("NodeChain.Gather.indices", () => Instances.Of<GraphBuilder>().IndexInput("indices", 3));
        yield return ("NodeChain.GatherElements.indices", () => Instances.Of<GraphBuilder>().IndexInput("indices", 3));
        yield return ("NodeChain.SegmentSum.indices", () => Instances.Of<GraphBuilder>().IndexInput("indices", 4));
        yield return ("NodeChain.ScatterAdd.indices", () => Instances.Of<GraphBuilder>().IndexInput("indices", 4));
        yield return ("NodeChain.EachStep.node", () => Instances.Of<GraphBuilder>().Input("sequence", 3, 4));
        yield return ("NodeChain.EachStep.inputs", () => 0);
        yield return ("NodeChain.Ctc.logits", () => Instances.Of<GraphBuilder>().Input("sequence", 3, 4));
        foreach (var (parameter, shape) in ((string, int[])[])[("targets", [2]), ("inputLengths", []), ("targetLengths", [])])
            yield return ($"NodeChain.Ctc.{parameter}", () => Instances.Of<GraphBuilder>().IndexInput(parameter, shape));
        yield return ("Concatenate.axis", () => 0);
        yield return ("Concatenate.others", () => 1);
        yield return ("NodeChain.Slice.axis", () => 0);
        yield return ("NodeChain.Slice.start", () => 1);
        yield return ("NodeChain.Build.node", () => Instances.Of<Node>().MeanSquaredError());
        yield return ("GraphBuilder.Loss.node", () => Instances.Of<Node>().Apply(new MeanSquaredError(), Instances.Of<GraphBuilder>().Input("t", 4)));
        yield return ("GraphBuilder.inputs", () => 1);
        yield return ("Node.Apply.others", () => 0);
        yield return ("shape", () => new Shape(4));
        yield return ("NodeChain.Squeeze.node", () => Instances.Of<GraphBuilder>().Input("one", 1, 4));
        yield return ("NodeChain.axis", () => 0);
        yield return ("NodeChain.axes", () => new[] { 0 });
        yield return ("Transpose.axes", () => new[] { 0 });
        foreach (var kind in (string[])["Sum", "Mean", "Max", "Min", "Norm", "LogSumExp", "Variance"])
            yield return ($"{kind}.ctor.axes", () => new[] { 0 });
        yield return ("GraphBuilder.Input.shape", () => new[] { 4 });
        yield return ("GraphBuilder.IndexInput.shape", () => new[] { 4 });
        yield return ("GraphBuilder.SharedInput.shape", () => new[] { 4 });
        yield return ("SafetensorsWriter.Add.shape", () => new[] { 4L });
        yield return ("Network.name", () => Weight);
        yield return ("Network.StateOf.name", () => Running);
        yield return ("Network.SetTraining.node", () => "relu1");
        yield return ("Network.IsTraining.node", () => "relu1");
        yield return ("NetworkDefinition.name", () => "relu1");
        yield return ("NetworkDefinition.input", () => "x");
        yield return ("ParameterLayout.get_Item.name", () => Weight);
        yield return ("Workspace.ParameterGradientOf.name", () => Weight);
        yield return ("Workspace.ValueOf.name", () => "relu1");
        yield return ("Workspace.GradientOf.name", () => "relu1");
        yield return ("Workspace.LossOf.name", () => "softmaxcrossentropy1");
        yield return ("Workspace.PartsOf.name", () => "softmaxcrossentropy1");
        yield return ("NodeChain.ParameterOf.node", () => Instances.Of<Node>().Affine(2));
        yield return ("NodeChain.ParameterOf.name", () => "weight");
        yield return ("Workspace.TypeOf.name", () => "x");
        yield return ("Workspace.SetInput.name", () => "x");
        yield return ("Workspace.SetInput.values", () => 6);
        yield return ("Workspace.BindInput.name", () => "x");
        yield return ("Workspace.BindInput.values", () => 6);
        yield return ("Workspace.SetIndexInput.name", () => "labels");
        yield return ("Workspace.SetIndexInput.indices", () => 2);
        yield return ("Workspace.BindIndexInput.name", () => "labels");
        yield return ("Workspace.BindIndexInput.indices", () => 2);
        foreach (var (member, name) in ((string, string)[])[("SetInput", "x"), ("BindInput", "x"), ("InputTensor", "x"), ("IndexInputTensor", "labels"),
            ("ValueTensor", "relu1"), ("GradientTensor", "relu1"), ("ParameterGradientTensor", Weight), ("ParameterTensor", Weight), ("StateTensor", Running)])
        {
            yield return ($"TensorExtensions.{member}.name", () => name);
        }

        yield return ("TensorExtensions.values", () => new[] { 2, 3 });
        yield return ("TensorExtensions.inputs", () => new[] { 2, 3 });
        yield return ("TensorExtensions.outputs", () => new[] { 2, 2 });
        yield return ("Jacobian.network", () => Instances.Of<Single>().Network);
        yield return ("Jacobian.workspace", () => Instances.Of<Single>().Workspace);
        yield return ("Jacobian.input", () => "x");
        yield return ("Jacobian.output", () => "affine1");
        yield return ("Jacobian.jacobian", () => (2, 3));
        yield return ("Predictor.inputs", () => 3);
        yield return ("Predictor.outputs", () => 8);
        yield return ("Predictor.PredictName.row", () => 3);
        yield return ("Predictor.Predict.row", () => new[] { ("x", 1.0), ("y", 2.0), ("z", 3.0) });
        yield return ("SequenceGenerator.Next.tokens", () => 1);
        yield return ("SequenceGenerator.ctor.tokens", () => "tokens");
        yield return ("SequenceGenerator.Input.name", () => "memory");
        yield return ("SequenceGenerator.IndexInput.name", () => "lengths");
        yield return ("UsePositionStates.sizes", () => new[] { 2 });
        yield return ("Sampler.ctor.topP", () => 0.5);
        yield return ("UsePositions.remembered", () => new[] { 2 });
        yield return ("PredictClass.row", () => 3);
        yield return ("PredictClasses.classes", () => 1);
        yield return ("GradientCheck.Layer.inputs", () => new object[] { new EdgeType(EdgeKind.Values, new Shape(3)) });
        foreach (var context in (string[])["ForwardContext", "BackwardContext"])
        {
            yield return ($"{context}.Indices.input", () => 1);
            foreach (var index in (string[])["input", "output", "parameter", "state"])
                yield return ($"{context}.{index}", () => 0);
        }

        yield return ("NodeChain.PixelShuffle.node", () => Instances.Of<GraphBuilder>().Input("image", 2, 2, 4));
        yield return ("NodeChain.EmbeddingBag.indices", () => Instances.Of<GraphBuilder>().IndexInput("indices", 3));
        foreach (var form in (string[])["Affine", "Convolution1D", "Convolution2D"])
            yield return ($"NodeChain.WeightNormalized{form}.name", () => "map");
        yield return ("NodeChain.FunctionalConvolution.filters", () => Instances.Of<GraphBuilder>().Parameter("filters", new Shape(2, 2, 2, 3)));
        yield return ("NodeChain.FunctionalConvolution.bias", () => Instances.Of<GraphBuilder>().Parameter("bias", new Shape(3)));
        yield return ("NodeChain.Residual.block", () => (Func<Node, Node>)(b => b.Tanh()));
        yield return ("PixelShuffle.factor", () => 2);
        yield return ("PixelUnshuffle.factor", () => 2);
        yield return ("Upsample.scale", () => new ResizeScale(2, 2));
        yield return ("Resize.shape", () => new ResizeShape(2, 2, 1, 2));
        yield return ("Convolution.shape", () => new ConvolutionShape(2, 2, 1, 1, 1));
        foreach (var (key, value) in ((string, object)[])[
            ("Reshape.rows", 3), ("Reshape.columns", 2), ("Product.a", (3, 2)), ("Product.b", (2, 2)), ("ColumnSums.rows", (2, 6)),
            ("Slice.start", 0), ("Slice.length", 2), ("Copy.x", 6), ("Scale.x", 6), ("Multiply.x", 6), ("Multiply.y", 6),
            ("ScatterRows.dy", 8), ("ScatterRows.order", 8), ("ScatterRows.indices", new[] { 0, 2, 1, 2 })])
        {
            yield return ($"GradientTarget.{key}", () => value);
        }

        yield return ("LayerDeclaration.RequireSequence.input", () => 3);
        yield return ("LayerDeclaration.RequireImage.input", () => 4);
        yield return ("LayerDeclaration.count", () => 5);
        yield return ("LayerDeclaration.input", () => 0);
        yield return ("LayerDeclaration.first", () => 0);
        yield return ("LayerDeclaration.second", () => 1);
    }

    private static IEnumerable<(string, Func<object?>)> Data() =>
    [
        ("Columns.Bytes.bytes", () => 4), ("Columns.Labels.classes", () => 2),
        ("Batch.Values.column", () => 0), ("Batch.Indices.column", () => 1), ("set_Cursor.value", () => new DataCursor(0, 1)),
        ("Dataset.ctor.columns", () => new[] { Instances.Of<IndexColumn>() }), ("Dataset.get_Item.name", () => "x"), ("Dataset.Read.rows", () => 2),
        ("Random.fractions", () => new[] { 0.5, 0.5 }), ("Stratified.fractions", () => new[] { 0.5, 0.5 }), ("Random.counts", () => new[] { 1, 1 }),
        ("Normalization.Standardize.column", () => "x"), ("Normalization.Scale.column", () => "x"), ("Normalization.values", () => 6),
        ("NodeChain.Normalize.statistics", () => new Normalization("x", new Shape(4), [0], [1])),
        ("NodeChain.Denormalize.statistics", () => new Normalization("x", new Shape(4), [0], [1])),
        ("ValueColumn.Read.destination", () => 12),
        ("DataArray.MapNpy.path", () => Instances.Npy()), ("DataArray.ReadNpy.path", () => Instances.Npy()),
        ("Npy.Read.path", () => Instances.Npy()), ("Npy.Read.stream", () => File.OpenRead(Instances.Npy())), ("Npy.shape", () => new[] { 4 }),
        ("Npz.Read.path", () => Instances.NpzFile()), ("Npz.Read.stream", () => File.OpenRead(Instances.NpzFile())),
        ("NpzWriter.shape", () => new[] { 4 }),
        ("DataArray.MapIdx.path", () => Instances.Idx(1)), ("DataArray.MapRaw.path", () => Instances.Npy()),
        ("IdxFile.ReadImages.path", () => Instances.Idx(3)), ("IdxFile.ReadLabels.path", () => Instances.Idx(1)),
        ("IdxFile.ReadImages.stream", () => File.OpenRead(Instances.Idx(3))), ("IdxFile.ReadLabels.stream", () => File.OpenRead(Instances.Idx(1))),
        ("CsvData.Read.path", () => Instances.Csv()), ("CsvData.Read.stream", () => File.OpenRead(Instances.Csv())),
        ("Digits.Resize28x28.images", () => Digits.Load()),
        ("LabeledImages.ctor.pixels", () => 4), ("LabeledImages.ctor.labels", () => 1), ("LabeledImages.CopyRows.destination", () => 16),
        ("LabeledImages.CopyLabels.destination", () => 4),
        ("MnistSet.ctor.files", () => Mnist.Published.Files.ToArray()),
        ("SafetensorsFile.Open.path", () => Instances.Model()), ("SafetensorsFile.Open.stream", () => File.OpenRead(Instances.Model())),
        ("SafetensorsFile.name", () => "a"),
        ("Model.Load.path", () => Instances.Saved()),
        ("Model.Load.stream", () => File.OpenRead(Instances.Saved())), ("Predictor.Load.path", () => Instances.Saved()),
        ("NetworkFiles.Load.path", () => Instances.Saved()), ("NetworkFiles.Load.stream", () => File.OpenRead(Instances.Saved())),
        ("NetworkFiles.Load.file", () => SafetensorsFile.Open(Instances.Saved())),
        ("NetworkFiles.LoadPyTorch.file", () => PyTorchFile.Open(Instances.SavedPyTorch())),
        ("PyTorchFile.dictionary", () => ""), ("PyTorchNetworks.dictionary", () => ""),
        ("PyTorchFile.Open.path", () => Instances.SavedPyTorch()), ("PyTorchFile.Open.stream", () => File.OpenRead(Instances.SavedPyTorch())),
        ("PyTorchTensor.Read.destination", () => 12), ("PyTorchFile.name", () => Instances.Of<PyTorchFile>().Tensors[0].Name),
        ("PyTorchNetworks.LoadPyTorch.path", () => Instances.SavedPyTorch()),
        ("PyTorchNetworks.LoadPyTorch.stream", () => File.OpenRead(Instances.SavedPyTorch())),
        ("path", () => Instances.Path("written")), ("LoadOrDownload.options", () => Instances.Of<DownloadOptions>()),
        ("DownloadAsync.options", () => Instances.Of<DownloadOptions>()),
    ];

    private static IEnumerable<(string, Func<object?>)> Training() =>
    [
        ("parameterCount", Count), ("parameters", Count),
        ("ofClass", () => 1), ("ConfusionMatrix.actual", () => 1), ("ConfusionMatrix.predicted", () => 1),
        ("ErrorMetric.batch", () => true), ("RSquaredMetric.batch", () => true), ("Evaluator.metrics", () => 1), ("SetGroups.groups", () => 1),
        ("ParameterGroup.ctor.ranges", () => 1), ("average", Count), ("gradients", Count), ("Optimizer.Step.ranges", () => 1),
        ("Optimizer.SetRate.ranges", () => 1),
    ];

    /// <summary>A network without batch normalization, and one row.</summary>
    private sealed class Single
    {
        public Single() => Workspace = Network.CreateWorkspace(1, new WorkspaceOptions { OutputGradients = true, InputGradients = true, Retain = Retain.All });

        public Network<double> Network { get; } = GraphBuilder.Chain(3).Affine(2).Build<double>(1);

        public Workspace<double> Workspace { get; }
    }

    private static readonly Func<object?> Count = () => Instances.Of<Network<float>>().Parameters.Length;

    /// <summary>A declaration with the inputs of the layer's sample.</summary>
    public static LayerDeclaration Declaration(Type layer)
    {
        var instance = Instances.Of(layer);
        var sample = LayerSamples.All.FirstOrDefault(s => s.Layer.GetType() == instance.GetType());
        EdgeType[] inputs = sample?.Inputs ?? [new EdgeType(EdgeKind.Values, new Shape(3))]; // StopGradient has no sample.
        return new LayerDeclaration(instance is Layer { Kind: var kind } ? kind : "", inputs);
    }
}
