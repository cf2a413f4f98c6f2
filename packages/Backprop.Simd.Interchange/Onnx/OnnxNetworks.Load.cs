using System.Numerics;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Networks from and to models of ONNX.</summary>
public static partial class OnnxNetworks
{
    /// <summary>Reads a model of ONNX as a network that computes and trains: <see cref="OnnxFile.CreateNetwork{T}"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="options">Sizes, inputs and outputs; null for those of the model.</param>
    /// <returns>The network.</returns>
    /// <exception cref="ModelFileException">The file is damaged, no model of ONNX, or has operators that are not known or do what the library does
    /// not; all are listed.</exception>
    /// <exception cref="ArgumentException">An option names an input that the model does not have, or a size is missing or does not fit.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static Network<T> LoadOnnx<T>(string path, OnnxLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => OnnxFile.Open(path).CreateNetwork<T>(options);
}
