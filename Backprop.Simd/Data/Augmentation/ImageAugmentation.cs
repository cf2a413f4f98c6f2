using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Data;

/// <summary>Changes each image of a column at random.</summary>
/// <remarks>
/// Images are [H, W, C] or [H, W], or flat with a given size. The change of an image depends only on the seed, the epoch, the row of the set, the
/// kind of augmentation and its stream number. It is the same in any batch and on any thread and, except for rounding, in float and double.
/// Two augmentations of one kind in one list need different stream numbers, because equal numbers give equal random changes.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class ImageAugmentation<T> : BatchTransform<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ulong _kind;

    private protected ImageAugmentation(string kind, double probability, string column, ImageSize? size, int stream)
    {
        ArgumentException.ThrowIfNullOrEmpty(column);
        if (!(probability is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, $"'{nameof(probability)}' must be in [0, 1].");
        if (size is { } s && (s.Height < 1 || s.Width < 1 || s.Channels < 1))
            throw new ArgumentException($"Sizes must be 1 or more; got {s}.", nameof(size));
        (Column, Size, Probability, Stream) = (column, size, probability, stream);
        foreach (var letter in kind)
            _kind = _kind << 8 | letter;
    }

    /// <summary>The name of the column.</summary>
    public string Column { get; }

    /// <summary>The size of the images; null to use the column's shape.</summary>
    public ImageSize? Size { get; }

    /// <summary>The probability that an image is changed.</summary>
    public double Probability { get; }

    /// <summary>The stream number.</summary>
    public int Stream { get; }

    /// <summary>Whether the augmentation never changes an image.</summary>
    private protected virtual bool IsIdentity => false;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There is no such column, it holds indices, or its shape does not fit images of this size.</exception>
    public sealed override int Prepare(ReadOnlySpan<DataColumn> columns)
    {
        var size = SizeOf(columns[Find(columns)].Type);
        return Scratch(size);
    }

    /// <inheritdoc/>
    public sealed override void Apply(Batch<T> batch, Span<T> scratch, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (IsIdentity)
            return;
        var column = Find(batch.Columns);
        var size = SizeOf(batch.Columns[column].Type);
        var needed = Scratch(size);
        if (scratch.Length < needed)
            throw new ArgumentException($"{needed} elements of scratch are needed; there are {scratch.Length}.", nameof(scratch));
        scratch = scratch[..needed];
        var images = batch.Values(column);
        var length = (int)size.Elements;
        for (var i = 0; i < batch.Rows; i++)
        {
            var place = (uint)batch.SourceRows[i] | (ulong)(uint)batch.Cursor.Epoch << 32;
            var (x, y, z, w) = Philox.Block(place, (uint)Stream | _kind << 32, seed);
            var words = new WordStream(x | (ulong)y << 32, z | (ulong)w << 32);
            var random = new Philox(words.Key, words.CounterHigh);
            if (random.NextDouble() < Probability)
                Change(images.Slice(i * length, length), size, ref random, words, scratch);
        }
    }

    /// <summary>How many elements of scratch images of a size need.</summary>
    private protected virtual int ScratchFor(ImageSize size) => 0;

    /// <summary>Throws if an earlier augmentation has the same random numbers for the same column.</summary>
    internal void RequireOwnStream(ReadOnlySpan<BatchTransform<T>> earlier)
    {
        foreach (var transform in earlier)
        {
            if (transform is ImageAugmentation<T> other && other._kind == _kind && other.Stream == Stream && other.Column == Column)
            {
                throw new ArgumentException($"Two augmentations {GetType().Name.Split('`')[0]} of column '{Column}' have the same stream, {Stream}, "
                    + "and so the same random numbers. Give one another stream.", "options");
            }
        }
    }

    /// <summary>Changes one image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="size">Its size.</param>
    /// <param name="random">The image's own numbers.</param>
    /// <param name="words">The same stream. Its blocks from 2^32 on are free for drawing many words at once.</param>
    /// <param name="scratch">Scratch of the requested length.</param>
    private protected abstract void Change(Span<T> image, ImageSize size, ref Philox random, WordStream words, Span<T> scratch);

    /// <summary>A number uniform in [low, high).</summary>
    private protected static double Between(ref Philox random, double low, double high) => low + (high - low) * random.NextDouble();

    /// <summary>Throws unless a number is finite.</summary>
    private protected static double Finite(double value, string name) =>
        T.IsFinite(T.CreateTruncating(value))
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be finite in {typeof(T).Name}.");

    /// <summary>Throws unless a number is 0 or more, and finite.</summary>
    private protected static double NotNegative(double value, string name) =>
        value >= 0 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be 0 or more, and finite.");

    private int Scratch(ImageSize size)
    {
        try
        {
            return ScratchFor(size);
        }
        catch (OverflowException e)
        {
            throw new ArgumentException($"The scratch for images of '{Column}', {size}, does not fit one array.", "columns", e);
        }
    }

    private int Find(ReadOnlySpan<DataColumn> columns)
    {
        for (var i = 0; i < columns.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(columns[i], nameof(columns));
            if (columns[i].Name == Column)
                return i;
        }

        throw new ArgumentException($"There is no column '{Column}' to augment.", nameof(columns));
    }

    private ImageSize SizeOf(EdgeType type)
    {
        if (type.Kind != EdgeKind.Values)
            throw new ArgumentException($"Column '{Column}' holds {type}; augmentation takes values.", "columns");
        if (Size is { } given && given.Elements != type.Shape.Size)
            throw new ArgumentException($"Column '{Column}' is {type.Shape}; images of {given} have {given.Elements} elements.", "columns");
        var size = Size ?? ImageSize.Of(type.Shape)
            ?? throw new ArgumentException($"Column '{Column}' is {type.Shape}; images must be [height, width] or [height, width, channels]. "
                + "For other shapes, pass the size.", "columns");
        if (Bilinear<T>.Framed(size.Height, size.Width) > Bilinear<T>.LargestFramed)
            throw new ArgumentException($"Column '{Column}' has images of {size}; they may have at most 2^24 pixels, including a margin of 3.", "columns");
        return size;
    }
}
