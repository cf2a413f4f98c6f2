using System.Text.RegularExpressions;
using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Interchange;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>The code of docs/from-pytorch.md, compiled and run. Each text here equals the document's text.</summary>
public sealed partial class FromPyTorchDocumentTests : IDisposable
{
    private static readonly string[] Names = ["Port", "Names", "Back"];

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"backprop-{Guid.NewGuid():N}.pt");

    public static TheoryData<string> Blocks => [.. Names];

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void The_port_gives_the_outputs_of_the_module_and_goes_back()
    {
        File.WriteAllBytes(_path, PyTorchModels.File("classifier").ToArray());
        var (network, content) = Port(_path);
        Assert.InRange(PyTorchModels.Difference(network, "classifier", "x"), 0, 1e-5);
        Assert.Equal("conv1", content.Modules["convolution2d1"]);
        Assert.Equal(["conv1", "bn1", "conv2", "bn2", "fc1", "fc2"], content.Modules.Values);
        float[] parameters = [.. network.Parameters];
        LoadNamed(network, _path);
        Assert.Equal(parameters, network.Parameters);
        Back(network, content, _path);
        using var file = PyTorchFile.Open(_path);
        Assert.Equal([10, 48], file["fc1.weight"].Shape);
        using var original = PyTorchFile.Open(PyTorchModels.File("classifier"));
        Assert.Equal(original["fc1.weight"].ToArray<float>(), file["fc1.weight"].ToArray<float>());
    }

    private static (Network<float> Network, NetworkFileContent Content) Port(string path)
    {
        // begin Port
        var graph = new GraphBuilder();
        var x = graph.Input("x", 8, 12, 2);
        x = x.Convolution2D(4, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2);
        x = x.Convolution2D(8, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2);
        graph.Output(x.Dropout(0.3).Flatten().Affine(10).Relu().Affine(4).Named("y"));
        var network = graph.Build().CreateNetwork<float>();
        var content = network.LoadPyTorch(path);
        // end Port
        return (network, content);
    }

    private static void LoadNamed(Network<float> network, string path)
    {
        // begin Names
        network.LoadPyTorch(path, NetworkLoadOptions.PyTorch with
        {
            Modules = new Dictionary<string, string> { ["affine1"] = "fc1", ["y"] = "fc2" },
        });
        // end Names
    }

    private static void Back(Network<float> network, NetworkFileContent content, string path)
    {
        // begin Back
        network.SavePyTorch(path, NetworkSaveOptions.PyTorch with { Modules = content.Modules });
        // end Back
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void The_document_shows_what_is_run(string name)
    {
        var blocks = CSharpBlock().Matches(Document);
        Assert.Equal(Names.Length, blocks.Count);
        var shown = blocks[Array.IndexOf(Names, name)].Groups[1].Value;
        var withoutUsings = string.Join('\n', shown.Split('\n').Where(l => !l.StartsWith("using Backprop", StringComparison.Ordinal))).Trim();
        var source = Source("Documentation/FromPyTorchDocumentTests.cs");
        var begin = source.IndexOf($"// begin {name}\n", StringComparison.Ordinal) + $"// begin {name}\n".Length;
        var end = source.IndexOf($"// end {name}\n", StringComparison.Ordinal);
        var run = string.Join('\n', source[begin..end].Split('\n').Select(l => l.StartsWith("        ", StringComparison.Ordinal) ? l[8..] : l)).Trim();
        Assert.Equal(withoutUsings, run);
    }

    [Fact]
    public void The_module_of_the_document_made_the_file() =>
        Assert.Contains(PythonBlock().Match(Document).Groups[1].Value.TrimEnd(), Source("PyTorch/models.py"), StringComparison.Ordinal);

    private static string Document => File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "from-pytorch.md"));

    private static string Source(string path) => File.ReadAllText(Path.Combine(RepositoryRoot.Path, "Backprop.Simd.Tests", path));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex("```python\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex PythonBlock();
}
