using Backprop.Simd.Datasets;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Datasets;

public sealed class MnistTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mnist-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private void Write(string name, byte[] file) =>
        File.WriteAllBytes(
            Path.Combine(_directory, name),
            name.EndsWith(".gz", StringComparison.Ordinal) ? IdxFileTests.Compress(file) : file);

    private void WriteAll(string separator, string ending)
    {
        Write($"train-images{separator}idx3-ubyte{ending}", IdxFileTests.Encode([5, 4, 3], IdxFileTests.Bytes(60)));
        Write($"train-labels{separator}idx1-ubyte{ending}", IdxFileTests.Encode([5], [9, 0, 1, 2, 3]));
        Write($"t10k-images{separator}idx3-ubyte{ending}", IdxFileTests.Encode([2, 4, 3], IdxFileTests.Bytes(24)));
        Write($"t10k-labels{separator}idx1-ubyte{ending}", IdxFileTests.Encode([2], [7, 8]));
    }

    [Theory]
    [InlineData("-", "")]
    [InlineData(".", "")]
    [InlineData("-", ".gz")]
    [InlineData(".", ".gz")]
    public void Load_accepts_every_usual_name(string separator, string ending)
    {
        WriteAll(separator, ending);
        (LabeledImages train, LabeledImages test) = Mnist.Load(_directory);

        Assert.Equal((5, 4, 3, 10, (byte)255), (train.Count, train.Height, train.Width, train.Classes, train.MaximumValue));
        Assert.Equal((2, 4, 3, 10, (byte)255), (test.Count, test.Height, test.Width, test.Classes, test.MaximumValue));
        Assert.Equal(IdxFileTests.Bytes(60), train.Pixels.ToArray());
        Assert.Equal([9, 0, 1, 2, 3], train.Labels.ToArray());
        Assert.Equal([7, 8], test.Labels.ToArray());
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte")]
    [InlineData("train-labels-idx1-ubyte")]
    [InlineData("t10k-images-idx3-ubyte")]
    [InlineData("t10k-labels-idx1-ubyte")]
    public void Load_names_the_missing_file_and_the_directory(string name)
    {
        WriteAll("-", ".gz");
        File.Delete(Path.Combine(_directory, name + ".gz"));

        var error = Assert.Throws<FileNotFoundException>(() => Mnist.Load(_directory));
        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{_directory}'", error.Message, StringComparison.Ordinal);
        Assert.Equal(name, error.FileName);
    }

    [Fact]
    public void Load_names_a_missing_directory()
    {
        string missing = Path.Combine(_directory, "none");

        var error = Assert.Throws<DirectoryNotFoundException>(() => Mnist.Load(missing));
        Assert.Contains(missing, error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("directory", () => Mnist.Load(""));
    }

    [Fact]
    public void A_pipe_and_a_link_that_leads_nowhere_are_no_files_of_a_set()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // There are no such files.
        }

        WriteAll("-", ".gz");
        Pipe.Make(Path.Combine(_directory, "train-images-idx3-ubyte"));
        File.CreateSymbolicLink(Path.Combine(_directory, "train-labels-idx1-ubyte"), "train-images-idx3-ubyte");
        File.CreateSymbolicLink(Path.Combine(_directory, "t10k-images-idx3-ubyte"), "none");
        File.CreateSymbolicLink(Path.Combine(_directory, "t10k-labels-idx1-ubyte"), "t10k-labels-idx1-ubyte");

        Assert.Equal((5, 2), (Mnist.Load(_directory).Train.Count, Mnist.Load(_directory).Test.Count));
    }

    [Fact]
    public void Load_refuses_different_numbers_of_images_and_labels()
    {
        WriteAll("-", "");
        Write("t10k-labels-idx1-ubyte", IdxFileTests.Encode([3], [7, 8, 9]));
        Refused("2 images", "3 labels");
    }

    [Fact]
    public void Load_refuses_labels_above_nine()
    {
        WriteAll("-", "");
        Write("t10k-labels-idx1-ubyte", IdxFileTests.Encode([2], [7, 10]));
        Refused("Label 1", "is 10");
    }

    [Fact]
    public void Load_refuses_different_sizes()
    {
        WriteAll("-", "");
        Write("t10k-images-idx3-ubyte", IdxFileTests.Encode([2, 3, 4], IdxFileTests.Bytes(24)));
        Refused("[4, 3]", "[3, 4]");
    }

    [Fact]
    public void Load_refuses_labels_in_place_of_images()
    {
        WriteAll("-", "");
        Write("train-images-idx3-ubyte", IdxFileTests.Encode([5], [9, 0, 1, 2, 3]));
        Refused("train-images-idx3-ubyte", "00000801");
    }

    private void Refused(params ReadOnlySpan<string> reasons)
    {
        var error = Assert.Throws<DatasetFormatException>(() => Mnist.Load(_directory));
        foreach (string reason in reasons)
        {
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }
}
