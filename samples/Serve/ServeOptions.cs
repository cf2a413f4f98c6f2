using System.Globalization;

namespace Backprop.Simd.Samples;

/// <summary>The command line: pairs of a name and a value.</summary>
internal sealed record ServeOptions
{
    public const string Usage = """
        Trains a network on handwritten digits and serves it over HTTP, on this machine only.

          --model FILE         the network for 8 x 8 digits: read from this file (safetensors) if it is there, else trained and saved to it
          --port NUMBER        the port; 0, the default, is any free one
          --threads NUMBER     callers that compute at once: 1 to 1024, the processors by default
          --clients NUMBER     clients of the load test: 1 to 256, 8 by default
          --load-test SECONDS  1 to 600: loads the service, compares every answer, prints what it measured and ends
        """;

    /// <summary>The file of the network; null to train one and keep it in memory.</summary>
    public string? Model { get; private set; }

    public int Port { get; private set; }

    public int Threads { get; private set; } = Environment.ProcessorCount;

    public int Clients { get; private set; } = 8;

    /// <summary>The seconds of the load test; 0 to serve.</summary>
    public int LoadTest { get; private set; }

    public static bool TryParse(string[] args, out ServeOptions options, out string problem)
    {
        options = new ServeOptions();
        problem = "";
        for (var i = 0; i < args.Length && problem.Length == 0; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            problem = args[i] switch
            {
                "--model" => SetModel(value, options),
                "--port" => Set(value, 0, 65_535, options, static (o, v) => o.Port = v),
                "--threads" => Set(value, 1, 1024, options, static (o, v) => o.Threads = v),
                "--clients" => Set(value, 1, 256, options, static (o, v) => o.Clients = v),
                "--load-test" => Set(value, 1, 600, options, static (o, v) => o.LoadTest = v),
                _ => "the options are --model, --port, --threads, --clients, --load-test and --help",
            };
            if (problem.Length > 0)
                problem = $"{args[i]} {(value.Length == 0 ? "''" : value)}: {problem}.";
        }

        return problem.Length == 0;
    }

    private static string SetModel(string path, ServeOptions options)
    {
        options.Model = path;
        return path.Length > 0 ? "" : "expected the name of a file";
    }

    private static string Set(string text, int least, int largest, ServeOptions options, Action<ServeOptions, int> set)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value < least || value > largest)
            return $"expected an integer from {least} to {largest}";
        set(options, value);
        return "";
    }
}
