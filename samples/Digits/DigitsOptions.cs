using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Backprop.Simd.Datasets;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>The command line. A bad option is reported on one line and ends the program with code 2.</summary>
internal sealed record DigitsOptions
{
    private const int BadOption = 2;

    public required int Hidden { get; init; }

    public required int Epochs { get; init; }

    public required int Batch { get; init; }

    public required double LearningRate { get; init; }

    public required ulong Seed { get; init; }

    public required int Threads { get; init; }

    public required string? Json { get; init; }

    public static int Run(string[] args, Func<DigitsOptions, int> program)
    {
        var hidden = Integer("--hidden", "Neurons of the hidden layer", 50, 4096);
        var epochs = Integer("--epochs", "Passes over the training images", 40, 10_000);
        var batch = Integer("--batch", "Images of a step", 32, Digits.TrainCount);
        var learningRate = Number("--learning-rate", "Step length of gradient descent (momentum 0.9)", 0.2, 100);
        var seed = Seeded("--seed", "Seed of the weights and of the order of the images", 1);
        var threads = Integer("--threads", "Threads; results do not depend on them", ComputeContext.Default.Threads, 1024);
        var json = JsonFile("--json", "Write the results to this file too");

        var command = new RootCommand("Trains a two-layer network on 1,437 handwritten digits and tests it on 360 others.")
        {
            hidden, epochs, batch, learningRate, seed, threads, json,
        };
        command.SetAction(parsed => program(new DigitsOptions
        {
            Hidden = parsed.GetValue(hidden),
            Epochs = parsed.GetValue(epochs),
            Batch = parsed.GetValue(batch),
            LearningRate = parsed.GetValue(learningRate),
            Seed = parsed.GetValue(seed),
            Threads = parsed.GetValue(threads),
            Json = parsed.GetValue(json),
        }));

        var result = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors.Count == 0)
            return result.Invoke();
        Console.Error.WriteLine($"error: {Message(result, command)}");
        return BadOption;
    }

    private static Option<int> Integer(string name, string description, int start, int largest) =>
        Value(name, description, start, $"an integer from 1 to {largest}",
            (string text, out int value) =>
                int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= 1 && value <= largest);

    private static Option<double> Number(string name, string description, double start, double largest) =>
        Value(name, description, start, string.Create(CultureInfo.InvariantCulture, $"a number above 0, at most {largest}"),
            (string text, out double value) =>
                double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value > 0 && value <= largest);

    private static Option<ulong> Seeded(string name, string description, ulong start) =>
        Value(name, description, start, $"an integer from 0 to {ulong.MaxValue}",
            (string text, out ulong value) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value));

    private delegate bool Parser<T>(string text, out T value);

    private static Option<T> Value<T>(string name, string description, T start, string allowed, Parser<T> parser)
        where T : struct, INumber<T> => new(name)
        {
            Description = $"{description}: {allowed}",
            HelpName = "number",
            DefaultValueFactory = _ => start,
            CustomParser = result =>
            {
                var text = result.Tokens[^1].Value;
                if (!parser(text, out var value))
                    result.AddError($"{name} {(text.Length == 0 ? "''" : text)}: expected {allowed}.");
                return value;
            },
        };

    private static Option<string?> JsonFile(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = "file" };
        option.Validators.Add(result =>
        {
            // Reported before training, not after it.
            if (result.Tokens.Count == 1 && !OutputPath.CanWrite(name, result.Tokens[0].Value, out var problem))
                result.AddError(problem);
        });
        return option;
    }

    /// <summary>One line: the option, what was given, what is allowed.</summary>
    private static string Message(ParseResult result, RootCommand command)
    {
        if (result.UnmatchedTokens.Count > 0)
        {
            var names = command.Options.Select(o => o.Name).Where(n => n.StartsWith("--", StringComparison.Ordinal));
            return $"unknown option '{result.UnmatchedTokens[0]}'; the options are {string.Join(", ", names)}.";
        }

        var error = result.Errors[0];
        return (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent) is OptionResult { Tokens.Count: not 1 } option
            ? $"{option.Option.Name}: expected one value, got {option.Tokens.Count}. {option.Option.Description}."
            : error.Message.ReplaceLineEndings(" ");
    }
}
