using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Backprop.Simd.Datasets;

/// <summary>
/// 1,797 handwritten digits of 8x8 pixels, embedded in this assembly: the test part of "Optical Recognition of
/// Handwritten Digits" by E. Alpaydin and C. Kaynak, UCI Machine Learning Repository,
/// <see href="https://doi.org/10.24432/C50P49"/>, CC BY 4.0. A pixel counts the dark dots, 0..16, in a 4x4 block of the
/// scanned 32x32 bitmap.
/// </summary>
/// <remarks>
/// The images are by 13 writers, and nothing tells who wrote which image: any split, <see cref="Split"/> too, has the same
/// writers on both sides. Its test accuracy says nothing about writers that the network has not seen; for them it is lower.
/// The source's training part, 3,823 images by 30 other writers, is not embedded.
/// </remarks>
public static class Digits
{
    /// <summary>The number of images: 1,797.</summary>
    public const int Count = 1797;

    /// <summary>The number of images that <see cref="Split"/> gives for training: 1,437.</summary>
    public const int TrainCount = 1437;

    /// <summary>The number of images that <see cref="Split"/> gives for testing: 360.</summary>
    public const int TestCount = Count - TrainCount;

    /// <summary>The seed of the fixed split.</summary>
    public const ulong DefaultSplitSeed = 1797;

    private const int Side = 8;
    private const int Classes = 10;
    private const byte MaximumValue = 16;

    private static readonly Lazy<LabeledImages> _all = new(Read);

    /// <summary>All images in the order of the source. They are decoded on the first call and shared afterwards.</summary>
    /// <returns>1,797 images of 8x8 pixels 0..16 in 10 classes.</returns>
    public static LabeledImages Load() => _all.Value;

    /// <summary>
    /// The images, shuffled and split 1,437 / 360 as <see cref="LabeledImages.Split"/> says. Both parts have images by the same writers.
    /// </summary>
    /// <param name="seed">The seed of the shuffle; the default gives the fixed split of all reported accuracies.</param>
    /// <returns>1,437 images to train on and the other 360 to test on.</returns>
    public static TrainTestSplit Split(ulong seed = DefaultSplitSeed) => Load().Split(TrainCount, seed);

    /// <summary>
    /// Scales 8x8 images to MNIST's 28x28: each pixel becomes a 3x3 block, which gives 24x24, centred in a border of two
    /// zero pixels on each side.
    /// </summary>
    /// <param name="images">Images of 8x8 pixels.</param>
    /// <returns>The same images at 28x28, with the same pixel range and labels.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="images"/> is null.</exception>
    /// <exception cref="ArgumentException">The images are not 8x8.</exception>
    public static LabeledImages Resize28x28(LabeledImages images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Width != Side || images.Height != Side)
        {
            throw new ArgumentException(
                $"Expected images of [8, 8] pixels; got [{images.Height}, {images.Width}].", nameof(images));
        }

        return images.Enlarge(factor: 3, border: 2);
    }

    // One line per image: 64 pixels, then the label, separated by commas.
    private static LabeledImages Read()
    {
        var pixels = new byte[Count * Side * Side];
        var labels = new byte[Count];
        using Stream resource = typeof(Digits).Assembly.GetManifestResourceStream("digits.csv.gz")
            ?? throw new DatasetFormatException("The embedded digits are missing from the assembly.");
        using var text = new StreamReader(new GZipStream(resource, CompressionMode.Decompress), Encoding.ASCII);
        for (int image = 0; image < Count; image++)
        {
            ReadOnlySpan<char> line = text.ReadLine()
                ?? throw new DatasetFormatException($"The embedded digits end after {image} images; expected {Count}.");
            int column = 0;
            foreach (Range field in line.Split(','))
            {
                byte value = byte.Parse(line[field], NumberStyles.None, CultureInfo.InvariantCulture);
                if (column < Side * Side)
                {
                    pixels[(image * Side * Side) + column] = value;
                }
                else
                {
                    labels[image] = value;
                }

                column++;
            }

            if (column != (Side * Side) + 1)
            {
                throw new DatasetFormatException(
                    $"Line {image + 1} of the embedded digits has {column} values; expected {(Side * Side) + 1}.");
            }
        }

        return new LabeledImages(pixels, labels, Side, Side, Classes, MaximumValue);
    }
}
