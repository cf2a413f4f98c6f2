using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>Adds noise from a normal distribution to every number of an image: p' = p + s n.</summary>
/// <inheritdoc/>
public sealed class GaussianNoise<T> : ImageAugmentation<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Makes the augmentation.</summary>
    /// <param name="deviation">The standard deviation s, in the numbers of the column: 0, or from 1e-30 to 1e30.</param>
    /// <param name="probability">The probability that an image is changed.</param>
    /// <param name="column">The column of images.</param>
    /// <param name="size">Their size; null to use the shape of the column.</param>
    /// <param name="stream">A number that differs between augmentations of this kind in one list.</param>
    /// <exception cref="ArgumentException">A number is out of its range.</exception>
    public GaussianNoise(double deviation, double probability = 1, string column = "x", ImageSize? size = null, int stream = 0)
        : base("nois", probability, column, size, stream)
    {
        if (!(deviation is 0 or (>= 1e-30 and <= 1e30)))
            throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "'deviation' must be 0 or between 1e-30 and 1e30.");
        Deviation = deviation;
    }

    /// <summary>The standard deviation.</summary>
    public double Deviation { get; }

    private protected override bool IsIdentity => Deviation == 0;

    private protected override int ScratchFor(ImageSize size) => NormalNoise.Scratch;

    private protected override void Change(Span<T> image, ImageSize size, ref Philox random, WordStream words, Span<T> scratch) =>
        NormalNoise.Add(words, Deviation, image, scratch);
}
