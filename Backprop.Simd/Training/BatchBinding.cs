using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Training;

/// <summary>Binds the columns of a set to the inputs of a network. A workspace then reads each batch in place.</summary>
internal sealed class BatchBinding<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly (string Input, int Column, bool Indices)[] _pairs;

    /// <param name="definition">The network.</param>
    /// <param name="set">The set.</param>
    /// <param name="losses">Whether the inputs that only the losses need must have columns too.</param>
    public BatchBinding(NetworkDefinition definition, Dataset<T> set, bool losses)
    {
        var pairs = new List<(string, int, bool)>();
        foreach (var name in Needed(definition, losses))
        {
            var column = IndexOf(set, name);
            if (column < 0)
                throw new ArgumentException($"The set has no column for the network's input '{name}' {definition.TypeOf(name)}; it has {Describe(set)}.",
                    nameof(set));
            var (expected, actual) = (definition.TypeOf(name), set.Columns[column].Type);
            if (expected.Kind == EdgeKind.Shared)
                throw new ArgumentException($"The network's input '{name}' {expected} has no rows, so no column can feed it.", nameof(set));
            if (expected.Kind != actual.Kind || expected.Shape.Size != actual.Shape.Size)
                throw new ArgumentException($"The network's input '{name}' takes {expected}; the column holds {actual}.", nameof(set));
            pairs.Add((name, column, expected.Kind == EdgeKind.Indices));
        }

        _pairs = [.. pairs];
    }

    /// <summary>Whether a set has a column for every input that the losses need.</summary>
    public static bool HasLosses(NetworkDefinition definition, Dataset<T> set) =>
        definition.Losses.Length > 0 && Needed(definition, losses: true).All(name => IndexOf(set, name) >= 0);

    /// <summary>Lets the workspace read a batch, until it is bound to another batch.</summary>
    public void Bind(Workspace<T> workspace, Batch<T> batch)
    {
        workspace.Rows = batch.Rows;
        foreach (var (input, column, indices) in _pairs)
        {
            if (indices)
                workspace.BindIndexInput(input, batch.IndexMemory(column));
            else
                workspace.BindInput(input, batch.ValueMemory(column));
        }
    }

    private static int IndexOf(Dataset<T> set, string name)
    {
        for (var i = 0; i < set.Columns.Length; i++)
        {
            if (set.Columns[i].Name == name)
                return i;
        }

        return -1;
    }

    private static string Describe(Dataset<T> set) =>
        string.Join(", ", set.Columns.ToArray().Select(c => $"'{c.Name}' {c.Type}"));

    /// <summary>The inputs that the outputs depend on; with <paramref name="losses"/> also those that the losses depend on.</summary>
    private static List<string> Needed(NetworkDefinition definition, bool losses)
    {
        var needed = new bool[definition.Edges.Length];
        foreach (var output in definition.OutputEdges)
            needed[output] |= losses || definition.Losses.All(l => l.Edge != output);
        foreach (var loss in losses ? definition.Losses : [])
            needed[loss.Edge] = true;
        for (var n = definition.Nodes.Length - 1; n >= 0; n--)
        {
            if (!definition.Nodes[n].Outputs.Any(e => needed[e]))
                continue;
            foreach (var edge in definition.Nodes[n].Inputs)
                needed[edge] = true;
        }

        return [.. Enumerable.Range(0, needed.Length)
            .Where(e => needed[e] && definition.Edges[e].Role == EdgeRole.Input)
            .Select(e => definition.Edges[e].Name)];
    }
}
