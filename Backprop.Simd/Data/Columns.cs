using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>Makes columns over memory. The memory is not copied: do not change it afterwards.</summary>
public static class Columns
{
    /// <summary>Numbers as they are.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="values">count x size numbers, row-major.</param>
    /// <returns>The column.</returns>
    /// <exception cref="ArgumentException">The length is no multiple of the size.</exception>
    public static ValueColumn<T> Values<T>(string name, Shape shape, ReadOnlyMemory<T> values) where T : unmanaged, IFloatingPointIeee754<T> =>
        new StoredValues<T, T, SameElements<T>>(name, shape, CountOf(name, shape, values.Length, nameof(values)), ArrayStore.Of(values), 0, default);

    /// <summary>Numbers as they are.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="values">count x size numbers, row-major.</param>
    /// <returns>The column.</returns>
    /// <exception cref="ArgumentException">The length is no multiple of the size.</exception>
    [OverloadResolutionPriority(-1)] // A call that names T still means the overload for memory.
    public static ValueColumn<T> Values<T>(string name, Shape shape, T[] values) where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(values);
        return Values<T>(name, shape, values.AsMemory());
    }

    /// <summary>Bytes that stand for fractions, such as pixels: byte / maximum, correctly rounded to <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="bytes">count x size bytes, row-major.</param>
    /// <param name="maximum">The byte that stands for 1, positive and finite. With 1, the bytes keep their values.</param>
    /// <returns>The column.</returns>
    /// <exception cref="ArgumentException">The length is no multiple of the size.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maximum"/> is not positive and finite.</exception>
    public static ValueColumn<T> Bytes<T>(string name, Shape shape, ReadOnlyMemory<byte> bytes, double maximum = 255)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new StoredValues<byte, T, ScaledBytes<T>>(
            name, shape, CountOf(name, shape, bytes.Length, nameof(bytes)), ArrayStore.Of(bytes), 0, new(maximum));

    /// <summary>Integers as they are, such as tokens or lengths.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="indices">count x size integers, row-major.</param>
    /// <returns>The column.</returns>
    /// <exception cref="ArgumentException">The length is no multiple of the size.</exception>
    public static IndexColumn Indices(string name, Shape shape, ReadOnlyMemory<int> indices) =>
        new StoredIndices<int, SameElements<int>>(name, shape, CountOf(name, shape, indices.Length, nameof(indices)), ArrayStore.Of(indices), 0, default);

    /// <summary>Class labels, one for each example.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="classes">The number of classes, to check all labels now; null to let the loss check them.</param>
    /// <returns>The column, of shape <see cref="Shape.Scalar"/>.</returns>
    /// <exception cref="ArgumentException">A label is outside 0 to <paramref name="classes"/> - 1.</exception>
    public static IndexColumn Labels(string name, ReadOnlyMemory<int> labels, int? classes = null)
    {
        CheckLabels(name, labels.Span, classes);
        return Indices(name, Shape.Scalar, labels);
    }

    /// <inheritdoc cref="Labels(string, ReadOnlyMemory{int}, int?)"/>
    public static IndexColumn Labels(string name, ReadOnlyMemory<byte> labels, int? classes = null)
    {
        CheckLabels(name, labels.Span, classes is { } limit ? (byte)Math.Clamp(limit - 1, 0, byte.MaxValue) : byte.MaxValue, classes);
        return new StoredIndices<byte, RoundedElements<byte, int>>(name, Shape.Scalar, labels.Length, ArrayStore.Of(labels), 0, default);
    }

    internal static void CheckLabels(string name, ReadOnlySpan<int> labels, int? classes)
    {
        if (classes is { } limit)
            CheckLabels(name, labels, limit - 1, classes);
    }

    private static void CheckLabels<TLabel>(string name, ReadOnlySpan<TLabel> labels, TLabel last, int? classes)
        where TLabel : struct, INumberBase<TLabel>, IComparable<TLabel>
    {
        if (classes is not { } limit)
            return;
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1, nameof(classes));
        var row = labels.IndexOfAnyExceptInRange(TLabel.Zero, last);
        if (row >= 0)
            throw new ArgumentException($"Label {labels[row]} of row {row} of '{name}' is outside 0 to {limit - 1}.", nameof(labels));
    }

    private static int CountOf(string name, Shape shape, int length, string argument) => length % shape.Size == 0
        ? length / shape.Size
        : throw new ArgumentException($"'{name}' {shape} takes a multiple of {shape.Size} elements; there are {length}.", argument);
}
