using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>One tensor of a <see cref="SafetensorsFile"/>.</summary>
public sealed class SafetensorsTensor
{
    private readonly SafetensorsFile _file;
    private readonly long[] _shape;

    internal SafetensorsTensor(SafetensorsFile file, string name, TensorType type, long[] shape, long begin, long end)
    {
        (_file, Name, Type, _shape, Begin, End) = (file, name, type, shape, begin, end);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The type of its elements in the file.</summary>
    public TensorType Type { get; }

    /// <summary>Its dimensions, each 0 or more; none for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>The number of its elements.</summary>
    public long Count => (End - Begin) / Type.Size();

    /// <summary>Where its bytes start, from the start of the data.</summary>
    internal long Begin { get; }

    /// <summary>Where they end.</summary>
    internal long End { get; }

    /// <summary>Reads the elements, row-major.</summary>
    /// <remarks>
    /// Into floats and doubles go F16, BF16 and F32 without loss, and F64 into doubles. Other destinations take the very type of the file;
    /// bytes take U8 and BOOL.
    /// </remarks>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="destination">What is written: as many elements as the tensor has.</param>
    /// <param name="allowNarrowing">True to round F64 to the nearest floats, where it would be refused.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is longer or shorter.</exception>
    /// <exception cref="ModelFileException">The conversion is none of these, or the file has become shorter since it was opened.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public void Read<T>(Span<T> destination, bool allowNarrowing = false)
        where T : unmanaged
    {
        if (destination.Length != Count)
            throw new ArgumentException($"'{Name}' {ShapeText} has {Count} elements; the destination has {destination.Length}.", nameof(destination));
        if (!TensorReading.CanRead<T>(Type, allowNarrowing))
            throw new ModelFileException($"{_file.Origin}: '{Name}' is {Type.Name()} and cannot be read as {TensorTypes.Of<T>().Name()} without loss.");
        _file.Read(this, destination);
    }

    /// <summary>Reads the elements, row-major, into a new array.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="allowNarrowing">True to round F64 to the nearest floats, where it would be refused.</param>
    /// <returns>The elements.</returns>
    /// <exception cref="ModelFileException">There are more elements than an array holds, the conversion is none of those of
    /// <see cref="Read{T}"/>, or the file has become shorter since it was opened.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public T[] ToArray<T>(bool allowNarrowing = false)
        where T : unmanaged
    {
        if (Count > Array.MaxLength)
            throw new ModelFileException($"{_file.Origin}: '{Name}' {ShapeText} has {Count} elements; an array holds {Array.MaxLength}.");
        var array = new T[Count];
        Read<T>(array, allowNarrowing);
        return array;
    }

    /// <summary>Whether it has this shape.</summary>
    internal bool Has(Shape shape) => Shape.SequenceEqual(SafetensorsWriter.Dimensions(shape));

    internal string ShapeText => "[" + string.Join(", ", _shape) + "]";
}
