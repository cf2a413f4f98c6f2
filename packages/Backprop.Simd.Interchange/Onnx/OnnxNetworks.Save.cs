using System.Numerics;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <content>Saving.</content>
public static partial class OnnxNetworks
{
    /// <summary>Saves a network as an ONNX model: what a workspace of inference computes, for ONNX Runtime and other programs. The path holds the
    /// old file or the new one.</summary>
    /// <remarks>
    /// <para>Inputs and outputs have the names and layouts of the network, [batch, H, W, C] with features last, and its element type; inputs of
    /// indices are 32-bit integers, as in a workspace; shared inputs have no batch. The batch and free sizes are named dimensions. Inputs that
    /// only losses take are left out.</para>
    /// <para>Normalization is part of the model. Dropout and noise of training are not; <see cref="Layers.Noise"/> draws numbers of its own.</para>
    /// </remarks>
    /// <typeparam name="T">float or double. ONNX Runtime lacks some operators in double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="path">The file. Its directory must exist. The usual ending is <c>.onnx</c>.</param>
    /// <param name="options">The version of the operators, outputs, and metadata; null for version 17 and the network's outputs.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> are out of range or name no output; or ONNX cannot say some layers: the
    /// message lists all of them with the reasons.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void SaveOnnx<T>(this Network<T> network, string path, OnnxSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var model = OnnxExport.Write(network, options ?? new());
        AtomicFile.Write(path, model.CopyTo);
    }

    /// <summary>Saves a network as an ONNX model to a stream at its current position. The stream stays open.</summary>
    /// <inheritdoc cref="SaveOnnx{T}(Network{T}, string, OnnxSaveOptions)" path="/remarks"/>
    /// <typeparam name="T">float or double. ONNX Runtime lacks some operators in double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="options">The version of the operators, outputs, and metadata; null for version 17 and the network's outputs.</param>
    /// <exception cref="ArgumentException"><paramref name="options"/> are out of range or name no output; or ONNX cannot say some layers: the
    /// message lists all of them with the reasons.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void SaveOnnx<T>(this Network<T> network, Stream stream, OnnxSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanWrite)
            throw new ArgumentException("The stream cannot be written to.", nameof(stream));
        OnnxExport.Write(network, options ?? new()).CopyTo(stream);
    }
}
