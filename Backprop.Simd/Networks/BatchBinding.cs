using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Execution;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <summary>Which column feeds which input of a network, so that a workspace reads a batch without a copy.</summary>
internal sealed class BatchBinding<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly DataColumn[] _columns;
    private readonly (string Input, int Column, bool Indices)[] _pairs;

    /// <summary>The free sizes that the columns have.</summary>
    private readonly (string Name, int Size)[] _sizes;

    /// <param name="definition">The network.</param>
    /// <param name="columns">The columns of a set.</param>
    /// <param name="needed">The inputs that need a column.</param>
    /// <param name="parameter">The caller's name for the set, for messages.</param>
    public BatchBinding(NetworkDefinition definition, ReadOnlySpan<DataColumn> columns, IEnumerable<string> needed, string parameter)
    {
        _columns = columns.ToArray();
        var pairs = new List<(string, int, bool)>();
        var sizes = new Dictionary<string, int>();
        foreach (var name in needed)
        {
            var expected = definition.TypeOf(name);
            var column = Array.FindIndex(_columns, c => c.Name == name);
            if (column < 0)
            {
                var all = string.Join(", ", _columns.Select(c => $"'{c.Name}' {c.Type}"));
                throw new ArgumentException($"The set has no column for the network's input '{name}' {expected}; it has {all}.", parameter);
            }

            var actual = _columns[column].Type;
            if (expected.Kind == EdgeKind.Shared)
                throw new ArgumentException($"The network's input '{name}' {expected} has no rows, so no column can feed it.", parameter);
            if (expected.Kind != actual.Kind || !Fits(definition, name, actual.Shape, sizes))
                throw new ArgumentException($"The network's input '{name}' takes {Wanted(definition, name)}; the column holds {actual}.", parameter);
            pairs.Add((name, column, expected.Kind == EdgeKind.Indices));
        }

        _pairs = [.. pairs];
        _sizes = [.. sizes.Select(size => (size.Key, size.Value))];
    }

    /// <summary>The binding of a set for all inputs of the outputs, and of the losses if wanted.</summary>
    public static BatchBinding<T> Of(NetworkDefinition definition, Dataset<T> set, bool losses) =>
        new(definition, set.Columns, Needed(definition, losses), nameof(set));

    /// <summary>Whether a set has a column for every input that the losses need.</summary>
    public static bool HasLosses(NetworkDefinition definition, Dataset<T> set)
    {
        var names = set.Columns.ToArray().Select(c => c.Name).ToHashSet();
        return definition.Graph.Losses.Length > 0 && Needed(definition, losses: true).All(names.Contains);
    }

    /// <summary>Whether the binding is for the columns of a batch.</summary>
    public bool Suits(Batch<T> batch) => batch.Columns.SequenceEqual(_columns);

    /// <summary>Lets the workspace read a batch, until it is bound to another batch. Rows are checked before sizes change.</summary>
    public void Bind(Workspace<T> workspace, Batch<T> batch)
    {
        workspace.CheckRows(batch.Rows);
        if (_sizes.Length > 0)
            workspace.SetSizes(_sizes);
        workspace.Rows = batch.Rows;
        foreach (var (input, column, indices) in _pairs)
        {
            if (indices)
                workspace.BindIndexInput(input, batch.IndexMemory(column));
            else
                workspace.BindInput(input, batch.ValueMemory(column));
        }
    }

    /// <summary>Whether rows of a shape feed an input. Adds the free sizes that they have.</summary>
    private static bool Fits(NetworkDefinition definition, string input, Shape actual, Dictionary<string, int> sizes)
    {
        var edge = definition.Graph.Edges[definition.EdgeOf(input)];
        if (edge.Dimensions.Length == 0)
            return edge.Type.Shape.Size == actual.Size;
        if (edge.Dimensions.Length != actual.Rank)
            return false;
        for (var d = 0; d < actual.Rank; d++)
        {
            var dimension = edge.Dimensions[d];
            if (actual[d] < dimension.Smallest || actual[d] > dimension.Largest)
                return false;
            if (dimension.Name is { } name && !sizes.TryAdd(name, actual[d]) && sizes[name] != actual[d])
                return false;
        }

        return true;
    }

    private static string Wanted(NetworkDefinition definition, string input)
    {
        var edge = definition.Graph.Edges[definition.EdgeOf(input)];
        return edge.Dimensions.Length == 0 ? edge.Type.ToString()
            : $"{edge.Type.Kind.ToString().ToLowerInvariant()} [{string.Join<Dimension>(", ", edge.Dimensions)}], free sizes alike in all inputs";
    }

    /// <summary>The inputs of the outputs, and of the losses if wanted. An output that is itself a loss counts only with the losses,
    /// because it needs labels.</summary>
    private static IEnumerable<string> Needed(NetworkDefinition definition, bool losses)
    {
        var graph = definition.Graph;
        var needed = new bool[graph.Edges.Length];
        foreach (var output in graph.Outputs)
            needed[output] = losses || !Array.Exists(graph.Losses, l => l.Edge == output);
        foreach (var loss in losses ? graph.Losses : [])
            needed[loss.Edge] = true;
        Liveness.Find(graph, needed);
        return Liveness.Inputs(graph, needed);
    }
}
