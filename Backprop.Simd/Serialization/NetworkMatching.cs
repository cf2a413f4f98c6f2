using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>Which tensor of a file belongs to which entry of a network. Everything is checked before anything is read.</summary>
internal sealed class NetworkMatching<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>How many names of one kind a message lists.</summary>
    private const int MostListed = 10;

    private readonly List<Match> _matches = [];
    private readonly bool _allowNarrowing;

    /// <summary>Matches all tensors.</summary>
    /// <param name="definition">The graph of the network.</param>
    /// <param name="file">The file.</param>
    /// <param name="options">Where to be less strict.</param>
    /// <param name="passMarked">Whether to skip tensors with the reserved prefix.</param>
    /// <exception cref="ModelFileException">Something is missing, unexpected or different.</exception>
    public NetworkMatching(NetworkDefinition definition, SafetensorsFile file, NetworkLoadOptions options, bool passMarked)
    {
        NetworkFiles.RequireDistinctNames(definition);
        _allowNarrowing = options.AllowNarrowing;
        var (parameters, state) = (definition.Parameters, definition.State);
        var taken = new Dictionary<string, string>();
        List<string> missing = [], unexpected = [], different = [];
        foreach (var tensor in file.Tensors)
        {
            if (passMarked && tensor.Name.StartsWith(NetworkFiles.Mark))
                continue;
            var name = options.Rename is null ? tensor.Name : options.Rename(tensor.Name);
            if (name is null)
                continue;
            var isState = state.TryFind(name, out var entry);
            if (!isState && !parameters.TryFind(name, out entry))
                unexpected.Add(name == tensor.Name ? $"'{name}'" : $"'{tensor.Name}' renamed to '{name}'");
            else if (!taken.TryAdd(name, tensor.Name))
                different.Add($"'{name}' is both '{taken[name]}' and '{tensor.Name}'");
            else
                Compare(new Match(tensor, entry!, isState, options.Axes?.Invoke(name)), different);
        }

        foreach (var entry in parameters.Entries.Concat(state.Entries))
        {
            if (!options.AllowMissing && !taken.ContainsKey(entry.Name))
                missing.Add($"'{entry.Name}' {entry.Shape}");
        }

        List<string> all = [.. Listed("missing", missing), .. Listed("unexpected", unexpected), .. Listed("different", different)];
        if (all.Count > 0)
        {
            var strict = different.Count + unexpected.Count > 0
                ? " To leave out a tensor of the file, let Rename return null for its name; if the network has it too, set AllowMissing."
                : " Set AllowMissing to load without the missing ones.";
            throw new ModelFileException($"{file.Origin} does not fit the network. {string.Join("; ", all)}.{strict}");
        }
    }

    /// <summary>Reads all matches into blocks with the layout of the network's blocks.</summary>
    public void Read(Span<T> parameters, Span<T> state)
    {
        foreach (var (tensor, entry, isState, axes) in _matches)
        {
            var destination = (isState ? state : parameters).Slice(entry.Range.Start, entry.Range.Length);
            if (axes is null)
            {
                tensor.Read(destination, _allowNarrowing);
                continue;
            }

            var sizes = Array.ConvertAll<long, int>([.. tensor.Shape], size => (int)size);
            Permutation.Transpose(new(tensor.ToArray<T>(_allowNarrowing), sizes), axes, new Destination<T>(destination));
        }
    }

    private void Compare(Match match, List<string> different)
    {
        var (tensor, entry, _, axes) = match;
        var shape = tensor.Shape.ToArray();
        var order = "";
        if (axes is not null)
        {
            order = $" in the order [{string.Join(", ", axes)}]";
            if (!axes.Order().SequenceEqual(Enumerable.Range(0, shape.Length)))
            {
                different.Add($"'{entry.Name}' is {tensor.ShapeText}, which cannot be put{order}");
                return;
            }

            shape = [.. axes.Select(a => shape[a])];
        }

        if (!shape.SequenceEqual(SafetensorsWriter.Dimensions(entry.Shape)))
            different.Add($"'{entry.Name}' is {tensor.ShapeText}{order}, the network's is {entry.Shape}");
        else if (!TensorReading.CanRead<T>(tensor.Type, _allowNarrowing))
            different.Add($"'{entry.Name}' is {tensor.Type.Name()}, which {TensorTypes.Of<T>().Name()} cannot hold without loss");
        else
            _matches.Add(match);
    }

    private static string[] Listed(string what, List<string> names)
    {
        var more = names.Count > MostListed ? $" and {names.Count - MostListed} more" : "";
        return names.Count == 0 ? [] : [$"{what}: {string.Join(", ", names.Take(MostListed))}{more}"];
    }

    private readonly record struct Match(SafetensorsTensor Tensor, ParameterInfo Entry, bool IsState, int[]? Axes);
}
