namespace Backprop.Simd.Tests.Onnx;

/// <summary>One case of ONNX's node tests: a directory with a model of one node, and data sets.</summary>
internal sealed class OnnxCase
{
    public const string Root = "/usr/share/libonnx-testdata/data/node";

    private OnnxCase(string name, OnnxNode node, OnnxTensor?[] inputs, OnnxTensor?[] outputs) =>
        (Name, Node, Inputs, Outputs) = (name, node, inputs, outputs);

    public static bool IsInstalled => Directory.Exists(Root);

    /// <summary>The names of all cases; none where they are not installed.</summary>
    public static IReadOnlyList<string> Names { get; } =
        IsInstalled ? [.. Directory.GetDirectories(Root).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)] : [];

    public string Name { get; }

    public OnnxNode Node { get; }

    /// <summary>Per input of the node; null where it is left out or no tensor.</summary>
    public OnnxTensor?[] Inputs { get; }

    public OnnxTensor?[] Outputs { get; }

    /// <summary>The only node of a case; null if it has several, as functions in expanded form.</summary>
    public static OnnxNode? NodeOf(string name) => OnnxReader.Nodes(File.ReadAllBytes(Path.Combine(Root, name, "model.onnx"))) is [var node] ? node : null;

    public static OnnxCase Read(string name)
    {
        var node = NodeOf(name)!;
        return new(name, node, Tensors(name, "input", node.Inputs), Tensors(name, "output", node.Outputs));
    }

    /// <summary>Files are numbered over the tensors that are there; names are empty for those that are not.</summary>
    private static OnnxTensor?[] Tensors(string name, string kind, List<string> names)
    {
        var tensors = new OnnxTensor?[names.Count];
        var file = 0;
        for (var i = 0; i < tensors.Length; i++)
        {
            if (names[i].Length == 0)
                continue;
            var path = Path.Combine(Root, name, "test_data_set_0", $"{kind}_{file++}.pb");
            tensors[i] = OnnxReader.Tensor(File.ReadAllBytes(path));
        }

        return tensors;
    }
}

/// <summary>Why a case cannot be run.</summary>
internal sealed class LeftOutException(string reason) : Exception(reason);
