namespace Backprop.Simd.Layers;

/// <summary>What flows along an edge of a network.</summary>
public enum EdgeKind
{
    /// <summary>Numbers, one shape per row of the batch.</summary>
    Values,

    /// <summary>32-bit integers, one shape per row of the batch: labels, embedding indices, lengths.</summary>
    Indices,

    /// <summary>Numbers without a batch dimension: a parameter, a constant, a loss.</summary>
    Shared,
}

/// <summary>The kind and shape of an edge.</summary>
/// <param name="Kind">What flows.</param>
/// <param name="Shape">Its shape, per row for <see cref="EdgeKind.Values"/> and <see cref="EdgeKind.Indices"/>.</param>
public readonly record struct EdgeType(EdgeKind Kind, Shape Shape)
{
    /// <summary>The elements an edge holds for a batch.</summary>
    /// <param name="rows">The rows of the batch.</param>
    /// <returns>rows x size, or size for a shared edge.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rows are negative, or so many that no array holds their elements.</exception>
    public int Elements(int rows)
    {
        var elements = Kind == EdgeKind.Shared ? Shape.Size : (long)rows * Shape.Size;
        return rows >= 0 && elements <= Array.MaxLength ? (int)elements
            : throw new ArgumentOutOfRangeException(nameof(rows), rows, $"Rows of {this} must be 0 or more, with at most {Array.MaxLength} elements.");
    }

    /// <summary>Compares two types.</summary>
    /// <param name="other">The other type.</param>
    /// <returns>Whether kind and shape are equal.</returns>
    public bool Equals(EdgeType other) => Kind == other.Kind && Shape.Equals(other.Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Shape);

    /// <summary>Kind and shape as messages write them: <c>values [784]</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => Kind switch
    {
        EdgeKind.Values => $"values {Shape}",
        EdgeKind.Indices => $"indices {Shape}",
        _ => $"shared {Shape}",
    };
}
