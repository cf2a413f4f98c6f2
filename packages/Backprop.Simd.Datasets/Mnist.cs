namespace Backprop.Simd.Datasets;

/// <summary>
/// Reads MNIST, and every set in its form (Fashion-MNIST, KMNIST): grey images with labels 0..9 in four IDX files. MNIST itself
/// (LeCun, Cortes, Burges; <see href="http://yann.lecun.com/exdb/mnist/"/>) has 60,000 handwritten digits to train on and 10,000
/// to test on, 28x28 pixels.
/// </summary>
public static class Mnist
{
    private const int Classes = 10;

    /// <summary>The four files of MNIST, their hashes and mirrors.</summary>
    public static MnistSet Published { get; } = new(
        "MNIST",
        [
            new("train-images-idx3-ubyte", 47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            new("train-labels-idx1-ubyte", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            new("t10k-images-idx3-ubyte", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            new("t10k-labels-idx1-ubyte", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ],
        [
            new("https://storage.googleapis.com/cvdf-datasets/mnist/"),
            new("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        ]);

    /// <summary>The files of every set in this form: images and labels to train on, images and labels to test on.</summary>
    internal static ReadOnlySpan<string> FileNames =>
        new[] { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" };

    /// <summary>Reads MNIST, and downloads it first if it is not on this machine: see <see cref="MnistSet.LoadOrDownload"/>.</summary>
    /// <param name="directory">The folder of the files, which are downloaded to it if need be; the cache by default.</param>
    /// <param name="options">How files are found and downloaded.</param>
    /// <returns>60,000 images to train on and 10,000 to test on.</returns>
    /// <exception cref="DatasetNotFoundException">The files are not on this machine and cannot be downloaded.</exception>
    /// <exception cref="DatasetFormatException">A file on this machine is not what its name says.</exception>
    public static TrainTestSplit LoadOrDownload(string? directory = null, DownloadOptions? options = null) =>
        Published.LoadOrDownload(directory, options);

    /// <summary>Reads the four files of a directory.</summary>
    /// <remarks>
    /// The files are <c>train-images-idx3-ubyte</c>, <c>train-labels-idx1-ubyte</c>, <c>t10k-images-idx3-ubyte</c> and
    /// <c>t10k-labels-idx1-ubyte</c>. Accepted too: a point before <c>idx</c> instead of the hyphen, and <c>.gz</c> at the
    /// end. If several forms exist, a plain file comes before a compressed one, and the hyphen before the point.
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
        // Both are found before either is read, so that a missing file is reported at once.
        string imagesPath = Find(directory, $"{part}-images-idx3-ubyte");
        string labelsPath = Find(directory, $"{part}-labels-idx1-ubyte");
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

    private static string Find(string directory, string name) => TryFind(directory, name)
        ?? throw new FileNotFoundException(
            $"The file '{name}' is missing in the directory '{directory}' (also looked for: {string.Join(", ", FormsOf(name)[1..])}).",
            name);

    /// <summary>The path of a file in one of its accepted forms; null if there is none. A pipe does not count, since opening it would wait
    /// for its other end; its length reads as 0.</summary>
    internal static string? TryFind(string directory, string name) =>
        FormsOf(name).Select(form => Path.Combine(directory, form)).FirstOrDefault(IsThere);

    private static bool IsThere(string path)
    {
        try
        {
            return File.Exists(path) && (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)) is FileInfo { Exists: true, Length: > 0 };
        }
        catch (IOException)
        {
            return false; // A link that leads to itself.
        }
    }

    private static string[] FormsOf(string name)
    {
        string point = name.Replace("-idx", ".idx", StringComparison.Ordinal);
        return [name, point, $"{name}.gz", $"{point}.gz"];
    }
}
