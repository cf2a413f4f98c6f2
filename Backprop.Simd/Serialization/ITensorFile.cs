namespace Backprop.Simd.Serialization;

/// <summary>Named tensors that a network can be loaded from: a file of another program.</summary>
public interface ITensorFile
{
    /// <summary>How messages call the file: <c>'model.pt'</c>.</summary>
    string Origin { get; }

    /// <summary>The tensors, in the order of the file.</summary>
    IReadOnlyList<INamedTensor> Tensors { get; }

    /// <summary>Whether that order is the order in which the modules were registered; false if the file has an order of its own, such as by
    /// name.</summary>
    bool IsInOrder { get; }
}

/// <summary>One tensor of an <see cref="ITensorFile"/>.</summary>
public interface INamedTensor
{
    /// <summary>Its name, unique in the file.</summary>
    string Name { get; }

    /// <summary>The type of its elements in the file.</summary>
    TensorType Type { get; }

    /// <summary>Its dimensions, each 0 or more; empty for a scalar.</summary>
    ReadOnlySpan<long> Shape { get; }

    /// <summary>Reads the elements, row-major. The types that can be read are those of <see cref="SafetensorsTensor.Read"/>.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="destination">Receives the elements; its length is their number.</param>
    /// <param name="allowNarrowing">True to round doubles to the nearest float instead of refusing them.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> has another length.</exception>
    /// <exception cref="ModelFileException">The elements cannot be converted without loss, or the file has become shorter.</exception>
    void Read<T>(Span<T> destination, bool allowNarrowing = false)
        where T : unmanaged;
}
