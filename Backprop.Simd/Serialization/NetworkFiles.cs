using System.Numerics;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>Networks in safetensors files: all parameters and all state, under their names and in their shapes.</summary>
/// <remarks>
/// The graph is not in the file: a network is loaded into one that was built by the same calls. Which parameters are frozen, and the
/// seed, are not there either. Names that start with <c>@</c> are for what else a file of ours holds; loading a network passes them over, so
/// that it can be loaded from a checkpoint too.
/// </remarks>
public static class NetworkFiles
{
    /// <summary>What the names of other tensors start with.</summary>
    internal const char Mark = '@';

    private const string FormatKey = "format", Format = "backprop.simd", VersionKey = "version", Version = "1", ElementKey = "element", User = "user.";

    /// <summary>Saves a network: the old file at this path or the new one is there, never a part.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="path">The file; its directory exists. The usual ending is <c>.safetensors</c>.</param>
    /// <param name="options">What else goes in; nothing if null.</param>
    /// <exception cref="ArgumentException">A parameter and a piece of state have one name, a name starts with <c>@</c>, or two keys or columns of
    /// <paramref name="options"/> are the same.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Save<T>(this Network<T> network, string path, NetworkSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Writer(network, options).Write(path);

    /// <summary>Saves a network to a stream, from its position on. The stream stays open.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="options">What else goes in; nothing if null.</param>
    /// <exception cref="ArgumentException">A parameter and a piece of state have one name, a name starts with <c>@</c>, or two keys or columns of
    /// <paramref name="options"/> are the same.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save<T>(this Network<T> network, Stream stream, NetworkSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Writer(network, options).Write(stream);

    /// <summary>Loads a network. Unless all is right, nothing is changed.</summary>
    /// <typeparam name="T">float or double; a double network takes a file of floats too.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="path">The file: one of ours, a checkpoint, or, with the option for it, a safetensors file that others wrote.</param>
    /// <param name="options">What is not to be strict; null for strict.</param>
    /// <returns>What else the file held.</returns>
    /// <exception cref="ModelFileException">The file is damaged or does not fit the network: the message lists what is missing,
    /// unexpected and different.</exception>
    /// <exception cref="IOException">The file is not there, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static NetworkFileContent Load<T>(this Network<T> network, string path, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var file = SafetensorsFile.Open(path);
        return Load(network, file, options);
    }

    /// <summary>Loads a network from a stream: from its position to its end. Unless all is right, nothing is changed.</summary>
    /// <typeparam name="T">float or double; a double network takes a file of floats too.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="stream">The stream; one that cannot seek is read into memory first.</param>
    /// <param name="options">What is not to be strict; null for strict.</param>
    /// <returns>What else the file held.</returns>
    /// <exception cref="ModelFileException">The bytes are damaged or do not fit the network: the message lists what is missing,
    /// unexpected and different.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static NetworkFileContent Load<T>(this Network<T> network, Stream stream, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var file = SafetensorsFile.Open(stream);
        return Load(network, file, options);
    }

    /// <summary>Loads a network from an open file. Unless all is right, nothing is changed.</summary>
    /// <typeparam name="T">float or double; a double network takes a file of floats too.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="file">The file, which stays open.</param>
    /// <param name="options">What is not to be strict; null for strict.</param>
    /// <returns>What else the file held.</returns>
    /// <exception cref="ModelFileException">The file is damaged or does not fit the network: the message lists what is missing,
    /// unexpected and different.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static NetworkFileContent Load<T>(this Network<T> network, SafetensorsFile file, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(file);
        options ??= new();
        var isOurs = file.FindMetadata(FormatKey) is { } format && (format == Format || format.StartsWith(Format + ".", StringComparison.Ordinal));
        if (isOurs && file.FindMetadata(VersionKey) is var version && version != Version)
            throw new ModelFileException($"{file.Origin} is of version '{version}'; this library reads version {Version}.");
        if (!options.IgnoreChecksum)
        {
            if (!file.HasChecksum)
                throw new ModelFileException($"{file.Origin} has no checksum, as our files do; files that others wrote are loaded with {nameof(NetworkLoadOptions.IgnoreChecksum)}.");
            file.VerifyChecksum();
        }

        var normalizations = isOurs ? NormalizationTensors.Read(file) : [];
        var metadata = new Dictionary<string, string>();
        foreach (var (key, value) in file.Metadata)
        {
            if (!isOurs)
                metadata.Add(key, value);
            else if (key.StartsWith(User, StringComparison.Ordinal))
                metadata.Add(key[User.Length..], value);
        }

        // Aside first: reading may still fail.
        var matching = new NetworkMatching<T>(network, file, options, passMarked: isOurs);
        T[] parameters = network.Parameters.ToArray(), state = network.State.ToArray();
        matching.Read(parameters, state);
        parameters.CopyTo(network.Parameters);
        state.CopyTo(network.State);
        return new NetworkFileContent(metadata, normalizations);
    }

    /// <summary>Throws if two entries of a network would be one tensor, or one of its names is reserved.</summary>
    internal static void RequireDistinctNames(NetworkDefinition definition)
    {
        foreach (var entry in definition.Parameters.Entries.Concat(definition.State.Entries))
        {
            if (entry.Name[0] == Mark)
                throw new ArgumentException($"'{entry.Name}' cannot be in a file: names that start with '{Mark}' are for what is not the network's.", "network");
        }

        foreach (var entry in definition.State.Entries)
        {
            if (definition.Parameters.TryFind(entry.Name, out _))
                throw new ArgumentException($"A parameter and a piece of state are both named '{entry.Name}', which would be one tensor of a file.", "network");
        }
    }

    private static SafetensorsWriter Writer<T>(Network<T> network, NetworkSaveOptions? options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        RequireDistinctNames(network.Definition);
        var writer = new SafetensorsWriter { Checksum = true };
        writer.AddMetadata(FormatKey, Format);
        writer.AddMetadata(VersionKey, Version);
        writer.AddMetadata(ElementKey, TensorTypes.Of<T>().Name());
        foreach (var (key, value) in options?.Metadata ?? [])
            writer.AddMetadata(User + key, value);
        foreach (var entry in network.Definition.Parameters.Entries)
            writer.Add<T>(entry.Name, entry.Shape, network.Blocks.Parameters.Memory.Slice(entry.Range.Start, entry.Range.Length));
        foreach (var entry in network.Definition.State.Entries)
            writer.Add<T>(entry.Name, entry.Shape, network.Blocks.State.Memory.Slice(entry.Range.Start, entry.Range.Length));
        foreach (var normalization in options?.Normalizations ?? [])
            NormalizationTensors.Add(writer, normalization);
        return writer;
    }
}
