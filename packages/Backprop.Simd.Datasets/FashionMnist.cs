namespace Backprop.Simd.Datasets;

/// <summary>
/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, <see href="https://arxiv.org/abs/1708.07747"/>; MIT license): 60,000 pictures of
/// clothes to train on and 10,000 to test on, 28x28 grey pixels, ten classes. The files have the form of <see cref="Mnist"/>.
/// </summary>
public static class FashionMnist
{
    /// <summary>The classes, by label.</summary>
    public static IReadOnlyList<string> Classes { get; } =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>The four files, their hashes and mirrors.</summary>
    public static MnistSet Published { get; } = new(
        "Fashion-MNIST",
        [
            new("train-images-idx3-ubyte", 47040016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
            new("train-labels-idx1-ubyte", 60008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
            new("t10k-images-idx3-ubyte", 7840016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
            new("t10k-labels-idx1-ubyte", 10008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
        ],
        [
            new("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
            new("https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
            new("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        ],
        ["/usr/share/datasets/fashion-mnist"]);

    /// <summary>Reads the set, and downloads it first if it is not on this machine: see <see cref="MnistSet.LoadOrDownload"/>.</summary>
    /// <param name="directory">The folder of the files, which are downloaded to it if need be; the cache by default.</param>
    /// <param name="options">How files are found and downloaded.</param>
    /// <returns>60,000 images to train on and 10,000 to test on.</returns>
    /// <exception cref="DatasetNotFoundException">The files are not on this machine and cannot be downloaded.</exception>
    /// <exception cref="DatasetFormatException">A file on this machine is not what its name says.</exception>
    public static TrainTestSplit LoadOrDownload(string? directory = null, DownloadOptions? options = null) =>
        Published.LoadOrDownload(directory, options);
}
