using Backprop.Simd.Data;

namespace Backprop.Simd.Serialization;

/// <summary>What a file holds besides the network.</summary>
public sealed record NetworkSaveOptions
{
    /// <summary>Texts of the caller's, under keys that are unique: class names, what the network was trained on.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>How the inputs were normalized, one for a column at most.</summary>
    public IReadOnlyCollection<Normalization> Normalizations { get; init; } = [];
}

/// <summary>
/// How a file is read into a network. The defaults are strict: all of the network is in the file, and nothing else, and no bit has changed
/// since it was saved.
/// </summary>
public sealed record NetworkLoadOptions
{
    /// <summary>Whether a float network takes doubles, rounded to nearest.</summary>
    public bool AllowNarrowing { get; init; }

    /// <summary>Whether parameters and state that the file has not stay as they are.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>Whether the checksum is neither demanded nor compared. Files that others wrote have none.</summary>
    public bool IgnoreChecksum { get; init; }

    /// <summary>From a name in the file to that in the network; null where the tensor is of no use. Without it names are equal.</summary>
    public Func<string, string?>? Rename { get; init; }

    /// <summary>
    /// For a name in the network the order of the file's dimensions: dimension i of the network is dimension <c>axes[i]</c> of the file. Null for
    /// the same order. PyTorch's weights of linear layers, <c>[out, in]</c>, take <c>[1, 0]</c>, those of 2-D convolutions,
    /// <c>[out, in, h, w]</c>, take <c>[2, 3, 1, 0]</c>.
    /// </summary>
    public Func<string, int[]?>? Axes { get; init; }
}

/// <summary>What a file held besides the network.</summary>
/// <param name="Metadata">The caller's texts; of a file that others wrote all of its metadata.</param>
/// <param name="Normalizations">How the inputs were normalized, in the order in which they were saved.</param>
public sealed record NetworkFileContent(IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<Normalization> Normalizations);
