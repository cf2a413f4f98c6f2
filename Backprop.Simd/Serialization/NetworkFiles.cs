using System.Globalization;
using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>Networks in safetensors files: all parameters and all state, under their names and in their shapes.</summary>
/// <remarks>
/// The file holds the graph too, as <see cref="Model{T}"/> needs it, if all layers are of registered kinds (<see cref="LayerKinds"/>); loading
/// into a network of another graph is refused. It does not hold which parameters are frozen. Names that start with <c>@</c>
/// belong to other data in a file of this library. Loading a network skips them, so that a network can also be loaded from a checkpoint.
/// </remarks>
public static partial class NetworkFiles
{
    /// <summary>The prefix of tensors that do not belong to the network.</summary>
    internal const char Mark = '@';

    private const string FormatKey = "format", Format = "backprop.simd", VersionKey = "version", Version = "2", FirstVersion = "1",
        ElementKey = "element", User = "user.";

    /// <summary>The graph as <see cref="GraphText"/> writes it, and the network's seed.</summary>
    internal const string GraphKey = "graph", SeedKey = "seed";

    /// <summary>Saves a network. The path always holds the old file or the new one, never a part.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="path">The file. Its directory must exist. The usual ending is <c>.safetensors</c>.</param>
    /// <param name="options">Further content; null for none.</param>
    /// <exception cref="ArgumentException">A parameter and a state have the same name, a name starts with <c>@</c>, or two keys of
    /// <paramref name="options"/> are equal.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Save<T>(this Network<T> network, string path, NetworkSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Writer(network, options).Write(path);

    /// <summary>Saves a network to a stream at its current position. The stream stays open.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="network">The network; nothing may change it meanwhile.</param>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="options">Further content; null for none.</param>
    /// <exception cref="ArgumentException">A parameter and a state have the same name, a name starts with <c>@</c>, or two keys of
    /// <paramref name="options"/> are equal.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save<T>(this Network<T> network, Stream stream, NetworkSaveOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Writer(network, options).Write(stream);

    /// <summary>Loads a network. If anything is wrong, the network is not changed.</summary>
    /// <typeparam name="T">float or double. A double network also loads a file of floats.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="path">A file saved by this library, a checkpoint, or (see <see cref="NetworkLoadOptions.IgnoreChecksum"/>) a safetensors file
    /// from another program.</param>
    /// <param name="options">Where to be less strict; null for strict.</param>
    /// <returns>The further content of the file.</returns>
    /// <exception cref="ModelFileException">The file is damaged or does not fit the network. The message lists what is missing,
    /// unexpected and different.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static NetworkFileContent Load<T>(this Network<T> network, string path, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var file = SafetensorsFile.Open(path);
        return Load(network, file, options);
    }

    /// <summary>Loads a network from a stream, from its position to its end. If anything is wrong, the network is not changed.</summary>
    /// <typeparam name="T">float or double. A double network also loads a file of floats.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="stream">The stream. If it cannot seek, it is read into memory first.</param>
    /// <param name="options">Where to be less strict; null for strict.</param>
    /// <returns>The further content of the file.</returns>
    /// <exception cref="ModelFileException">The bytes are damaged or do not fit the network. The message lists what is missing,
    /// unexpected and different.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static NetworkFileContent Load<T>(this Network<T> network, Stream stream, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var file = SafetensorsFile.Open(stream);
        return Load(network, file, options);
    }

    /// <summary>Loads a network from an open file. If anything is wrong, the network is not changed.</summary>
    /// <typeparam name="T">float or double. A double network also loads a file of floats.</typeparam>
    /// <param name="network">The network; nothing may use it meanwhile.</param>
    /// <param name="file">The file, which stays open.</param>
    /// <param name="options">Where to be less strict; null for strict.</param>
    /// <returns>The further content of the file.</returns>
    /// <exception cref="ModelFileException">The file is damaged or does not fit the network. The message lists what is missing,
    /// unexpected and different.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static NetworkFileContent Load<T>(this Network<T> network, SafetensorsFile file, NetworkLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(file);
        options ??= new();
        if (options.Layout == TensorLayout.PyTorch)
            return LoadPyTorchFile(network, file, options);
        RequireNoModules(options.Modules);
        var isOurs = IsOurs(file);
        VerifyChecksum(file, isOurs, options);
        if (isOurs && !options.IgnoreNormalizations)
            NormalizationTensors.RequireNone(file);

        // Into other memory first: reading may still fail.
        var matching = new NetworkMatching<T>(network.Definition, file, options, passMarked: isOurs);
        if (isOurs && options is { IgnoreGraph: false, AllowMissing: false, Rename: null } && file.FindMetadata(GraphKey) is { } graph
            && GraphText.TryWrite(network.Definition) is { } own && GraphComparison.Difference(graph, own, network.Definition) is { } difference)
        {
            throw new ModelFileException(
                $"{file.Origin} holds another graph. {difference} To load it all the same, set {nameof(NetworkLoadOptions.IgnoreGraph)}.");
        }

        T[] parameters = network.Parameters.ToArray(), state = network.State.ToArray();
        matching.Read(parameters, state);
        parameters.CopyTo(network.Parameters);
        state.CopyTo(network.State);
        return new NetworkFileContent(UserMetadata(file, isOurs));
    }

    /// <summary>The statistics that an earlier version of this library saved beside a network, whose program normalized columns outside of it. Put them
    /// into the graph, <c>x.Normalize(statistics)</c>, and load with <see cref="NetworkLoadOptions.IgnoreNormalizations"/>.</summary>
    /// <param name="path">A file or a checkpoint of this library.</param>
    /// <returns>The statistics in the order of the file, each with the name of its column; none in a newer file, or in one of another program.</returns>
    /// <exception cref="ModelFileException">The file is damaged.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static IReadOnlyList<Normalization> ReadNormalizations(string path)
    {
        using var file = SafetensorsFile.Open(path);
        var isOurs = IsOurs(file);
        VerifyChecksum(file, isOurs, new());
        return isOurs ? NormalizationTensors.Read(file) : [];
    }

    /// <summary>Throws if the checksum is wrong. Files of this library have one; those of other programs need none.</summary>
    internal static void VerifyChecksum(SafetensorsFile file, bool isOurs, NetworkLoadOptions options)
    {
        if (options.IgnoreChecksum)
            return;
        if (isOurs && !file.HasChecksum)
        {
            throw new ModelFileException($"{file.Origin} has lost its checksum: it was changed after this library saved it. "
                + $"To load it all the same, set {nameof(NetworkLoadOptions.IgnoreChecksum)}.");
        }

        if (file.HasChecksum)
            file.VerifyChecksum();
    }

    /// <summary>Throws if two entries of a network have the same name, or if a name is reserved.</summary>
    internal static void RequireDistinctNames(NetworkDefinition definition)
    {
        foreach (var entry in definition.Parameters.Entries.Concat(definition.State.Entries))
        {
            if (entry.Name[0] == Mark)
                throw new ArgumentException($"'{entry.Name}' cannot be saved: names that start with '{Mark}' are reserved.", "network");
        }

        foreach (var entry in definition.State.Entries)
        {
            if (definition.Parameters.TryFind(entry.Name, out _))
                throw new ArgumentException($"A parameter and a state are both named '{entry.Name}': a file can hold only one of that name.", "network");
        }
    }

    /// <summary>The metadata of a file's own keys.</summary>
    internal static Dictionary<string, string> UserMetadata(SafetensorsFile file, bool isOurs)
    {
        var metadata = new Dictionary<string, string>();
        foreach (var (key, value) in file.Metadata)
        {
            if (!isOurs)
                metadata.Add(key, value);
            else if (key.StartsWith(User, StringComparison.Ordinal))
                metadata.Add(key[User.Length..], value);
        }

        return metadata;
    }

    /// <summary>Whether this library wrote a file.</summary>
    /// <exception cref="ModelFileException">It did, in another version.</exception>
    internal static bool IsOurs(SafetensorsFile file)
    {
        var isOurs = file.FindMetadata(FormatKey) is { } format && (format == Format || format.StartsWith(Format + ".", StringComparison.Ordinal));
        var version = file.FindMetadata(VersionKey);
        if (isOurs && version is not (Version or FirstVersion))
            throw new ModelFileException($"{file.Origin} has version '{version}'; this library reads versions {FirstVersion} and {Version}.");
        if (!isOurs && (file.FindMetadata(ElementKey) ?? file.FindMetadata(SeedKey) ?? file.FindMetadata(GraphKey)) is not null)
            throw new ModelFileException($"{file.Origin} is damaged: its metadata has keys of this library, but not its format.");
        return isOurs;
    }

    /// <summary>What a file holds of a network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="options">Further content; null for none.</param>
    /// <param name="graph">The graph, or null if a layer is of a kind that is not registered.</param>
    internal static SafetensorsWriter Writer<T>(Network<T> network, NetworkSaveOptions? options, string? graph)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        RequireDistinctNames(network.Definition);
        var type = options?.Type ?? TensorTypes.Of<T>();
        var writer = new SafetensorsWriter { Checksum = true };
        writer.AddMetadata(FormatKey, Format);
        writer.AddMetadata(VersionKey, Version);
        writer.AddMetadata(ElementKey, type.Name());
        if (graph is not null)
        {
            writer.AddMetadata(GraphKey, graph);
            writer.AddMetadata(SeedKey, network.Seed.ToString(CultureInfo.InvariantCulture));
        }

        foreach (var (key, value) in options?.Metadata ?? [])
            writer.AddMetadata(User + key, value);
        foreach (var entry in network.Definition.Parameters.Entries)
            NarrowTensors.Add<T>(writer, type, entry, network.Blocks.Parameters.Memory.Slice(entry.Range.Start, entry.Range.Length));
        foreach (var entry in network.Definition.State.Entries)
            writer.Add<T>(entry.Name, entry.Shape, network.Blocks.State.Memory.Slice(entry.Range.Start, entry.Range.Length));
        return writer;
    }

    private static SafetensorsWriter Writer<T>(Network<T> network, NetworkSaveOptions? options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        if (options?.Layout == TensorLayout.PyTorch)
            return PyTorchWriter(network, options);
        RequireNoModules(options?.Modules);
        return Writer(network, options, GraphText.TryWrite(network.Definition));
    }
}
