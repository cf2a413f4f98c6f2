namespace Backprop.Simd.Layers;

/// <summary>The size of one dimension of an input's row: a number, or free until run time up to a largest size.</summary>
/// <remarks>A graph with free sizes has one set of parameters, and a workspace made for the largest sizes:
/// <see cref="Networks.Workspace{T}.SetSizes"/> says the sizes of the next batch, which all its rows have.</remarks>
public readonly record struct Dimension
{
    private Dimension(string? name, int smallest, int largest) => (Name, Smallest, Largest) = (name, smallest, largest);

    /// <summary>The name of a free size; null for a number.</summary>
    public string? Name { get; }

    /// <summary>The least size.</summary>
    public int Smallest { get; }

    /// <summary>The largest size. A graph is built, and summed up, with this one.</summary>
    public int Largest { get; }

    /// <summary>A size that is free until run time. Dimensions with the same name always have the same size.</summary>
    /// <param name="name">Its name, such as "time".</param>
    /// <param name="largest">The largest size: workspaces are made for it.</param>
    /// <param name="smallest">The least size, 1 or more. The graph must work with it.</param>
    /// <returns>The dimension.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="smallest"/> is below 1, or <paramref name="largest"/> below it.</exception>
    public static Dimension Free(string name, int largest, int smallest = 1)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(smallest, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(largest, smallest);
        return new(name, smallest, largest);
    }

    /// <summary>A size that is a number.</summary>
    /// <param name="size">The size.</param>
    public static implicit operator Dimension(int size) => FromInt32(size);

    /// <summary>A size that is a number.</summary>
    /// <param name="size">The size.</param>
    /// <returns>The dimension.</returns>
    public static Dimension FromInt32(int size) => new(null, size, size);

    /// <summary>The dimension as messages write it: <c>64</c>, <c>time 1..512</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Name is null ? $"{Largest}" : $"{Name} {Smallest}..{Largest}";
}
