using System.Reflection;
using Backprop.Simd.Interchange;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A model that PyTorch exported, with inputs and PyTorch's outputs: Models/, written by models.py.</summary>
internal sealed class PyTorchExport
{
    private readonly OnnxModel _values;

    private PyTorchExport(string name)
    {
        (Bytes, Model) = (Read(name + ".onnx"), OnnxModel.Parse(Read(name + ".onnx")));
        _values = OnnxModel.Parse(Read(name + ".values"));
    }

    public static IEnumerable<string> Names => Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith("Onnx.Models.", StringComparison.Ordinal) && n.EndsWith(".onnx", StringComparison.Ordinal))
        .Select(n => n["Onnx.Models.".Length..^".onnx".Length]).Order(StringComparer.Ordinal);

    public byte[] Bytes { get; }

    public OnnxModel Model { get; }

    /// <summary>The numbers of rows that there are values of.</summary>
    public IEnumerable<int> Rows => _values.Initializers.Keys.Select(k => int.Parse(k.Split('/')[0], null)).Distinct();

    public static PyTorchExport Open(string name) => new(name);

    public Dictionary<string, OnnxTensor> Inputs(int rows) => Of($"{rows}/in/");

    public Dictionary<string, OnnxTensor> Outputs(int rows) => Of($"{rows}/out/");

    private Dictionary<string, OnnxTensor> Of(string start) => _values.Initializers.Where(i => i.Key.StartsWith(start, StringComparison.Ordinal))
        .ToDictionary(i => i.Key[start.Length..], i => i.Value);

    private static byte[] Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Onnx.Models." + name)
            ?? throw new InvalidDataException($"There is no {name}.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
