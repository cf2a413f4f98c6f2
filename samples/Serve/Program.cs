using System.Diagnostics;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Samples;

/// <summary>Trains a network on handwritten digits and serves it over HTTP, or tests the service under load.</summary>
internal static class Program
{
    private const int BadOption = 2;

    private static async Task<int> Main(string[] args)
    {
        if (args is ["--help" or "-h"])
        {
            Console.WriteLine(ServeOptions.Usage);
            return 0;
        }

        if (!ServeOptions.TryParse(args, out var options, out var problem))
        {
            Console.Error.WriteLine($"error: {problem}");
            return BadOption;
        }

        // An existing file is read. A missing file will be written, which is tried before training.
        var isThere = File.Exists(options.Model);
        if (!isThere && !OutputPath.CanWrite("--model", options.Model, out problem))
        {
            Console.Error.WriteLine($"error: {problem}");
            return BadOption;
        }

        var start = Stopwatch.GetTimestamp();
        var (train, test) = Digits.Split();
        Network<float> network;
        try
        {
            network = isThere ? DigitModel.Load(train, options.Model!) : DigitModel.Train(train);
            if (options.Model is { } path && !isThere)
                network.Save(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"error: --model {options.Model}: {e.Message}");
            return 1;
        }

        var accuracy = DigitModel.Accuracy(network, test);
        Console.WriteLine($"{(isThere ? "loaded" : "trained")} in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s; "
            + $"{100 * accuracy:F1} % of {test.Count} test digits are right");

        var predictor = new Predictor<float>(network, new PredictorOptions { MaximumConcurrency = options.Threads, Preallocate = true });
        var service = new Service(predictor, accuracy);
        await using var app = service.Create(options.Port);
        try
        {
            await app.StartAsync();
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"error: --port {options.Port}: {e.Message}");
            return 1;
        }

        var address = new Uri(app.Urls.First());
        if (options.LoadTest > 0)
            return await new LoadTest(address, predictor, test).Run(options) ? 0 : 1;
        Console.WriteLine($"draw a digit at {address}");
        Console.WriteLine($$"""or POST {"pixels": [{{service.Pixels}} numbers from 0 to 1]} or {"rows": [[...], ...]} to {{address}}predict""");
        await app.WaitForShutdownAsync();
        return 0;
    }
}
