using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>Covers a random rectangle of an image with one value.</summary>
/// <remarks>
/// Zhong, Zheng, Kang, Li and Yang, "Random erasing data augmentation", AAAI 2020, algorithm 1. The area is uniform between two shares of the
/// image. Height / width is e^u, with u uniform between -ln(aspect) and ln(aspect). The position is uniform. A rectangle as high or as wide as
/// the image is drawn again, up to ten times; after that, the image is not changed.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class RandomErasing<T> : ImageAugmentation<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Trials = 10;

    private readonly T _fill;
    private readonly double _logAspect;

    /// <summary>Makes the augmentation.</summary>
    /// <param name="smallest">The smallest share of the image's area, above 0.</param>
    /// <param name="largest">The largest share, less than 1.</param>
    /// <param name="aspect">The largest height / width and width / height, 1 to 1000.</param>
    /// <param name="fill">The value that covers the rectangle, in the numbers of the column.</param>
    /// <param name="probability">The probability that an image is changed.</param>
    /// <param name="column">The column of images.</param>
    /// <param name="size">Their size; null to use the shape of the column.</param>
    /// <param name="stream">A number that differs between augmentations of this kind in one list.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    // All eight are independent options, and each has a default.
    public RandomErasing(double smallest = 0.02, double largest = 0.4, double aspect = 3.3, double fill = 0, double probability = 0.5, string column = "x",
        ImageSize? size = null, int stream = 0)
        : base("eras", probability, column, size, stream)
    {
        if (!(smallest is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(smallest), smallest, "'smallest' must be between 0 and 1.");
        if (!(largest >= smallest && largest < 1))
            throw new ArgumentOutOfRangeException(nameof(largest), largest, $"'largest' must be between 'smallest', {smallest}, and 1.");
        if (!(aspect is >= 1 and <= 1000))
            throw new ArgumentOutOfRangeException(nameof(aspect), aspect, "'aspect' must be between 1 and 1000.");
        (Smallest, Largest, Aspect) = (smallest, largest, aspect);
        _logAspect = Math.Log(aspect);
        _fill = T.CreateTruncating(Finite(fill, nameof(fill)));
    }

    /// <summary>The smallest share of the image's area.</summary>
    public double Smallest { get; }

    /// <summary>The largest share of the image's area.</summary>
    public double Largest { get; }

    /// <summary>The largest height / width and width / height.</summary>
    public double Aspect { get; }

    private protected override void Change(Span<T> image, ImageSize size, ref Philox random, WordStream words, Span<T> scratch)
    {
        for (var trial = 0; trial < Trials; trial++)
        {
            var area = Between(ref random, Smallest, Largest) * size.Height * size.Width;
            var ratio = Math.Exp(Between(ref random, -_logAspect, _logAspect));
            var (height, width) = ((int)Math.Round(Math.Sqrt(area * ratio)), (int)Math.Round(Math.Sqrt(area / ratio)));
            if (height < 1 || width < 1 || height >= size.Height || width >= size.Width)
                continue;
            var top = (int)(random.NextDouble() * (size.Height - height + 1));
            var left = (int)(random.NextDouble() * (size.Width - width + 1));
            for (var y = top; y < top + height; y++)
                image.Slice((y * size.Width + left) * size.Channels, width * size.Channels).Fill(_fill);
            return;
        }
    }
}
