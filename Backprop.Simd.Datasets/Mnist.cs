namespace Backprop.Simd.Datasets;

/// <summary>
/// Reads MNIST, and every set in its form (Fashion-MNIST, KMNIST): grey images with labels 0..9 in four IDX files.
/// </summary>
public static class Mnist
{
    private const int Classes = 10;

    /// <summary>Reads the four files of a directory.</summary>
    /// <remarks>
    /// The files are <c>train-images-idx3-ubyte</c>, <c>train-labels-idx1-ubyte</c>, <c>t10k-images-idx3-ubyte</c> and
    /// <c>t10k-labels-idx1-ubyte</c>. Accepted too: a point before <c>idx</c> instead of the hyphen, and <c>.gz</c> at the
    /// end. Where several forms are there, the plain file comes before the compressed one and the hyphen before the point.
    /// </remarks>
    /// <param name="directory">The directory.</param>
    /// <returns>The images to train on and to test on, pixels 0..255.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="FileNotFoundException">A file is missing; the message names it and the directory.</exception>
    /// <exception cref="DatasetFormatException">A file is not an IDX file of its kind, the numbers of images and labels
    /// differ, a label is above 9, or the images to train on and to test on differ in size.</exception>
    public static TrainTestSplit Load(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (!Directory.Exists(directory))
        {
            throw new DirectoryNotFoundException($"There is no directory '{directory}'.");
        }

        LabeledImages train = LoadPart(directory, "train");
        LabeledImages test = LoadPart(directory, "t10k");
        return train.Width == test.Width && train.Height == test.Height
            ? new TrainTestSplit(train, test)
            : throw new DatasetFormatException(
                $"The training images in '{directory}' are [{train.Height}, {train.Width}], the test images [{test.Height}, {test.Width}].");
    }

    private static LabeledImages LoadPart(string directory, string part)
    {
        // Both are found before either is read: a missing file is told at once.
        string imagesPath = Find(directory, $"{part}-images", "idx3-ubyte");
        string labelsPath = Find(directory, $"{part}-labels", "idx1-ubyte");
        IdxFile images = IdxFile.ReadImages(imagesPath);
        IdxFile labels = IdxFile.ReadLabels(labelsPath);
        ReadOnlySpan<int> shape = images.Dimensions.Span;
        if (shape[0] != labels.Data.Length)
        {
            throw new DatasetFormatException(
                $"'{imagesPath}' has {shape[0]} images, '{labelsPath}' {labels.Data.Length} labels.");
        }

        int outside = labels.Data.Span.IndexOfAnyExceptInRange((byte)0, (byte)(Classes - 1));
        return outside < 0
            ? new LabeledImages(images.Data, labels.Data, shape[2], shape[1], Classes, byte.MaxValue)
            : throw new DatasetFormatException($"Label {outside} of '{labelsPath}' is {labels.Data.Span[outside]}; expected 0..9.");
    }

    private static string Find(string directory, string stem, string kind)
    {
        ReadOnlySpan<string> names = [$"{stem}-{kind}", $"{stem}.{kind}", $"{stem}-{kind}.gz", $"{stem}.{kind}.gz"];
        foreach (string name in names)
        {
            string path = Path.Combine(directory, name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException(
            $"The file '{names[0]}' is missing in the directory '{directory}' (also looked for: {string.Join(", ", names[1..]!)}).",
            names[0]);
    }
}
