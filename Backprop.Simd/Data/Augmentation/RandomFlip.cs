using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>Mirrors images left to right and top to bottom, each with its own probability.</summary>
/// <inheritdoc/>
public sealed class RandomFlip<T> : ImageAugmentation<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes the augmentation.</summary>
    /// <param name="horizontal">The probability that left and right are exchanged.</param>
    /// <param name="vertical">The probability that top and bottom are exchanged.</param>
    /// <param name="column">The column of images.</param>
    /// <param name="size">Their size; null to use the shape of the column.</param>
    /// <param name="stream">A number that differs between augmentations of this kind in one list.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    public RandomFlip(double horizontal = 0.5, double vertical = 0, string column = "x", ImageSize? size = null, int stream = 0)
        : base("flip", 1, column, size, stream)
    {
        if (!(horizontal is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(horizontal), horizontal, "'horizontal' must be in [0, 1].");
        if (!(vertical is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(vertical), vertical, "'vertical' must be in [0, 1].");
        (Horizontal, Vertical) = (horizontal, vertical);
    }

    /// <summary>The probability that left and right are exchanged.</summary>
    public double Horizontal { get; }

    /// <summary>The probability that top and bottom are exchanged.</summary>
    public double Vertical { get; }

    private protected override bool IsIdentity => Horizontal == 0 && Vertical == 0;

    private protected override int ScratchFor(ImageSize size) => Vertical == 0 ? 0 : size.Width * size.Channels;

    private protected override void Change(Span<T> image, ImageSize size, ref Philox random, WordStream words, Span<T> scratch)
    {
        var (horizontal, vertical) = (random.NextDouble() < Horizontal, random.NextDouble() < Vertical);
        var line = size.Width * size.Channels;
        if (horizontal)
        {
            for (var start = 0; start < image.Length; start += line)
                Reverse(image.Slice(start, line), size.Channels);
        }

        if (!vertical)
            return;
        for (int upper = 0, lower = image.Length - line; upper < lower; upper += line, lower -= line)
        {
            image.Slice(upper, line).CopyTo(scratch);
            image.Slice(lower, line).CopyTo(image[upper..]);
            scratch[..line].CopyTo(image[lower..]);
        }
    }

    /// <summary>Reverses the pixels of a line. The channels of a pixel keep their order.</summary>
    private static void Reverse(Span<T> line, int channels)
    {
        line.Reverse();
        if (channels == 1)
            return;
        for (var start = 0; start < line.Length; start += channels)
            line.Slice(start, channels).Reverse();
    }
}
