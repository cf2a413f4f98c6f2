using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Sizes that are free until run time.</content>
public sealed partial class Workspace<T>
{
    private int[]? _sizes;

    /// <summary>Says the free sizes of the next batch: <c>workspace.SetSizes(("time", 57))</c>. Sizes that are not named stay as they are; a new
    /// workspace has the largest.</summary>
    /// <remarks>If a size changes, the last forward pass is discarded, all bindings of inputs end, and the contents of inputs and output
    /// gradients are to be written again. The first use of a choice of sizes plans the passes for it; later uses allocate nothing. A workspace
    /// keeps 256 plans. All of them share the memory for the largest sizes.</remarks>
    /// <param name="sizes">Names and sizes.</param>
    /// <exception cref="ArgumentException">The graph has no such free size, or a layer does not take the size; nothing has changed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is outside its bounds; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">A layer sets it while a pass is running.</exception>
    public void SetSizes(params ReadOnlySpan<(string Name, int Size)> sizes)
    {
        var next = _sizes ??= new int[Executor.Sizes.Length];
        Executor.Sizes.CopyTo(next);
        foreach (var (name, size) in sizes)
        {
            var at = _graph.IndexOf(name ?? throw new ArgumentNullException(nameof(sizes)));
            if (at < 0)
                throw NoSize(name, nameof(sizes));
            var bounds = _graph.FreeSizes[at];
            if (size < bounds.Smallest || size > bounds.Largest)
                throw new ArgumentOutOfRangeException(nameof(sizes), size, $"'{name}' is {bounds.Smallest} to {bounds.Largest}.");
            next[at] = size;
        }

        Executor.SetSizes(next);
    }

    /// <summary>A free size of the current batch.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The size.</returns>
    /// <exception cref="ArgumentException">The graph has no such free size.</exception>
    public int SizeOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _graph.IndexOf(name) is >= 0 and var at ? Executor.Sizes[at]
            : throw NoSize(name, nameof(name));
    }

    /// <summary>The type of a named edge at the current sizes.</summary>
    /// <param name="name">The name of an input, a parameter of the graph, or a node.</param>
    /// <returns>Its kind and shape.</returns>
    /// <exception cref="ArgumentException">There is no such edge.</exception>
    public EdgeType TypeOf(string name) => Executor.Edges[Network.Definition.EdgeOf(name)].Type;

    private ArgumentException NoSize(string name, string parameter) => new(_graph.FreeSizes.Length == 0
        ? $"The network has no free sizes; got '{name}'."
        : $"The network has no free size '{name}'; it has: {string.Join<Dimension>(", ", _graph.FreeSizes)}.", parameter);
}
