namespace Backprop.Simd.Bench;

/// <summary>The arguments of <c>compare</c>.</summary>
internal sealed record CompareOptions
{
    public static readonly string[] Areas = ["gemm", "elementwise", "array", "step", "conv", "model"];

    /// <summary>Rounds of a full run; a quick one makes 5.</summary>
    private const int DefaultRounds = 11;

    /// <summary>The areas to run.</summary>
    public IReadOnlyList<string> Selected { get; private init; } = Areas;

    public int Threads { get; private init; } = 1;

    public int Rounds { get; private init; } = DefaultRounds;

    /// <summary>Cases whose "area name type" contains it; all if empty.</summary>
    public string Filter { get; private init; } = "";

    public string? Json { get; private init; }

    public string? Markdown { get; private init; }

    public string? Plot { get; private init; }

    /// <summary>Also measures each side in a process of its own.</summary>
    public bool Separate { get; private init; }

    /// <summary>The only sides to run; all if empty.</summary>
    public IReadOnlyList<string> Sides { get; private init; } = [];

    /// <summary>Where a run of one side writes its times for the process that started it.</summary>
    public string? Raw { get; private init; }

    /// <exception cref="ArgumentException">An argument is unknown, or its value is missing or wrong.</exception>
    public static CompareOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new CompareOptions();
        for (var i = 0; i < args.Length; i++)
        {
            var argument = args[i];
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (argument)
            {
                case "all":
                    options = options with { Selected = Areas };
                    continue;
                case "gemm" or "elementwise" or "array" or "step" or "conv" or "model":
                    // Several may be named.
                    options = options with { Selected = ReferenceEquals(options.Selected, Areas) ? [argument] : [.. options.Selected, argument] };
                    continue;
                case "--quick":
                    options = options with { Rounds = 5 };
                    continue;
                case "--separate":
                    options = options with { Separate = true };
                    continue;
            }

            if (!argument.StartsWith("--", StringComparison.Ordinal) || value is null)
                throw new ArgumentException($"Unknown argument, or one without its value: {argument}");
            i++;
            options = argument switch
            {
                "--threads" => options with { Threads = Number(argument, value, Environment.ProcessorCount) },
                "--rounds" => options with { Rounds = Number(argument, value, 1000) },
                "--filter" => options with { Filter = value },
                "--json" => options with { Json = value },
                "--markdown" => options with { Markdown = value },
                "--plot" => options with { Plot = value },
                "--side" => options with { Sides = [.. options.Sides, value] },
                "--raw" => options with { Raw = value },
                _ => throw new ArgumentException($"Unknown argument: {argument}"),
            };
        }

        return options;
    }

    /// <summary>All cases, in order.</summary>
    public static IEnumerable<Case> AllCases() =>
        [.. GemmCases.All(), .. ElementwiseCases.All(), .. ArrayCases.All(), .. StepCases.All(), .. ConvCases.All(), .. ModelCases.All()];

    /// <summary>The cases selected.</summary>
    public IEnumerable<Case> Cases() => AllCases()
        .Where(c => Selected.Contains(c.Area) && c.ToString().Contains(Filter, StringComparison.OrdinalIgnoreCase));

    private static int Number(string argument, string value, int limit) =>
        int.TryParse(value, out var number) && number >= 1 && number <= limit
            ? number
            : throw new ArgumentException($"{argument} takes a number from 1 to {limit}, not {value}");
}
