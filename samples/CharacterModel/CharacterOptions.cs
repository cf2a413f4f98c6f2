using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>The command line. A bad option is reported on one line and ends the program with code 2.</summary>
internal sealed record CharacterOptions
{
    private const int BadOption = 2;

    public required int Steps { get; init; }

    public required int Width { get; init; }

    public required int Layers { get; init; }

    public required double LearningRate { get; init; }

    public required string Prompt { get; init; }

    public required int Characters { get; init; }

    public required double Temperature { get; init; }

    public required double TopP { get; init; }

    public required ulong Seed { get; init; }

    public required int Threads { get; init; }

    public required string? Text { get; init; }

    public static int Run(string[] args, Func<CharacterOptions, int> program)
    {
        var steps = Integer("--steps", "Training steps, of 16 pieces of 64 characters each", 800, 1_000_000);
        var width = Columns("--width", "Columns inside the network", 96);
        var layers = Integer("--layers", "Layers of the network", 2, 64);
        var learningRate = Number("--learning-rate", "The largest step length of AdamW", 0.003, 1);
        var prompt = new Option<string>("--prompt") { Description = "What the text begins with", HelpName = "text", DefaultValueFactory = _ => "Alice " };
        prompt.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && result.Tokens[0].Value.Length == 0)
                result.AddError("--prompt '': expected one character or more.");
        });
        var characters = Integer("--characters", "Characters to write", 600, 1_000_000);
        var temperature = Number("--temperature", "Below 1 it writes what is likely, above 1 it dares more", 0.6, 100);
        var topP = Number("--top-p", "It draws among the likeliest characters that come to this probability", 0.95, 1);
        var seed = Seeded("--seed", "Seed of the weights, of the pieces and of the draws", 1);
        var threads = Integer("--threads", "Threads; results do not depend on them", ComputeContext.Default.Threads, 1024);
        var text = new Option<string?>("--text") { Description = "A file with another text to learn from", HelpName = "file" };

        var command = new RootCommand("Trains a small GPT on a text, character by character, and writes more of it.")
        {
            steps, width, layers, learningRate, prompt, characters, temperature, topP, seed, threads, text,
        };
        command.SetAction(parsed => program(new CharacterOptions
        {
            Steps = parsed.GetValue(steps),
            Width = parsed.GetValue(width),
            Layers = parsed.GetValue(layers),
            LearningRate = parsed.GetValue(learningRate),
            Prompt = parsed.GetValue(prompt)!.ReplaceLineEndings("\n"),
            Characters = parsed.GetValue(characters),
            Temperature = parsed.GetValue(temperature),
            TopP = parsed.GetValue(topP),
            Seed = parsed.GetValue(seed),
            Threads = parsed.GetValue(threads),
            Text = parsed.GetValue(text),
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

    private static Option<int> Columns(string name, string description, int start) =>
        Value(name, description, start, "a multiple of 8 from 8 to 2048",
            (string text, out int value) =>
                int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value is >= 8 and <= 2048 && value % 8 == 0);

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
