using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>Moves images by whole pixels: p'[y, x] = p[y - dy, x - dx], with dy and dx uniform among -n to n.</summary>
/// <inheritdoc/>
public sealed class RandomShift<T> : ImageAugmentation<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T _fill;

    /// <summary>Makes the augmentation.</summary>
    /// <param name="pixels">n: the largest move in each direction, 0 to 32767.</param>
    /// <param name="fill">The background value outside the image, in the numbers of the column.</param>
    /// <param name="probability">The probability that an image is changed.</param>
    /// <param name="column">The column of images.</param>
    /// <param name="size">Their size; null to use the shape of the column.</param>
    /// <param name="stream">A number that differs between augmentations of this kind in one list.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    public RandomShift(int pixels, double fill = 0, double probability = 1, string column = "x", ImageSize? size = null, int stream = 0)
        : base("shif", probability, column, size, stream)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pixels);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pixels, short.MaxValue);
        Pixels = pixels;
        _fill = T.CreateTruncating(Finite(fill, nameof(fill)));
    }

    /// <summary>n: the largest move in each direction, in pixels.</summary>
    public int Pixels { get; }

    private protected override bool IsIdentity => Pixels == 0;

    private protected override void Change(Span<T> image, ImageSize size, ref Philox random, WordStream words, Span<T> scratch)
    {
        var dy = Draw(ref random);
        Shift(image, size, dy, Draw(ref random), _fill);
    }

    /// <summary>Moves all pixels with one copy, as if the lines were one long line; then fills the parts that came from outside.</summary>
    internal static void Shift(Span<T> image, ImageSize size, int dy, int dx, T fill)
    {
        if (Math.Abs(dy) >= size.Height || Math.Abs(dx) >= size.Width)
        {
            image.Fill(fill);
            return;
        }

        var line = size.Width * size.Channels;
        var (lines, numbers) = (dy * line, dx * size.Channels);
        var offset = lines + numbers;
        if (offset > 0)
            image[..^offset].CopyTo(image[offset..]);
        else if (offset < 0)
            image[-offset..].CopyTo(image);

        if (lines > 0)
            image[..lines].Fill(fill);
        else
            image[(image.Length + lines)..].Fill(fill);
        if (numbers == 0)
            return;
        for (var start = numbers > 0 ? 0 : line + numbers; start < image.Length; start += line)
        {
            foreach (ref var number in image.Slice(start, Math.Abs(numbers)))
                number = fill;
        }
    }

    /// <summary>A number from -n to n: the upper half of the word times 2 n + 1, so that one block of words is enough for an image.</summary>
    private int Draw(ref Philox random) => (int)((ulong)random.NextUInt32() * (ulong)(2 * Pixels + 1) >> 32) - Pixels;
}
