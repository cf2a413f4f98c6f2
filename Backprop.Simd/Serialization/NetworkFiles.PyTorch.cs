using System.Numerics;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <content>PyTorch's layout.</content>
public static partial class NetworkFiles
{
    /// <summary>What a file in PyTorch's layout says of its writer, whose tensors are in the order of the modules.</summary>
    internal const string WriterKey = "writer", OwnWriter = Format;

    /// <summary>What Python's readers of safetensors look for.</summary>
    private const string PyTorchFormat = "pt";

    /// <summary>Loads a network from tensors with PyTorch's names, shapes and orders. If anything is wrong, the network is not changed.</summary>
    /// <typeparam name="T">float or double. A double network also loads a file of floats.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="file">The tensors.</param>
    /// <param name="options">Where to be less strict, and the names of modules; null for strict and by order. The layout is PyTorch's whatever
    /// it says.</param>
    /// <returns>Which module each node took.</returns>
    /// <exception cref="ModelFileException">The tensors do not fit the network. The message lists what is missing, unexpected and
    /// different.</exception>
    /// <exception cref="ArgumentException"><paramref name="options"/> names a node that the network does not have.</exception>
    /// <exception cref="IOException">The tensors cannot be read.</exception>
    public static NetworkFileContent LoadPyTorch<T>(this Network<T> network, ITensorFile file, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(file);

        // Into other memory first: reading may still fail.
        var matching = new PyTorchMatching<T>(network, file, options ?? NetworkLoadOptions.PyTorch);
        T[] parameters = network.Parameters.ToArray(), state = network.State.ToArray();
        matching.Read(parameters, state);
        parameters.CopyTo(network.Parameters);
        state.CopyTo(network.State);
        return new NetworkFileContent(new Dictionary<string, string>()) { Modules = matching.Names };
    }

    /// <summary>The parameters and the state of a network as tensors with PyTorch's names, shapes and orders, in the order of execution.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network. Tensors that are read later have the numbers of that moment.</param>
    /// <param name="options">The names of modules; null for those of the nodes.</param>
    /// <returns>The tensors.</returns>
    /// <exception cref="ArgumentException">PyTorch has no such layer, two tensors have the same name, or <paramref name="options"/> names a node
    /// that the network does not have.</exception>
    public static ITensorFile ToPyTorch<T>(this Network<T> network, NetworkSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        return new PyTorchTensors<T>(network, options?.Modules ?? new Dictionary<string, string>());
    }

    private static NetworkFileContent LoadPyTorchFile<T>(Network<T> network, SafetensorsFile file, NetworkLoadOptions options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (file.HasChecksum && !options.IgnoreChecksum)
            file.VerifyChecksum();
        return LoadPyTorch(network, file, options) with { Metadata = file.Metadata.ToDictionary() };
    }

    private static SafetensorsWriter PyTorchWriter<T>(Network<T> network, NetworkSaveOptions options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var writer = new SafetensorsWriter { Checksum = true };
        writer.AddMetadata(FormatKey, PyTorchFormat);
        writer.AddMetadata(WriterKey, OwnWriter);
        foreach (var (key, value) in options.Metadata)
            writer.AddMetadata(key, value);
        foreach (var tensor in network.ToPyTorch(options).Tensors)
        {
            NarrowTensors.Add<T>(writer, options.Type ?? TensorTypes.Of<T>(), tensor.Name, tensor.Shape, () =>
            {
                var values = new T[((PyTorchTensors<T>.Tensor)tensor).Count];
                tensor.Read<T>(values);
                return values;
            });
        }

        return writer;
    }

    private static void RequireNoModules(IReadOnlyDictionary<string, string>? modules)
    {
        if (modules is { Count: > 0 })
            throw new ArgumentException($"{nameof(NetworkLoadOptions.Modules)} are for {nameof(TensorLayout)}.{nameof(TensorLayout.PyTorch)}.", "options");
    }
}
