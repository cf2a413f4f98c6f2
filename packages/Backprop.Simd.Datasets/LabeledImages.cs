using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Datasets;

/// <summary>
/// Grey images of one size with a class label each. Pixels are kept as the bytes of the source; <c>CopyRows</c> scales
/// them to [0, 1] in the number type of a network. Immutable, and safe to read from many threads.
/// </summary>
public sealed class LabeledImages
{
    private readonly ReadOnlyMemory<byte> _pixels;
    private readonly ReadOnlyMemory<byte> _labels;

    /// <summary>Wraps pixels and labels. The memory is kept, not copied: do not change it afterwards.</summary>
    /// <param name="pixels">Pixel values 0..<paramref name="maximumValue"/>, image after image, each row-major:
    /// <c>labels.Length * height * width</c> bytes.</param>
    /// <param name="labels">One label 0..<paramref name="classes"/>-1 per image.</param>
    /// <param name="width">Pixels in a row of an image, at least 1.</param>
    /// <param name="height">Rows of an image, at least 1.</param>
    /// <param name="classes">The number of classes, 1..256.</param>
    /// <param name="maximumValue">The pixel value that stands for 1, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of its range.</exception>
    /// <exception cref="ArgumentException">The number of pixels does not fit the labels and the size, or a pixel or a
    /// label is out of its range.</exception>
    public LabeledImages(
        ReadOnlyMemory<byte> pixels, ReadOnlyMemory<byte> labels, int width, int height, int classes, byte maximumValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes, 256);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumValue, (byte)1);
        if ((long)width * height > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(height), height, $"An image of {height} x {width} pixels does not fit one array.");
        }

        if ((long)width * height * labels.Length != pixels.Length)
        {
            throw new ArgumentException(
                $"{labels.Length} images of {height} x {width} pixels need labels.Length * height * width bytes; got {pixels.Length}.",
                nameof(pixels));
        }

        int outside = maximumValue == byte.MaxValue ? -1 : pixels.Span.IndexOfAnyExceptInRange((byte)0, maximumValue);
        if (outside >= 0)
        {
            throw new ArgumentException(
                $"Pixel {outside % (width * height)} of image {outside / (width * height)} is {pixels.Span[outside]}; expected 0..{maximumValue}.",
                nameof(pixels));
        }

        outside = labels.Span.IndexOfAnyExceptInRange((byte)0, (byte)(classes - 1));
        if (outside >= 0)
        {
            throw new ArgumentException(
                $"The label of image {outside} is {labels.Span[outside]}; expected 0..{classes - 1}.", nameof(labels));
        }

        _pixels = pixels;
        _labels = labels;
        Width = width;
        Height = height;
        Classes = classes;
        MaximumValue = maximumValue;
    }

    /// <summary>The number of images.</summary>
    public int Count => _labels.Length;

    /// <summary>Pixels in a row of an image.</summary>
    public int Width { get; }

    /// <summary>Rows of an image.</summary>
    public int Height { get; }

    /// <summary>Pixels of an image: <c>Height * Width</c>.</summary>
    public int PixelsPerImage => Width * Height;

    /// <summary>The number of classes: labels are 0..<c>Classes</c>-1.</summary>
    public int Classes { get; }

    /// <summary>The pixel value that stands for 1: 16 for the embedded digits, 255 for MNIST.</summary>
    public byte MaximumValue { get; }

    /// <summary>All pixels as in the source: <c>[Count, Height, Width]</c>, row-major.</summary>
    public ReadOnlyMemory<byte> Pixels => _pixels;

    /// <summary>All labels: <c>[Count]</c>.</summary>
    public ReadOnlyMemory<byte> Labels => _labels;

    /// <summary>The pixels of one image as in the source: <c>[Height, Width]</c>, row-major.</summary>
    /// <param name="index">Which image, 0..<see cref="Count"/>-1.</param>
    /// <returns>A view of <see cref="PixelsPerImage"/> bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public ReadOnlySpan<byte> Image(int index)
    {
        ThrowIfNoImage(index, nameof(index));
        return _pixels.Span.Slice(index * PixelsPerImage, PixelsPerImage);
    }

    /// <summary>The label of one image.</summary>
    /// <param name="index">Which image, 0..<see cref="Count"/>-1.</param>
    /// <returns>The label, 0..<see cref="Classes"/>-1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public int Label(int index)
    {
        ThrowIfNoImage(index, nameof(index));
        return _labels.Span[index];
    }

    /// <summary>
    /// Writes consecutive images as rows of numbers: <c>destination[i, j] = pixel / MaximumValue</c>, correctly rounded.
    /// </summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="start">The first image.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="destination"><c>[count, PixelsPerImage]</c>, row-major; a longer span keeps its tail.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the images.</exception>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public void CopyRows<T>(int start, int count, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ThrowIfNoRange(start, count);
        ThrowIfShort(destination.Length, (long)count * PixelsPerImage, nameof(destination));
        Datasets.Pixels.Scale(_pixels.Span.Slice(start * PixelsPerImage, count * PixelsPerImage), MaximumValue, destination);
    }

    /// <summary>
    /// Writes chosen images as rows of numbers: row i is image <c>rows[i]</c>, each pixel divided by
    /// <see cref="MaximumValue"/>, correctly rounded.
    /// </summary>
    /// <typeparam name="T">The number type.</typeparam>
    /// <param name="rows">Which images, in this order; an image may come more than once.</param>
    /// <param name="destination"><c>[rows.Length, PixelsPerImage]</c>, row-major; a longer span keeps its tail.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row names no image; rows before it are written.</exception>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public void CopyRows<T>(ReadOnlySpan<int> rows, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ThrowIfShort(destination.Length, (long)rows.Length * PixelsPerImage, nameof(destination));
        for (int i = 0; i < rows.Length; i++)
        {
            ThrowIfNoImage(rows[i], nameof(rows));
            Datasets.Pixels.Scale(Image(rows[i]), MaximumValue, destination[(i * PixelsPerImage)..]);
        }
    }

    /// <summary>Writes the labels of consecutive images.</summary>
    /// <param name="start">The first image.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="destination"><c>[count]</c>; a longer span keeps its tail.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the images.</exception>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public void CopyLabels(int start, int count, Span<int> destination)
    {
        ThrowIfNoRange(start, count);
        ThrowIfShort(destination.Length, count, nameof(destination));
        ReadOnlySpan<byte> labels = _labels.Span.Slice(start, count);
        for (int i = 0; i < labels.Length; i++)
        {
            destination[i] = labels[i];
        }
    }

    /// <summary>Writes the labels of chosen images: element i is the label of image <c>rows[i]</c>.</summary>
    /// <param name="rows">Which images, in this order.</param>
    /// <param name="destination"><c>[rows.Length]</c>; a longer span keeps its tail.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row names no image; elements before it are written.</exception>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public void CopyLabels(ReadOnlySpan<int> rows, Span<int> destination)
    {
        ThrowIfShort(destination.Length, rows.Length, nameof(destination));
        for (int i = 0; i < rows.Length; i++)
        {
            ThrowIfNoImage(rows[i], nameof(rows));
            destination[i] = _labels.Span[rows[i]];
        }
    }

    /// <summary>
    /// The images and labels as a set to train with, over the same bytes: a pixel becomes <c>pixel / MaximumValue</c>,
    /// correctly rounded, when its row is read.
    /// </summary>
    /// <typeparam name="T">float or double: the element type of the network.</typeparam>
    /// <param name="values">The network's input for the images.</param>
    /// <param name="labels">The network's input for the labels, one class each.</param>
    /// <param name="shape">The shape of an image, of <see cref="PixelsPerImage"/> elements: <c>[H * W]</c> by default,
    /// <c>[H, W, 1]</c> for convolutions.</param>
    /// <returns>A set of the two columns.</returns>
    /// <exception cref="ArgumentException">A name is empty, both are the same, or the shape has another size.</exception>
    public Dataset<T> ToDataset<T>(string values = "x", string labels = "labels", Shape? shape = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Shape image = shape ?? new Shape(PixelsPerImage);
        if (image.Size != PixelsPerImage)
        {
            throw new ArgumentException(
                $"Expected a shape of {Height} x {Width} = {PixelsPerImage} elements; got {image} of {image.Size}.", nameof(shape));
        }

        return new Dataset<T>(Columns.Bytes<T>(values, image, _pixels, MaximumValue), Columns.Labels(labels, _labels));
    }

    /// <summary>The chosen images as a set of their own (copied).</summary>
    /// <param name="rows">Which images, in this order.</param>
    /// <returns>A set of <c>rows.Length</c> images.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A row names no image.</exception>
    /// <exception cref="ArgumentException">The pixels of all rows do not fit one array.</exception>
    public LabeledImages Select(ReadOnlySpan<int> rows)
    {
        var pixels = new byte[ArrayLength((long)rows.Length * PixelsPerImage, nameof(rows))];
        var labels = new byte[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            ThrowIfNoImage(rows[i], nameof(rows));
            Image(rows[i]).CopyTo(pixels.AsSpan(i * PixelsPerImage));
            labels[i] = _labels.Span[rows[i]];
        }

        return new LabeledImages(pixels, labels, Width, Height, Classes, MaximumValue);
    }

    /// <summary>
    /// Shuffles and splits: the first <paramref name="trainCount"/> images of the shuffled order train, the others test.
    /// </summary>
    /// <remarks>
    /// The order is a Fisher-Yates shuffle of 0..Count-1: for i = Count-1 down to 1, swap elements i and
    /// <c>j = floor(r * (i + 1) / 2^64)</c>, where r is the next output of SplitMix64 seeded with
    /// <paramref name="seed"/>. Integer operations only: the same split on every machine.
    /// </remarks>
    /// <param name="trainCount">The number of images to train on, 0..<see cref="Count"/>.</param>
    /// <param name="seed">The seed of the shuffle.</param>
    /// <returns>Two sets that share no image and together hold all images.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="trainCount"/> is out of its range.</exception>
    public TrainTestSplit Split(int trainCount, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(trainCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(trainCount, Count);
        ReadOnlySpan<int> order = ShuffledOrder(Count, seed);
        return new TrainTestSplit(Select(order[..trainCount]), Select(order[trainCount..]));
    }

    /// <summary>
    /// Enlarges every image: each pixel becomes a block of <paramref name="factor"/> x <paramref name="factor"/> equal
    /// pixels, and a border of <paramref name="border"/> zero pixels is put on each side.
    /// </summary>
    /// <param name="factor">The side of a block, at least 1.</param>
    /// <param name="border">The width of the border, at least 0.</param>
    /// <returns>Images of <c>Height * factor + 2 * border</c> rows and <c>Width * factor + 2 * border</c> columns with the
    /// same labels.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="ArgumentException">The enlarged images do not fit one array.</exception>
    public LabeledImages Enlarge(int factor, int border)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(border);
        int width = ArrayLength(((long)Width * factor) + (2L * border), nameof(factor));
        int height = ArrayLength(((long)Height * factor) + (2L * border), nameof(factor));
        int size = ArrayLength((long)width * height, nameof(factor));
        var pixels = new byte[ArrayLength((long)size * Count, nameof(factor))];
        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<byte> source = Image(i);
            Span<byte> target = pixels.AsSpan(i * size, size);
            for (int y = 0; y < Height * factor; y++)
            {
                Span<byte> row = target.Slice(((y + border) * width) + border, Width * factor);
                for (int x = 0; x < row.Length; x++)
                {
                    row[x] = source[(y / factor * Width) + (x / factor)];
                }
            }
        }

        return new LabeledImages(pixels, _labels, width, height, Classes, MaximumValue);
    }

    internal static int[] ShuffledOrder(int count, ulong seed)
    {
        var order = new int[count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        var random = new SplitMix64(seed);
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    private static int ArrayLength(long length, string argument) => length <= Array.MaxLength
        ? (int)length
        : throw new ArgumentException($"The images would take {length} bytes, more than one array holds.", argument);

    private void ThrowIfNoImage(int index, string argument)
    {
        if ((uint)index >= (uint)Count)
        {
            throw new ArgumentOutOfRangeException(argument, index, $"Expected an image 0..{Count - 1}.");
        }
    }

    private void ThrowIfNoRange(int start, int count)
    {
        if ((uint)start > (uint)Count)
        {
            throw new ArgumentOutOfRangeException(nameof(start), start, $"Expected 0..{Count}.");
        }

        if ((uint)count > (uint)(Count - start))
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"Expected 0..{Count - start} images from {start}.");
        }
    }

    private static void ThrowIfShort(int length, long needed, string argument)
    {
        if (length < needed)
        {
            throw new ArgumentException($"Expected at least {needed} elements; got {length}.", argument);
        }
    }
}
