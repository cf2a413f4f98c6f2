using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>The types of all edges. A workspace tells them for several choices of the free sizes: dimensions that differ are free.</summary>
internal sealed class OnnxTypes
{
    private readonly Dictionary<string, OnnxEdgeType> _types = [];
    private readonly Dictionary<string, EdgeType[]> _probes = [];
    private readonly List<(string Name, int[] Sizes)> _free = [];

    private OnnxTypes()
    {
    }

    public OnnxEdgeType this[string name] => _types[name];

    public static OnnxTypes Of<T>(Network<T> network) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var definition = network.Definition;
        var types = new OnnxTypes();
        string[] names = [.. definition.InputNames, .. definition.ComputedNames, .. definition.Nodes.SelectMany(n => n.Inputs).Distinct()
            .Where(n => definition.Parameters.TryFind(n, out _))];
        var probes = ProbesOf(definition);
        var workspace = probes.Count > 1 ? network.CreateWorkspace(1, WorkspaceOptions.Inference) : null;
        foreach (var name in names)
            types._probes[name] = [.. probes.Select(_ => definition.TypeOf(name))];
        for (var p = 1; p < probes.Count; p++)
        {
            try
            {
                workspace!.SetSizes(probes[p]);
            }
            catch (ArgumentException)
            {
                // A layer does not take this size, such as an odd one: its types stay those of the largest.
                probes[p] = probes[0];
                continue;
            }

            foreach (var name in names)
                types._probes[name][p] = workspace.TypeOf(name);
        }

        foreach (var size in definition.FreeSizes)
            types._free.Add((size.Name!, [.. probes.Select(p => p.First(s => s.Name == size.Name).Size)]));
        foreach (var name in names)
        {
            var seen = types._probes[name];
            types._types[name] = new(seen[0].Kind, seen[0].Shape,
                [.. Enumerable.Range(0, seen[0].Shape.Rank).Select(d => Array.Exists(seen, s => s.Shape[d] != seen[0].Shape[d]))]);
        }

        return types;
    }

    /// <summary>The name of a free dimension of an edge: that of the free size it always equals, or its own.</summary>
    public string NameOf(string edge, int dimension) =>
        _free.Find(size => size.Sizes.SequenceEqual(_probes[edge].Select(type => type.Shape[dimension]))).Name ?? $"{edge}.{dimension}";

    /// <summary>The largest sizes, the smallest, and each size smaller by itself: by one, and to its least.</summary>
    private static List<(string Name, int Size)[]> ProbesOf(NetworkDefinition definition)
    {
        var sizes = definition.FreeSizes;
        List<(string Name, int Size)[]> probes = [[.. sizes.Select(s => (s.Name!, s.Largest))]];
        for (var i = 0; i < sizes.Count; i++)
        {
            foreach (var size in (ReadOnlySpan<int>)[sizes[i].Smallest, sizes[i].Largest - 1, (sizes[i].Smallest + sizes[i].Largest) / 2])
            {
                if (size < sizes[i].Smallest || size == sizes[i].Largest)
                    continue;
                var probe = probes[0].ToArray();
                probe[i].Size = size;
                probes.Add(probe);
            }
        }

        return probes;
    }
}
