using Backprop.Simd.Datasets;

namespace Backprop.Simd.Tests.Datasets;

/// <summary>
/// The real files, where they are: MNIST in the directory <c>BACKPROP_MNIST</c> or the cache, Fashion-MNIST in the cache or where
/// Debian's package dataset-fashion-mnist puts it. Nothing is downloaded; without the files there is nothing to see.
/// </summary>
public class PublishedSetTests
{
    private static readonly string? MnistFolder = Mnist.Published.Find(
        Environment.GetEnvironmentVariable("BACKPROP_MNIST") is { Length: > 0 } directory ? directory : null);

    [Fact]
    public void Mnist_is_what_was_published()
    {
        if (MnistFolder is null)
            return;
        Mnist.Published.Verify(MnistFolder);
        (LabeledImages train, LabeledImages test) = Mnist.LoadOrDownload(MnistFolder, new DownloadOptions { Offline = true });
        Assert.Equal((60000, 10000, 28, 28), (train.Count, test.Count, train.Height, train.Width));
        Assert.Equal([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], CountPerClass(train));
        Assert.Equal([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], CountPerClass(test));
    }

    [Fact]
    public void Fashion_Mnist_is_what_was_published()
    {
        if (FashionMnist.Published.Find() is not { } folder)
            return;
        FashionMnist.Published.Verify(folder);
        (LabeledImages train, LabeledImages test) = FashionMnist.LoadOrDownload(options: new DownloadOptions { Offline = true });
        Assert.Equal((60000, 10000, 28, 28), (train.Count, test.Count, train.Height, train.Width));
        Assert.Equal(Enumerable.Repeat(6000, 10), CountPerClass(train));
        Assert.Equal(Enumerable.Repeat(1000, 10), CountPerClass(test));
        Assert.Equal(10, FashionMnist.Classes.Count);
        Assert.Equal("Ankle boot", FashionMnist.Classes[train.Label(0)]);
    }

    [Fact]
    public void The_two_sets_are_different_ones() =>
        Assert.Empty(Mnist.Published.Files.Select(f => f.Sha256).Intersect(FashionMnist.Published.Files.Select(f => f.Sha256)));

    private static int[] CountPerClass(LabeledImages images)
    {
        var counts = new int[images.Classes];
        foreach (byte label in images.Labels.Span)
            counts[label]++;
        return counts;
    }
}
