using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>Bends images like rubber. Each pixel is read at a position displaced by a smooth random field, alpha G f in each direction.</summary>
/// <remarks>
/// <para>f is uniform in [-1, 1) at every pixel and 0 outside the image. G is a Gaussian of standard deviation sigma, cut at 3 sigma and
/// scaled to the sum 1. Between pixels, the image is interpolated bilinearly. The standard deviation of a displacement is about
/// alpha / (2 sqrt(3 pi) sigma) pixels.</para>
/// <para>Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis", ICDAR 2003,
/// section 2. They use sigma 4 and alpha 34 for digits of 29 x 29.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class ElasticDistortion<T> : ImageAugmentation<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[] _gaussian;
    private readonly double _fill;

    /// <summary>Makes the augmentation.</summary>
    /// <param name="alpha">The strength, 0 to 1e6.</param>
    /// <param name="sigma">The standard deviation of the Gaussian in pixels, 0.1 to 1000.</param>
    /// <param name="fill">The background value outside the image, in the numbers of the column.</param>
    /// <param name="probability">The probability that an image is changed.</param>
    /// <param name="column">The column of images.</param>
    /// <param name="size">Their size; null to use the shape of the column.</param>
    /// <param name="stream">A number that differs between augmentations of this kind in one list.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    // All eight are independent options, and each has a default.
    public ElasticDistortion(double alpha = 34, double sigma = 4, double fill = 0, double probability = 1, string column = "x", ImageSize? size = null,
        int stream = 0)
        : base("elas", probability, column, size, stream)
    {
        if (!(alpha is >= 0 and <= 1e6))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "'alpha' must be between 0 and 1e6.");
        if (!(sigma is >= 0.1 and <= 1000))
            throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "'sigma' must be between 0.1 and 1000 pixels.");
        (Alpha, Sigma, _fill) = (alpha, sigma, Finite(fill, nameof(fill)));
        _gaussian = [.. Gaussian(sigma).Select(T.CreateTruncating)];
    }

    /// <summary>The strength.</summary>
    public double Alpha { get; }

    /// <summary>The standard deviation of the Gaussian, in pixels.</summary>
    public double Sigma { get; }

    private protected override bool IsIdentity => Alpha == 0;

    private protected override int ScratchFor(ImageSize size) => ElasticField<T>.Scratch(size.Height, size.Width, size.Channels, _gaussian.Length);

    private protected override void Change(Span<T> image, ImageSize size, ref Philox random, WordStream words, Span<T> scratch) =>
        ElasticField<T>.Distort(image, new(size.Height, size.Width, size.Channels), _gaussian, Alpha, _fill, words, scratch);

    /// <summary>e^(-k^2 / (2 sigma^2)) for k = -3 sigma to 3 sigma, over their sum.</summary>
    internal static double[] Gaussian(double sigma)
    {
        var radius = (int)Math.Ceiling(3 * sigma);
        double[] weights = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(k => Math.Exp(-k * (double)k / (2 * sigma * sigma)))];
        var sum = weights.Sum();
        return [.. weights.Select(w => w / sum)];
    }
}
