using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>Rotates, scales, shears and moves images about their center, with a single interpolation.</summary>
/// <remarks>
/// With p measured from the center, x to the right and y down, a pixel at p moves to L p + t, where
/// L = s [cos a, -sin a; sin a, cos a] [1, tan h; 0, 1]. A positive a rotates clockwise. Each pixel of the result is interpolated bilinearly at
/// L^-1 (p - t). a, h and both parts of t are uniform in a range around 0, and s is uniform between its bounds.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class RandomAffine<T> : ImageAugmentation<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private const double Radians = Math.PI / 180;

    private readonly double _fill;

    /// <summary>Makes the augmentation.</summary>
    /// <param name="degrees">The largest rotation in either direction, in degrees: 0 to 180.</param>
    /// <param name="translate">The largest move along each axis, in pixels; need not be an integer.</param>
    /// <param name="smallest">The smallest scale, 0.01 or more.</param>
    /// <param name="largest">The largest scale, 100 or less.</param>
    /// <param name="shear">The largest angle of shear, in degrees: 0 to 80.</param>
    /// <param name="fill">The background value outside the image, in the numbers of the column.</param>
    /// <param name="probability">The probability that an image is changed.</param>
    /// <param name="column">The column of images.</param>
    /// <param name="size">Their size; null to use the shape of the column.</param>
    /// <param name="stream">A number that differs between augmentations of this kind in one list.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    // More than eight parameters: each is an independent option with a default, as in torchvision's RandomAffine.
    public RandomAffine(double degrees = 0, double translate = 0, double smallest = 1, double largest = 1, double shear = 0, double fill = 0,
        double probability = 1, string column = "x", ImageSize? size = null, int stream = 0)
        : base("affi", probability, column, size, stream)
    {
        if (!(degrees is >= 0 and <= 180))
            throw new ArgumentOutOfRangeException(nameof(degrees), degrees, "'degrees' must be between 0 and 180.");
        if (!(smallest is >= 0.01 and <= 100))
            throw new ArgumentOutOfRangeException(nameof(smallest), smallest, "'smallest' must be between 0.01 and 100.");
        if (!(largest >= smallest && largest <= 100))
            throw new ArgumentOutOfRangeException(nameof(largest), largest, $"'largest' must be between 'smallest', {smallest}, and 100.");
        if (!(shear is >= 0 and <= 80))
            throw new ArgumentOutOfRangeException(nameof(shear), shear, "'shear' must be between 0 and 80 degrees.");
        (Degrees, Translate, Smallest, Largest, Shear) = (degrees, NotNegative(translate, nameof(translate)), smallest, largest, shear);
        _fill = Finite(fill, nameof(fill));
    }

    /// <summary>The largest rotation, in degrees.</summary>
    public double Degrees { get; }

    /// <summary>The largest move along each axis, in pixels.</summary>
    public double Translate { get; }

    /// <summary>The smallest scale.</summary>
    public double Smallest { get; }

    /// <summary>The largest scale.</summary>
    public double Largest { get; }

    /// <summary>The largest angle of shear, in degrees.</summary>
    public double Shear { get; }

    private protected override bool IsIdentity => Degrees == 0 && Translate == 0 && Smallest == 1 && Largest == 1 && Shear == 0;

    private protected override int ScratchFor(ImageSize size) =>
        checked(Bilinear<T>.Elements(size.Height, size.Width, size.Channels) + 3 * Bilinear<T>.LineElements(size.Width));

    private protected override void Change(Span<T> image, ImageSize size, ref Philox random, WordStream words, Span<T> scratch)
    {
        var degrees = Between(ref random, -Degrees, Degrees);
        var scale = Between(ref random, Smallest, Largest);
        var shear = Between(ref random, -Shear, Shear);
        var x = Between(ref random, -Translate, Translate);
        var map = Inverse(size, degrees, scale, shear, x, Between(ref random, -Translate, Translate));
        var framed = Bilinear<T>.Elements(size.Height, size.Width, size.Channels);
        new Bilinear<T>(image, size.Height, size.Width, size.Channels, _fill, scratch[..framed]).Warp(map, image, scratch[framed..]);
    }

    /// <summary>Where a pixel of the result comes from.</summary>
    internal static AffineMap Inverse(ImageSize size, double degrees, double scale, double shear, double x, double y)
    {
        // L^-1 = [1, -tan h; 0, 1] [cos a, sin a; -sin a, cos a] / s.
        var (sin, cos) = Math.SinCos(degrees * Radians);
        var tan = Math.Tan(shear * Radians);
        var (xx, xy) = ((cos + tan * sin) / scale, (sin - tan * cos) / scale);
        var (yx, yy) = (-sin / scale, cos / scale);
        var (middleX, middleY) = ((size.Width - 1) / 2.0, (size.Height - 1) / 2.0);
        return new(
            xx, xy, middleX - xx * (middleX + x) - xy * (middleY + y),
            yx, yy, middleY - yx * (middleX + x) - yy * (middleY + y));
    }
}
