using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>
/// Stores normalizations as tensors. Column x has <c>@normalization/x/shape</c> (the shape of an example), <c>@normalization/x/offset</c> and
/// <c>@normalization/x/factor</c>.
/// </summary>
internal static class NormalizationTensors
{
    private const string Prefix = "@normalization/", ShapeName = "/shape", OffsetName = "/offset", FactorName = "/factor";

    /// <summary>Whether a tensor is part of a normalization.</summary>
    public static bool Owns(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    public static void Add(SafetensorsWriter writer, Normalization normalization)
    {
        ArgumentNullException.ThrowIfNull(normalization, "options");
        var name = Prefix + normalization.Column;
        var shape = SafetensorsWriter.Dimensions(normalization.Shape);
        writer.Add<long>(name + ShapeName, [shape.Length], shape);
        writer.Add(name + OffsetName, [normalization.Offsets.Length], () => normalization.Offsets);
        writer.Add(name + FactorName, [normalization.Factors.Length], () => normalization.Factors);
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
