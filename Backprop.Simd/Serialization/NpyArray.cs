using System.Numerics;
using System.Numerics.Tensors;
using Backprop.Simd.Data;

namespace Backprop.Simd.Serialization;

/// <summary>An array that <see cref="Npy"/> or <see cref="Npz"/> has read: in memory, in C order, in the order of bytes of this machine.</summary>
public sealed class NpyArray
{
    private readonly string _origin;
    private readonly long[] _dimensions;
    private readonly Array _elements;

    internal NpyArray(string origin, ArrayElement element, long[] dimensions, Array elements) =>
        (_origin, Element, _dimensions, _elements) = (origin, element, dimensions, elements);

    /// <summary>The element type.</summary>
    public ArrayElement Element { get; }

    /// <summary>The sizes, each 0 or more; empty for a single number.</summary>
    public ReadOnlySpan<long> Dimensions => _dimensions;

    /// <summary>The number of elements.</summary>
    public int Length => _elements.Length;

    /// <summary>The elements, row-major, without a copy.</summary>
    /// <typeparam name="T">The element type itself: float for <see cref="ArrayElement.F4"/>, bool for <see cref="ArrayElement.B1"/>.</typeparam>
    /// <returns>The elements.</returns>
    /// <exception cref="DataFormatException">The elements have another type; <see cref="ToArray{T}"/> converts.</exception>
    public ReadOnlySpan<T> Values<T>() where T : unmanaged => _elements is T[] elements && elements.GetType() == typeof(T[]) ? elements
        : throw new DataFormatException($"{_origin} holds {Text} of {Element}, not of {typeof(T).Name}: ToArray and CopyTo convert.");

    /// <summary>Copies the elements, row-major, and converts them.</summary>
    /// <remarks>Half, float and double are rounded to nearest into each other, and integers into them; true is 1. Integers must fit the type
    /// that they are copied to. Half, float and double are not made integers.</remarks>
    /// <typeparam name="T">Half, float, double or an integer.</typeparam>
    /// <param name="destination">Receives the elements; exactly <see cref="Length"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> has another length.</exception>
    /// <exception cref="DataFormatException">An integer does not fit <typeparamref name="T"/>, or fractions would become integers.</exception>
    public void CopyTo<T>(Span<T> destination) where T : unmanaged, INumberBase<T>
    {
        if (destination.Length != Length)
            throw new ArgumentException($"{_origin} {Text} has {Length} elements; the destination has {destination.Length}.", nameof(destination));
        switch (_elements)
        {
            case float[] elements when Element == ArrayElement.F4:
                Convert(elements, destination, isWhole: false);
                break;
            case double[] elements:
                Convert(elements, destination, isWhole: false);
                break;
            case Half[] elements:
                Convert(elements, destination, isWhole: false);
                break;
            case bool[] elements:
                for (var i = 0; i < elements.Length; i++)
                    destination[i] = elements[i] ? T.One : T.Zero;
                break;
            default:
                CopyIntegers(destination);
                break;
        }
    }

    /// <summary>Copies the elements into a new array, row-major, and converts them as <see cref="CopyTo"/> does.</summary>
    /// <typeparam name="T">Half, float, double or an integer.</typeparam>
    /// <returns>The elements.</returns>
    /// <exception cref="DataFormatException">An integer does not fit <typeparamref name="T"/>, or fractions would become integers.</exception>
    public T[] ToArray<T>() where T : unmanaged, INumberBase<T>
    {
        var array = new T[Length];
        CopyTo<T>(array);
        return array;
    }

    /// <summary>The array as a tensor of the same sizes, in memory of its own, converted as <see cref="CopyTo"/> does. A single number becomes
    /// a tensor [1]: a tensor has no rank 0.</summary>
    /// <typeparam name="T">Half, float, double or an integer.</typeparam>
    /// <returns>The tensor.</returns>
    /// <exception cref="DataFormatException">An integer does not fit <typeparamref name="T"/>, or fractions would become integers.</exception>
    public Tensor<T> ToTensor<T>() where T : unmanaged, INumberBase<T> => Tensor.Create(ToArray<T>(), Lengths());

    /// <summary>The array as a tensor of the same sizes, without a copy. A single number becomes a tensor [1]: a tensor has no rank 0.</summary>
    /// <typeparam name="T">The element type itself, as for <see cref="Values"/>.</typeparam>
    /// <returns>The tensor.</returns>
    /// <exception cref="DataFormatException">The elements have another type.</exception>
    public ReadOnlyTensorSpan<T> AsTensorSpan<T>() where T : unmanaged => new(Values<T>(), Lengths());

    private string Text => ArrayHeader.Text(_dimensions);

    private nint[] Lengths() => _dimensions.Length == 0 ? [1] : Array.ConvertAll(_dimensions, static size => checked((nint)size));

    // The run-time takes int[] for uint[] in a cast: the element type decides.
    private void CopyIntegers<T>(Span<T> destination) where T : unmanaged, INumberBase<T>
    {
        switch (Element)
        {
            case ArrayElement.U1:
                Convert((byte[])_elements, destination, isWhole: true);
                break;
            case ArrayElement.I1:
                Convert((sbyte[])_elements, destination, isWhole: true);
                break;
            case ArrayElement.I2:
                Convert((short[])_elements, destination, isWhole: true);
                break;
            case ArrayElement.U2:
                Convert((ushort[])_elements, destination, isWhole: true);
                break;
            case ArrayElement.I4:
                Convert((int[])_elements, destination, isWhole: true);
                break;
            case ArrayElement.U4:
                Convert((uint[])_elements, destination, isWhole: true);
                break;
            case ArrayElement.I8:
                Convert((long[])_elements, destination, isWhole: true);
                break;
            default:
                Convert((ulong[])_elements, destination, isWhole: true);
                break;
        }
    }

    private void Convert<TStored, T>(TStored[] elements, Span<T> destination, bool isWhole)
        where TStored : unmanaged, INumberBase<TStored>
        where T : unmanaged, INumberBase<T>
    {
        if (typeof(TStored) == typeof(T))
        {
            ((ReadOnlySpan<T>)(T[])(object)elements).CopyTo(destination);
            return;
        }

        var takesFractions = T.CreateSaturating(0.5) != T.Zero;
        if (!takesFractions && !isWhole)
            throw new DataFormatException($"{_origin} holds {Text} of {Element}, which do not become {typeof(T).Name}: read them as float or double.");
        if (takesFractions)
        {
            TensorPrimitives.ConvertSaturating(elements, destination);
            return;
        }

        for (var i = 0; i < elements.Length; i++)
        {
            destination[i] = T.CreateSaturating(elements[i]);
            if (TStored.CreateSaturating(destination[i]) != elements[i])
                throw new DataFormatException($"{_origin} holds {elements[i]} at index {i} of {Text}, which does not fit {typeof(T).Name}.");
        }
    }
}
