using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>The command line. A bad option is reported on one line and ends the program with code 2.</summary>
internal sealed record MnistOptions
{
    private const int BadOption = 2;

    public required string? Data { get; init; }

    public required bool Fashion { get; init; }

    public required Recipe? Recipe { get; init; }

    public required double? TimeTo { get; init; }

    public required int? Epochs { get; init; }

    public required ulong Seed { get; init; }

    public required int Threads { get; init; }

    /// <summary>How many images to train on, from the first; null for all.</summary>
    public required int? Images { get; init; }

    public required string? Pictures { get; init; }

    public required string? Checkpoints { get; init; }

    public required string? Log { get; init; }

    public required string? Save { get; init; }

    public static int Run(string[] args, Func<MnistOptions, int> program)
    {
        var data = new Option<string?>("--data")
        {
            Description = "The directory with the four IDX files, plain or gzip; by default the cache, filled by a download",
            HelpName = "directory",
        };
        var fashion = new Option<bool>("--fashion") { Description = "Fashion-MNIST instead of MNIST" };
        var network = new Option<string?>("--network")
        {
            Description = "mlp (784-256-10, the default) or conv (two convolutions, pooling, dropout)",
            HelpName = "name",
        };
        network.Validators.Add(given =>
        {
            if (given.Tokens is [.., { Value: not ("mlp" or "conv") } token])
                given.AddError($"--network '{token.Value}': expected mlp or conv.");
        });
        var timeTo = Number("--time-to",
            "Only train to this test accuracy, and fail if it is not reached; 0.98 or less takes the mlp, more the conv", 0.1, 0.9999);
        var epochs = Integer("--epochs", "Passes over the training images; by default those of the recipe", 1, 100_000);
        var seed = new Option<ulong>("--seed")
        {
            Description = "Seed of the weights, the order and the augmentation",
            HelpName = "number",
            DefaultValueFactory = _ => 1,
            CustomParser = parsed =>
            {
                if (ulong.TryParse(parsed.Tokens[^1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                    return value;
                parsed.AddError($"--seed '{parsed.Tokens[^1].Value}': expected an integer, 0 or more.");
                return 0;
            },
        };
        var threads = Integer("--threads", "Threads; results do not depend on them", 1, 1024);
        var images = Integer("--images", "Train on the first so many images only", 100, 60_000);
        var pictures = Folder("--pictures", "Write curves, confusion matrix, weights and mistakes as PNG files into this directory");
        var checkpoints = Folder("--checkpoints", "Save the training here every epoch; started again with the same options it goes on from there");
        var log = Folder("--log", "Write history.csv and training.jsonl into this directory");
        var save = new Option<string?>("--save") { Description = "Write the trained network to this file (safetensors)", HelpName = "file" };

        var command = new RootCommand("Trains a network on MNIST or Fashion-MNIST and tests it on 10,000 other images.")
        {
            data, fashion, network, timeTo, epochs, seed, threads, images, pictures, checkpoints, log, save,
        };
        command.Validators.Add(given =>
        {
            foreach (var option in new Option[] { images, pictures, checkpoints, log, save })
            {
                if (given.GetResult(timeTo) is not null && given.GetResult(option) is not null)
                    given.AddError($"{option.Name} does nothing beside --time-to: give one of them.");
            }
        });
        command.SetAction(parsed =>
        {
            var accuracy = parsed.GetValue(timeTo);
            var options = new MnistOptions
            {
                Data = parsed.GetValue(data),
                Fashion = parsed.GetValue(fashion),
                Recipe = parsed.GetValue(network) switch { "mlp" => Recipe.Mlp, "conv" => Recipe.Convolutional, _ => null },
                TimeTo = accuracy,
                Epochs = parsed.GetValue(epochs),
                Seed = parsed.GetValue(seed),
                Threads = parsed.GetValue(threads) ?? ComputeContext.Default.Threads,
                Images = parsed.GetValue(images),
                Pictures = parsed.GetValue(pictures),
                Checkpoints = parsed.GetValue(checkpoints),
                Log = parsed.GetValue(log),
                Save = parsed.GetValue(save),
            };
            if (options.CanWrite(out var problem))
                return program(options);
            Console.Error.WriteLine($"error: {problem}");
            return BadOption;
        });

        var result = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors.Count == 0)
            return result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        Console.Error.WriteLine($"error: {Message(result, command)}");
        return BadOption;
    }

    /// <summary>Whether all results can be written. Asked before anything is loaded.</summary>
    private bool CanWrite(out string problem) =>
        OutputPath.CanWrite("--save", Save, out problem)
        && OutputPath.CanWriteInto("--pictures", Pictures, Session.PictureNames, out problem)
        && OutputPath.CanWriteInto("--checkpoints", Checkpoints, ["checkpoint"], out problem)
        && OutputPath.CanWriteInto("--log", Log, Session.LogNames, out problem);

    private static Option<string?> Folder(string name, string description) => new(name) { Description = description, HelpName = "directory" };

    private static Option<int?> Integer(string name, string description, int least, int most) => new(name)
    {
        Description = $"{description}: an integer from {least} to {most}",
        HelpName = "number",
        CustomParser = result =>
        {
            if (int.TryParse(result.Tokens[^1].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                && value >= least && value <= most)
                return value;
            result.AddError($"{name} '{result.Tokens[^1].Value}': expected an integer from {least} to {most}.");
            return null;
        },
    };

    private static Option<double?> Number(string name, string description, double least, double most) => new(name)
    {
        Description = description,
        HelpName = "number",
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[^1].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
                return value;
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} '{result.Tokens[^1].Value}': expected a number from {least} to {most}."));
            return null;
        },
    };

    private static string Message(ParseResult result, RootCommand command)
    {
        if (result.UnmatchedTokens.Count > 0)
        {
            var names = command.Options.Select(o => o.Name).Where(n => n.StartsWith("--", StringComparison.Ordinal));
            return $"unknown option '{result.UnmatchedTokens[0]}'; the options are {string.Join(", ", names)}.";
        }

        return result.Errors[0].Message.ReplaceLineEndings(" ");
    }
}
