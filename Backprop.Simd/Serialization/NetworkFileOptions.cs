
namespace Backprop.Simd.Serialization;

/// <summary>What a file holds besides the network.</summary>
public sealed record NetworkSaveOptions
{
    /// <summary>The caller's own texts under unique keys: class names, or where the training data came from.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>The type of numbers in the file; null for the network's own. F16 and BF16 halve a file of floats: numbers are rounded to
    /// nearest. State keeps its type, except in PyTorch's layout, where <c>module.half()</c> converts it too. A file of <c>torch.save</c> has the
    /// network's type: for another write safetensors.</summary>
    public TensorType? Type { get; init; }

    /// <summary>PyTorch's layout: what its <c>load_state_dict</c> takes.</summary>
    public static NetworkSaveOptions PyTorch { get; } = new() { Layout = TensorLayout.PyTorch };

    /// <summary>Whose names, shapes and orders the tensors have.</summary>
    public TensorLayout Layout { get; init; }

    /// <summary>For PyTorch's layout: names of nodes, or of parameters of the graph, with the names of their modules there,
    /// <c>["affine1"] = "fc1"</c>. Others have the names of their nodes.</summary>
    public IReadOnlyDictionary<string, string>? Modules { get; init; }
}

/// <summary>
/// How a file is read into a network. The defaults are strict: the file must hold the whole network and nothing else, and its checksum must
/// be right.
/// </summary>
public sealed record NetworkLoadOptions
{
    /// <summary>PyTorch's layout, as its <c>state_dict</c> gives it.</summary>
    public static NetworkLoadOptions PyTorch { get; } = new() { Layout = TensorLayout.PyTorch };

    /// <summary>Whose names, shapes and orders the tensors of the file have. With PyTorch's, weights are transposed by the kind of their layer,
    /// the two biases of recurrences added, and the inputs behind a flattened image put from C, H, W to H, W, C; modules are matched by name,
    /// else in order.</summary>
    public TensorLayout Layout { get; init; }

    /// <summary>For PyTorch's layout: names of nodes, or of parameters of the graph, with the names of their modules in the file,
    /// <c>["affine1"] = "fc1"</c>. Nodes that are not named here take the module of their own name, else the next of their kind and
    /// shapes.</summary>
    public IReadOnlyDictionary<string, string>? Modules { get; init; }

    /// <summary>Whether a float network accepts doubles and rounds them to nearest.</summary>
    public bool AllowNarrowing { get; init; }

    /// <summary>Whether parameters and state may be missing from the file; they then keep their values.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>Whether to load without comparing the checksum. Files from other programs have none, and load without this too.</summary>
    public bool IgnoreChecksum { get; init; }

    /// <summary>Whether to load the file of another graph if names and shapes fit: attention of 4 heads into one of 8. It is not compared either
    /// if <see cref="Rename"/> or <see cref="AllowMissing"/> is set, or if the file holds no graph.</summary>
    public bool IgnoreGraph { get; init; }

    /// <summary>Whether to load a file whose program normalized columns outside the network, as earlier versions of this library did. Set it once the
    /// graph normalizes: <see cref="NetworkFiles.ReadNormalizations"/> has the statistics, and <c>x.Normalize(statistics)</c> puts them into the
    /// graph. A file that is saved then holds them there.</summary>
    public bool IgnoreNormalizations { get; init; }

    /// <summary>
    /// Maps a name in the file to the name in the network, or to null to leave the tensor out. Without it, the names must be equal. For
    /// PyTorch's layout it gives the name as the file might have it: <c>name => name.Replace("module.", "")</c>.
    /// </summary>
    public Func<string, string?>? Rename { get; init; }

    /// <summary>
    /// Maps a name in the network to the order of the file's dimensions: dimension i of the network is dimension <c>axes[i]</c> of the file.
    /// Null keeps the order. For PyTorch's linear weights <c>[out, in]</c> return <c>[1, 0]</c>; for its 2-D convolution weights
    /// <c>[out, in, h, w]</c> return <c>[2, 3, 1, 0]</c>.
    /// </summary>
    public Func<string, int[]?>? Axes { get; init; }
}

/// <summary>What a file held besides the network.</summary>
/// <param name="Metadata">The caller's texts; for a file from another program, all of its metadata.</param>
public sealed record NetworkFileContent(IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>For PyTorch's layout: the nodes, and parameters of the graph, with the names of the modules that they took. Empty for others.</summary>
    public IReadOnlyDictionary<string, string> Modules { get; init; } = new Dictionary<string, string>();
}
