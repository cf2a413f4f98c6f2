using System.Globalization;
using Backprop.Simd.Datasets;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>Trains networks on MNIST and Fashion-MNIST.</summary>
internal static class Program
{
    private const int Failure = 1;

    /// <summary>The accuracies that the two recipes aim at.</summary>
    private const double MostForMlp = 0.98;

    private static int Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        return MnistOptions.Run(args, Run);
    }

    private static int Run(MnistOptions options)
    {
        try
        {
            using var compute = new ComputeContext(options.Threads);
            if (options.TimeTo is not { } accuracy)
                return new Session(options, compute).Run();
            var recipe = options.Recipe ?? (accuracy <= MostForMlp ? Recipe.Mlp : Recipe.Convolutional);
            return TimeTo.Run(accuracy, options.Epochs is { } epochs ? recipe with { Epochs = epochs } : recipe, () => Load(options), options.Seed, compute);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArithmeticException or DatasetFormatException)
        {
            // Missing or damaged files, a checkpoint of another training, a loss that is not finite: reported on one line.
            Console.Error.WriteLine($"error: {error.Message}");
            return Failure;
        }
    }

    /// <summary>The images, with fewer training images if the options say so.</summary>
    public static TrainTestSplit Load(MnistOptions options)
    {
        var download = new DownloadOptions { Progress = new DownloadLines() };
        var split = options.Data is { } directory ? Mnist.Load(directory) // If a directory is named, no other is searched.
            : options.Fashion ? FashionMnist.LoadOrDownload(options: download)
            : Mnist.LoadOrDownload(options: download);
        return options.Images is { } images && images < split.Train.Count
            ? split with { Train = split.Train.Select([.. Enumerable.Range(0, images)]) }
            : split;
    }

    /// <summary>A line per file that arrives.</summary>
    private sealed class DownloadLines : IProgress<DownloadProgress>
    {
        private string _file = "";

        public void Report(DownloadProgress value)
        {
            if (_file != value.File)
                Console.WriteLine($"downloading {_file = value.File} ({value.Total:N0} bytes)");
        }
    }
}
