using System.Globalization;
using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Fuzz;

/// <summary>Models of ONNX.</summary>
internal static class OnnxTarget
{
    public static Target Onnx { get; } = new("onnx", Read, OnnxSeeds.All);

    private static bool Read(byte[] bytes)
    {
        try
        {
            var file = OnnxFile.Open(new MemoryStream(bytes));
            return Add(file, fold: false) & Add(file, fold: true);
        }
        catch (ModelFileException)
        {
            return false;
        }
    }

    private static bool Add(OnnxFile file, bool fold)
    {
        try
        {
            file.AddTo(new GraphBuilder(), new() { Sizes = Sizes(file), Fold = fold });
            return true;
        }
        catch (Exception e) when (e is ModelFileException or ArgumentException)
        {
            // The sizes are options, and so are refused as arguments.
            return false;
        }
    }

    /// <summary>Small sizes where the model leaves them free.</summary>
    private static Dictionary<string, int[]> Sizes(OnnxFile file)
    {
        var sizes = new Dictionary<string, int[]>();
        foreach (var name in file.InputNames)
        {
            var text = file.ShapeOf(name);
            sizes[name] = text == "?" ? [1, 2, 4, 4] : text.Length == 2 ? [] : [.. text[1..^1].Split(", ").Select(Size)];
        }

        return sizes;
    }

    private static int Size(string text, int dimension) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : dimension == 0 ? 1 : 4;
}
