using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>One tensor of a <see cref="SafetensorsFile"/>.</summary>
public sealed class SafetensorsTensor : INamedTensor
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

    /// <summary>Its dimensions, each 0 or more; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>The number of its elements.</summary>
    public long Count => (End - Begin) / Type.Size();

    /// <summary>Where its bytes start, counted from the start of the data.</summary>
    internal long Begin { get; }

    /// <summary>Where its bytes end.</summary>
    internal long End { get; }

    /// <summary>Reads the elements, row-major.</summary>
    /// <remarks>
    /// float and double accept F16, BF16 and F32 without loss, and double accepts F64. Every other destination accepts only its own type;
    /// byte accepts U8 and BOOL.
    /// </remarks>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="destination">Receives the elements; its length is <see cref="Count"/>.</param>
    /// <param name="allowNarrowing">True to round F64 to the nearest float instead of refusing it.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> has another length.</exception>
    /// <exception cref="ModelFileException">The elements cannot be converted without loss, or the file has become shorter.</exception>
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
    /// <param name="allowNarrowing">True to round F64 to the nearest float instead of refusing it.</param>
    /// <returns>The elements.</returns>
    /// <exception cref="ModelFileException">There are more elements than an array holds, they cannot be converted without loss (see
    /// <see cref="Read{T}"/>), or the file has become shorter.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public T[] ToArray<T>(bool allowNarrowing = false)
        where T : unmanaged
    {
        if (Count > Array.MaxLength)
            throw new ModelFileException($"{_file.Origin}: '{Name}' {ShapeText} has {Count} elements; an array holds at most {Array.MaxLength}.");
        var array = new T[Count];
        Read<T>(array, allowNarrowing);
        return array;
    }

    /// <summary>Whether the tensor has this shape.</summary>
    internal bool Has(Shape shape) => Shape.SequenceEqual(SafetensorsWriter.Dimensions(shape));

    internal string ShapeText => "[" + string.Join(", ", _shape) + "]";
}
