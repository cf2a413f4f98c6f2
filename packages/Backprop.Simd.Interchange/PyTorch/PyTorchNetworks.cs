using System.Numerics;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Networks from and to files of PyTorch.</summary>
/// <remarks>A module's numbers go to the layers that the network was built of; the network has to be the module's port. How modules find their
/// nodes, and what is transposed, is said at <see cref="NetworkLoadOptions.Layout"/>.</remarks>
public static class PyTorchNetworks
{
    /// <summary>Loads a network from a file of <c>torch.save</c>. If anything is wrong, the network is not changed.</summary>
    /// <typeparam name="T">float or double. A double network also loads a file of floats.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">Where to be less strict, and the names of modules; null for strict and by order.</param>
    /// <param name="dictionary">The keys that lead to the state dictionary, joined by <c>/</c>; null for the dictionary with the most
    /// tensors.</param>
    /// <returns>Which module each node took.</returns>
    /// <exception cref="ModelFileException">The file is damaged, not a file of PyTorch, or does not fit the network.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> names a node that the network does not have.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static NetworkFileContent LoadPyTorch<T>(this Network<T> network, string path, NetworkLoadOptions? options = null, string? dictionary = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        using var file = PyTorchFile.Open(path, dictionary);
        return network.LoadPyTorch(file, options);
    }

    /// <summary>Loads a network from a stream, from its position to its end. If anything is wrong, the network is not changed.</summary>
    /// <typeparam name="T">float or double. A double network also loads a file of floats.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="stream">The stream. If it cannot seek, it is read into memory first.</param>
    /// <param name="options">Where to be less strict, and the names of modules; null for strict and by order.</param>
    /// <param name="dictionary">The keys that lead to the state dictionary, joined by <c>/</c>; null for the dictionary with the most
    /// tensors.</param>
    /// <returns>Which module each node took.</returns>
    /// <exception cref="ModelFileException">The bytes are damaged, not a file of PyTorch, or do not fit the network.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> names a node that the network does not have.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static NetworkFileContent LoadPyTorch<T>(this Network<T> network, Stream stream, NetworkLoadOptions? options = null, string? dictionary = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        using var file = PyTorchFile.Open(stream, dictionary);
        return network.LoadPyTorch(file, options);
    }

    /// <summary>Saves a network as a state dictionary that <c>torch.load</c> reads and <c>load_state_dict</c> takes. The path holds the old file or
    /// the new one.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="path">The file. Its directory must exist. The usual ending is <c>.pt</c>.</param>
    /// <param name="options">The names of modules; null for those of the nodes.</param>
    /// <exception cref="ArgumentException">PyTorch has no such layer, or <paramref name="options"/> has what such a file does not hold.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void SavePyTorch<T>(this Network<T> network, string path, NetworkSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var tensors = Tensors(network, options);
        AtomicFile.Write(path, stream => PyTorchWriter.Write<T>(stream, tensors));
    }

    /// <summary>Saves a network to a stream at its current position. The stream stays open.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="options">The names of modules; null for those of the nodes.</param>
    /// <exception cref="ArgumentException">PyTorch has no such layer, or <paramref name="options"/> has what such a file does not hold.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void SavePyTorch<T>(this Network<T> network, Stream stream, NetworkSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanWrite)
            throw new ArgumentException("The stream cannot be written to.", nameof(stream));
        PyTorchWriter.Write<T>(stream, Tensors(network, options));
    }

    private static ITensorFile Tensors<T>(Network<T> network, NetworkSaveOptions? options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (options is { Metadata.Count: > 0 } or { Type: not null })
        {
            throw new ArgumentException(
                $"A file of torch.save holds tensors alone, in the type of the network; for {nameof(options.Metadata)} or another {nameof(options.Type)} "
                + "write safetensors: network.Save(path, NetworkSaveOptions.PyTorch).",
                nameof(options));
        }

        return network.ToPyTorch(options);
    }
}
