using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>
/// Reads the normalizations that earlier versions stored as tensors. Column x has <c>@normalization/x/shape</c> (the shape of an example),
/// <c>@normalization/x/offset</c> and <c>@normalization/x/factor</c>.
/// </summary>
internal static class NormalizationTensors
{
    private const string Prefix = "@normalization/", ShapeName = "/shape", OffsetName = "/offset", FactorName = "/factor";

    /// <summary>Whether a tensor is part of a normalization.</summary>
    public static bool Owns(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Throws if a file has normalizations: without them its network would see other numbers than it learned from.</summary>
    /// <exception cref="ModelFileException">It has.</exception>
    public static void RequireNone(SafetensorsFile file)
    {
        if (Columns(file) is { } columns)
        {
            throw new ModelFileException($"{file.Origin} holds statistics of {columns}, which its program applied outside the network. Put them into the "
                + $"graph, as x.Normalize(statistics): {nameof(NetworkFiles)}.{nameof(NetworkFiles.ReadNormalizations)} reads them. Then set "
                + $"{nameof(NetworkLoadOptions.IgnoreNormalizations)}.");
        }
    }

    /// <summary>The columns that a file has tensors of, as a list in a message; null for none.</summary>
    public static string? Columns(SafetensorsFile file)
    {
        string[] names = [.. file.Tensors.Where(t => Owns(t.Name)).Select(t => t.Name[Prefix.Length..])
            .Select(name => $"'{(name.LastIndexOf('/') is > 0 and var end ? name[..end] : name)}'").Distinct()];
        return names.Length == 0 ? null : string.Join(", ", names.Take(10));
    }

    /// <summary>All normalizations of a file, in its order.</summary>
    /// <exception cref="ModelFileException">A normalization is incomplete or not valid.</exception>
    public static List<Normalization> Read(SafetensorsFile file)
    {
        var all = new List<Normalization>();
        foreach (var tensor in file.Tensors)
        {
            if (tensor.Name.StartsWith(Prefix, StringComparison.Ordinal) && tensor.Name.EndsWith(ShapeName, StringComparison.Ordinal)
                && tensor.Name.Length > Prefix.Length + ShapeName.Length)
            {
                all.Add(Read(file, tensor.Name[Prefix.Length..^ShapeName.Length]));
            }
        }

        return all;
    }

    private static Normalization Read(SafetensorsFile file, string column)
    {
        var name = Prefix + column;
        var shape = file[name + ShapeName].ToArray<long>();
        var offsets = file[name + OffsetName].ToArray<double>();
        var factors = file[name + FactorName].ToArray<double>();
        try
        {
            return new Normalization(column, new Shape(Array.ConvertAll(shape, d => checked((int)d))), offsets, factors);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new ModelFileException($"{file.Origin}: the normalization of column '{column}' is not valid: {e.Message}", e);
        }
    }
}
