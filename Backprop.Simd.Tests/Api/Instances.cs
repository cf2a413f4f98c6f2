using System.Numerics;
using System.Numerics.Tensors;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;
using Backprop.Simd.Initializers;
using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Api;

/// <summary>A usable object of each public class. All objects of one call belong together; the next call starts anew.</summary>
internal static class Instances
{
    private static readonly Dictionary<Type, Func<object>> Makers = Common();
    private static readonly Dictionary<Type, object> Made = [];

    static Instances()
    {
        Instances<float>.AddTo(Makers);
        Instances<double>.AddTo(Makers);
    }

    /// <summary>A directory of the test's own.</summary>
    public static string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("backprop-api").FullName;

    public static string Path(string name) => System.IO.Path.Combine(Directory, name);

    /// <summary>Ends a call: what was made for it is disposed.</summary>
    public static void Clear()
    {
        foreach (var made in Made.Values.OfType<IDisposable>())
            made.Dispose();
        Made.Clear();
    }

    public static T Of<T>() => (T)Of(typeof(T));

    public static object Of(Type type)
    {
        if (!Made.TryGetValue(type, out var made))
            Made[type] = made = Anew(type);
        return made;
    }

    /// <summary>An object of its own.</summary>
    public static object Anew(Type type) => Makers.TryGetValue(type, out var make) ? make() : Constructed(type);

    /// <summary>What stands in tables for a shape: its sizes, as an array.</summary>
    public static object Convert(object value, Type type) => value is int[] sizes && type == typeof(Shape) ? new Shape(sizes)
        : value is Array { Length: 1 } && type == typeof(Shape) ? new Shape(4)
        : value is Shape && type == typeof(ConvolutionShape) ? Of(type)
        : value is int[] && type.Name == "Tensor`1" ? Of(type)
        : value is int size && type == typeof(Extent) ? new Extent(size, size)
        : throw new InvalidOperationException($"{value} is no {PublicMembers.Name(type)}.");

    /// <summary>By a constructor all of whose arguments have a recipe.</summary>
    private static object Constructed(Type type)
    {
        if (type.IsAssignableTo(typeof(Layer)) && !type.IsAbstract && LayerSamples.All.FirstOrDefault(s => s.Layer.GetType() == type) is { } sample)
            return sample.Layer;
        var constructor = type.GetConstructors().Where(c => c.GetParameters().All(p => !p.ParameterType.IsByRefLike)).MaxBy(c => c.GetParameters().Length);
        if (type.IsAbstract || constructor is null)
        {
            return type.IsValueType ? Activator.CreateInstance(type)!
                : throw new InvalidOperationException($"No recipe for {PublicMembers.Name(type)}.");
        }

        return constructor.Invoke([.. constructor.GetParameters().Select(p => Values.Of(p.ParameterType, Recipes.For(p)).First().Make())]);
    }

    private static Dictionary<Type, Func<object>> Common() => new()
    {
        [typeof(Exception)] = () => new IOException("inner"),
        [typeof(Stream)] = () => new MemoryStream(),
        [typeof(TextReader)] = () => new StringReader("x,y\n1,2\n3,4\n"),
        [typeof(System.Text.Encoding)] = () => System.Text.Encoding.UTF8,
        [typeof(HttpClient)] = () => new HttpClient(),
        [typeof(Uri)] = () => new Uri("http://127.0.0.1:1/"),
        [typeof(Shape)] = () => new Shape(4),
        [typeof(ParameterConstraint)] = () => new MaxNorm(1),
        [typeof(ParameterMatrix)] = () => new ParameterMatrix("w", new(0, 2), 1, 2),
        [typeof(Dimension)] = () => Dimension.FromInt32(2),
        [typeof(EdgeType)] = () => new EdgeType(EdgeKind.Values, new Shape(3)),
        [typeof(Extent)] = () => new Extent(2, 2),
        [typeof(Padding)] = () => new Padding(1, 1, 1, 1),
        [typeof(ConvolutionShape)] = () => new ConvolutionShape(2, 2, 1, 1, 1),
        [typeof(Philox)] = () => new Philox(1, 1),
        [typeof(BlockRange)] = () => new BlockRange(0, 2),
        [typeof(Layer)] = () => new Affine(2),
        [typeof(ViewLayer)] = () => new Flatten(),
        [typeof(AxisReduction)] = () => new Sum(),
        [typeof(UnaryGate)] = () => new Negate(),
        [typeof(GatedUnit)] = () => new Glu(),
        [typeof(Loss)] = () => new MeanSquaredError(),
        [typeof(ReducedLoss)] = () => new MeanSquaredError(),
        [typeof(ElementwiseLoss)] = () => new MeanSquaredError(),
        [typeof(LabelLoss)] = () => new SoftmaxCrossEntropy(),
        [typeof(LayerDeclaration)] = () => new LayerDeclaration("Test", [
            new EdgeType(EdgeKind.Values, new Shape(3)), new EdgeType(EdgeKind.Values, new Shape(3)), new EdgeType(EdgeKind.Indices, new Shape(3)),
            new EdgeType(EdgeKind.Values, new Shape(2, 3)), new EdgeType(EdgeKind.Values, new Shape(2, 2, 3))]),
        [typeof(Initializer)] = () => Initialize.He,
        [typeof(ValuesInitializer)] = () => Initialize.FromValues(1, 2),
        [typeof(Schedule)] = () => new ConstantSchedule(0.1),
        [typeof(MultiStepSchedule)] = () => new MultiStepSchedule(0.1, [1, 2]),
        [typeof(GraphBuilder)] = () => new GraphBuilder(),
        [typeof(Node)] = () => Of<GraphBuilder>().Input("x", 4),
        [typeof(NetworkDefinition)] = () => Of<Network<float>>().Definition,
        [typeof(GraphNode)] = () => Of<Network<float>>().Definition.Nodes[0],
        [typeof(ParameterLayout)] = () => Of<Network<float>>().Definition.Parameters,
        [typeof(ParameterGroup)] = () => new ParameterGroup("group", [new BlockRange(0, 2)]),
        [typeof(Retain)] = () => Retain.All,
        [typeof(IndexColumn)] = () => Columns.Labels("labels", new[] { 0, 1, 0, 1 }, 2),
        [typeof(DataColumn)] = () => Columns.Values<float>("x", new Shape(3), new float[12]),
        [typeof(DataArray)] = () => DataArray.ReadNpy(Npy()),
        [typeof(Normalization)] = () => new Normalization("x", new Shape(3), [0, 0, 0], [1, 1, 1]),
        [typeof(Reshape)] = () => new Reshape(2, 2),
        [typeof(Tensor<float>)] = () => Tensor.CreateFromShape<float>([2, 3]),
        [typeof(Tensor<double>)] = () => Tensor.CreateFromShape<double>([2, 3]),
        [typeof(Tensor<Half>)] = () => Tensor.CreateFromShape<Half>([2, 3]),
        [typeof(NpyArray)] = () => Simd.Serialization.Npy.Read(Npy()),
        [typeof(NpzWriter)] = () => new NpzWriter(new(new MemoryStream(), System.IO.Compression.ZipArchiveMode.Create), compress: false),
        [typeof(SafetensorsFile)] = () => SafetensorsFile.Open(Model()),
        [typeof(LayerSettings)] = () =>
        {
            var writer = new System.Text.Json.Utf8JsonWriter(new System.Buffers.ArrayBufferWriter<byte>());
            writer.WriteStartObject();
            return new LayerSettings(writer, "a test");
        },
        [typeof(SafetensorsTensor)] = () => Of<SafetensorsFile>()["a"],
        [typeof(PyTorchFile)] = () => PyTorchFile.Open(SavedPyTorch()),
        [typeof(IReadOnlyDictionary<string, int[]>)] = () => new Dictionary<string, int[]>(),
        [typeof(IReadOnlyDictionary<string, int>)] = () => new Dictionary<string, int>(),
        [typeof(IReadOnlyDictionary<string, Node>)] = () => new Dictionary<string, Node>(),
        [typeof(OnnxFile)] = () => OnnxFile.Open(SavedOnnx()),
        [typeof(OnnxGraph)] = () => Of<OnnxFile>().AddTo(new GraphBuilder()),
        [typeof(OnnxLoadOptions)] = () => new OnnxLoadOptions(),
        [typeof(OnnxSaveOptions)] = () => new OnnxSaveOptions(),
        [typeof(PyTorchTensor)] = () => Of<PyTorchFile>().Tensors[0],
        [typeof(CheckpointOptions)] = () => new CheckpointOptions { Directory = Path("checkpoints") },
        [typeof(IReadOnlyDictionary<string, string>)] = () => new Dictionary<string, string> { ["a"] = "b" },
        [typeof(IProgress<TrainingProgress>)] = () => new Progress<TrainingProgress>(),
        [typeof(IProgress<DownloadProgress>)] = () => new Progress<DownloadProgress>(),
        [typeof(LabeledImages)] = () => new LabeledImages(new byte[16], new byte[] { 0, 1, 0, 1 }, 2, 2, 2, 16),
        [typeof(TrainTestSplit)] = () => new TrainTestSplit(Of<LabeledImages>(), Of<LabeledImages>()),
        [typeof(MnistFile)] = () => new MnistFile(MnistFile(0).Name, 1, new string('0', 64)),
        [typeof(MnistSet)] = () => new MnistSet("api-test", [.. Enumerable.Range(0, 4).Select(MnistFile)], []),
        [typeof(DownloadOptions)] = () => new DownloadOptions { Offline = true, CacheDirectory = Path("cache") },
        [typeof(IdxFile)] = () => IdxFile.ReadLabels(new MemoryStream([0, 0, 8, 1, 0, 0, 0, 1, 5])),
        [typeof(CsvData)] = () => CsvData.Read(new StringReader("x,y\n1,2\n3,4\n"), new CsvOptions { Label = "y" }),
        [typeof(CsvOptions)] = () => new CsvOptions { Label = "y" },
        [typeof(CsvColumn)] = () => new CsvColumn("x"),
    };

    private static MnistFile MnistFile(int index) => new(Mnist.Published.Files[index].Name, 1, new string('0', 64));

    public static string Npy()
    {
        var path = Path("four.npy");
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }".PadRight(117) + "\n";
        File.WriteAllBytes(path, [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. System.Text.Encoding.ASCII.GetBytes(header), .. new byte[16]]);
        return path;
    }

    public static string NpzFile()
    {
        var path = Path("two.npz");
        Npz.Write(path, file => file.Add("x", new float[4], 2, 2));
        return path;
    }

    public static string Idx(int rank)
    {
        var path = Path($"idx{rank}");
        File.WriteAllBytes(path, [0, 0, 8, (byte)rank, .. Enumerable.Range(0, rank).SelectMany(_ => (byte[])[0, 0, 0, 1]), 5]);
        return path;
    }

    public static string Csv()
    {
        var path = Path("table.csv");
        File.WriteAllText(path, "x,y\n1,2\n3,4\n");
        return path;
    }

    public static string Model()
    {
        var path = Path("model.safetensors");
        var writer = new SafetensorsWriter();
        writer.Add<float>("a", new Shape(2, 2), new float[4]);
        writer.Write(path);
        return path;
    }

    /// <summary>A file of PyTorch that a network of float, and one of double, can load.</summary>
    public static string SavedPyTorch()
    {
        var path = Path("network.pt");
        if (Made.ContainsKey(typeof(Network<double>)))
            Of<Network<double>>().SavePyTorch(path);
        else
            Of<Network<float>>().SavePyTorch(path);
        return path;
    }

    /// <summary>A model of ONNX.</summary>
    public static string SavedOnnx()
    {
        var path = Path("network.onnx");
        Of<Network<float>>().SaveOnnx(path);
        return path;
    }

    /// <summary>A file that a network of float, and one of double, can load.</summary>
    public static string Saved()
    {
        var path = Path("network.safetensors");
        if (Made.ContainsKey(typeof(Network<double>)))
            Of<Network<double>>().Save(path);
        else
            Of<Network<float>>().Save(path);
        return path;
    }
}

/// <summary>A usable object of each public class of an element type.</summary>
internal static class Instances<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static Predictor<T> Predictor => Instances.Of<Predictor<T>>();

    public static void AddTo(Dictionary<Type, Func<object>> makers)
    {
        makers[typeof(Network<T>)] = Network;
        makers[typeof(Workspace<T>)] = Workspace;
        makers[typeof(Predictor<T>)] = () => new Predictor<T>(Named(), new PredictorOptions { MaximumRows = 4 });
        makers[typeof(Model<T>)] = Named;
        makers[typeof(SequenceGenerator<T>)] = () =>
        {
            var graph = new GraphBuilder();
            var x = graph.IndexInput("tokens", 1000).Embedding(4, 2).SelfAttention(1, causal: true);
            return new SequenceGenerator<T>(x.CrossAttention(graph.Input("memory", 2, 2), 1, graph.IndexInput("lengths")).Build<T>());
        };
        makers[typeof(ITrainable<T>)] = () => Instances.Of<Network<T>>();
        makers[typeof(Optimizer<T>)] = () => Instances.Of<Sgd<T>>();
        makers[typeof(AdamOptimizer<T>)] = () => Instances.Of<Adam<T>>();
        makers[typeof(MatrixOptimizer<T>)] = () => Instances.Of<Muon<T>>();
        makers[typeof(Dataset<T>)] = () => new Dataset<T>(Columns.Values<T>("x", new Shape(3), new T[12]), Columns.Labels("labels", new[] { 0, 1, 0, 1 }, 2));
        makers[typeof(Batch<T>)] = () =>
        {
            var batch = Instances.Of<Dataset<T>>().CreateBatch(2);
            Instances.Of<Dataset<T>>().Read([0, 1], batch);
            return batch;
        };
        makers[typeof(ValueColumn<T>)] = () => Columns.Values<T>("x", new Shape(3), new T[12]);
        makers[typeof(BatchTransform<T>)] = () => Instances.Of<ImageAugmentation<T>>();
        makers[typeof(ImageAugmentation<T>)] = () => new RandomFlip<T>(size: new ImageSize(1, 3));
        makers[typeof(LoaderOptions<T>)] = () => new LoaderOptions<T>();
        makers[typeof(BatchLoader<T>)] = () => new BatchLoader<T>(Instances.Of<Dataset<T>>(), 2);
        makers[typeof(Metric<T>)] = () => new AccuracyMetric<T>();
        makers[typeof(ErrorMetric<T>)] = () => new MeanSquaredErrorMetric<T>();
        makers[typeof(ConfusionMetric<T>)] = () => new F1ScoreMetric<T>(2);
        makers[typeof(TopKAccuracyMetric<T>)] = () => new TopKAccuracyMetric<T>(1);
        makers[typeof(Evaluator<T>)] = () => new Evaluator<T>(Instances.Of<Network<T>>(), Instances.Of<Dataset<T>>(), [new AccuracyMetric<T>()]);
        makers[typeof(ITrainingCallback<T>)] = () => new CsvLog<T>(Instances.Path("log.csv"));
        makers[typeof(CsvLog<T>)] = () => new CsvLog<T>(Instances.Path("log.csv"));
        makers[typeof(JsonLinesLog<T>)] = () => new JsonLinesLog<T>(Instances.Path("log.jsonl"));
        makers[typeof(TrainerOptions<T>)] = () => new TrainerOptions<T> { Steps = 2, Callbacks = [new StopsAfterThree<T>()] };
        makers[typeof(Trainer<T>)] = () =>
            new Trainer<T>(Instances.Of<Network<T>>(), Instances.Of<Optimizer<T>>(), Instances.Of<BatchLoader<T>>(), Instances.Of<TrainerOptions<T>>());
    }

    private static Model<T> Named()
    {
        var model = new Model<T>(Instances.Of<Network<T>>());
        model.ClassNames["affine2"] = ["a", "b"];
        model.ColumnNames["x"] = ["x", "y", "z"];
        return model;
    }

    private static Network<T> Network() =>
        GraphBuilder.Chain(3).Affine(4).BatchNormalization().Relu().Affine(2).SoftmaxCrossEntropy().Build<T>(1);

    private static Workspace<T> Workspace()
    {
        var workspace = Instances.Of<Network<T>>()
            .CreateWorkspace(2, new WorkspaceOptions { KeepGradients = true, InputGradients = true, OutputGradients = true, Retain = Retain.All });
        Instances.Of<Network<T>>().Forward(workspace);
        Instances.Of<Network<T>>().Backward(workspace);
        return workspace;
    }
}

/// <summary>Ends a training that has lost its limits.</summary>
internal sealed class StopsAfterThree<T> : ITrainingCallback<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public void StepDone(Trainer<T> trainer, in StepRecord step)
    {
        if (trainer.Step >= 3)
            trainer.Stop();
    }
}
