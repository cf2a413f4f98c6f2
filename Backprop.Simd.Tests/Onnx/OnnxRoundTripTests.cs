using System.Numerics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Networks;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Networks written as ONNX and read again compute the same.</summary>
/// <param name="output">What is told.</param>
public sealed class OnnxRoundTripTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-6;

    /// <summary>Layers that ONNX has in other parts than we compute: equal within rounding, all others bit for bit.</summary>
    private static readonly HashSet<string> _recomposed =
    [
        "adaptiveaveragepooling2d", "attentionstep", "batchnormalization", "embeddingbag", "gelutanh", "globalaveragepooling1d",
        "globalaveragepooling2d", "groupnormalization", "lstm", "multiheadattention", "rmsnormalization",
        "squarednorm", "upsample",
    ];

    /// <summary>Forms of layers whose parts in ONNX have no layer here, by the operator that is refused: comparisons of computed numbers, numbers
    /// made of indices, elements of rows by indices of their own, filters that are computed, convolutions and recurrences of each step.</summary>
    private static readonly Dictionary<string, string[]> _refused = new()
    {
        ["attentionstep"] = ["Less"],
        ["eachstep"] = ["Conv", "GRU"],
        ["embeddingbag"] = ["Less", "Equal"],
        ["functionalconvolution"] = ["Conv"],
        ["gather"] = ["GatherND"],
        ["gatherelements"] = ["Expand"],
        ["globalaveragepooling1d"] = ["Less"],
        ["globalmaxpooling1d"] = ["Less"],
        ["learnedpositions"] = ["Add"],
        ["lstm"] = ["Less"],
        ["multiheadattention"] = ["Less", "Equal"],
        ["rotarypositions"] = ["Cast"],
        ["scatteradd"] = ["ScatterElements"],
        ["segmentsum"] = ["ScatterElements"],
        ["sinusoidalpositions"] = ["Cast"],
        ["softplus"] = ["Greater"],
        ["where"] = ["Equal"],
    };

    public static TheoryData<string> Kinds =>
        [.. LayerSamples.All.Where(s => s.Layer is not (Noise or Loss)).Select(s => s.Layer.Kind).Distinct().Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Kinds))]
    public void Every_layer_comes_back(string kind)
    {
        HashSet<string> refused = [];
        var (back, largest) = (0, 0.0);
        foreach (var sample in LayerSamples.All.Where(s => s.Layer.Kind == kind))
        {
            var samples = new SampleNetwork(sample);
            try
            {
                var inDouble = Difference(samples.Double, samples.FillInputs, sample.Rows);
                var inFloat = Difference(samples.Float, samples.FillInputs, sample.Rows);
                Assert.True(inDouble <= Tolerance && inFloat <= Tolerance, $"{sample}: {inDouble:G3} in double, {inFloat:G3} in float.");
                (back, largest) = (back + 1, Math.Max(largest, inFloat));
            }
            catch (ModelFileException e)
            {
                var operators = _refused.GetValueOrDefault(kind, []).Where(o => e.Message.Contains(o + " '", StringComparison.Ordinal)).ToArray();
                Assert.True(operators.Length > 0, $"{sample}: {e.Message}");
                refused.UnionWith(operators);
            }
        }

        var how = largest == 0 ? "bit for bit" : $"within {largest:E1}";
        output.WriteLine($"{kind}: {back} samples come back, in float {how}; refused: {string.Join(", ", refused)}");
        Assert.True(_recomposed.Contains(kind) || largest == 0, $"{kind} differs by {largest:E1}.");
        Assert.Equal(_refused.GetValueOrDefault(kind, []).Order(), refused.Order());
    }

    [Fact]
    public void Random_graphs_come_back()
    {
        // Layers of the tests have no form in ONNX.
        int[] kinds = [.. Enumerable.Range(0, RandomGraph.Kinds).Except([11, 12])];
        var random = new TestRandom(9);
        for (var seed = 0; seed < 200; seed++)
        {
            var choices = new (int, int, int, bool)[random.Integer(1, 12)];
            foreach (ref var choice in choices.AsSpan())
                choice = (kinds[random.Integer(0, kinds.Length - 1)], random.Integer(0, 1000), random.Integer(0, 1000), random.Integer(0, 6) == 0);
            var network = RandomGraph.Build(choices, loss: false).CreateNetwork<double>((ulong)seed);
            var difference = Difference(network, workspace => Fill(workspace, seed), RandomGraph.Rows);
            Assert.True(difference <= Tolerance, $"Graph {seed} ({string.Join(", ", choices)}) differs by {difference:G3}.");
        }
    }

    private static void Fill(Workspace<double> workspace, int seed)
    {
        var random = new TestRandom((ulong)seed);
        foreach (var name in workspace.Network.Definition.RequiredInputs(WorkspaceOptions.Inference))
        {
            foreach (ref var value in workspace.Input(name))
                value = random.Signed<double>();
        }
    }

    private static double Difference<T>(Network<T> network, Action<Workspace<T>> fill, int rows) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom(5);
        foreach (ref var value in network.State)
            value = T.CreateTruncating((float)(1 + 0.5 * random.Signed<double>()));
        var first = network.CreateWorkspace(rows, WorkspaceOptions.Inference);
        fill(first);
        network.Forward(first);

        using var stream = new MemoryStream(OnnxRun.Model(network));
        var shared = network.Definition.InputNames.Where(n => network.Definition.TypeOf(n).Kind == EdgeKind.Shared).ToDictionary(n => n, _ => -1);
        var again = OnnxFile.Open(stream).CreateNetwork<T>(new() { BatchDimensions = shared });

        // Without a batch all of it is one row.
        var second = again.CreateWorkspace(shared.Count == again.Definition.InputNames.Count() ? 1 : rows, WorkspaceOptions.Inference);
        foreach (var name in again.Definition.InputNames)
        {
            if (again.Definition.TypeOf(name).Kind == EdgeKind.Indices)
                second.SetIndexInput(name, first.IndexInput(name));
            else
                second.SetInput(name, first.Input(name));
        }

        again.Forward(second);
        double largest = 1e-3, difference = 0;
        foreach (var name in network.Definition.OutputNames)
        {
            ReadOnlySpan<T> expected = first.Output(name), actual = second.Output(name);
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
            {
                double e = double.CreateTruncating(expected[i]), a = double.CreateTruncating(actual[i]);
                if (e == a || double.IsNaN(e) && double.IsNaN(a))
                    continue;
                (largest, difference) = (Math.Max(largest, Math.Abs(e)), Math.Max(difference, Math.Abs(e - a)));
            }
        }

        return difference / largest;
    }
}
