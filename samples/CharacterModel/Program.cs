using System.Diagnostics;
using System.Globalization;
using System.Text;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>Trains a small GPT on a text, character by character, and lets it write more.</summary>
internal static class Program
{
    private const int Lines = 10, Glimpse = 60;

    private static int Main(string[] args) => CharacterOptions.Run(args, Run);

    private static int Run(CharacterOptions options)
    {
        if (!TryRead(options.Text, out var text, out var problem))
            return Fail(problem);
        if (!CharacterNetwork.Knows(text, options.Prompt))
            return Fail($"--prompt '{options.Prompt}': the text has only the characters {string.Concat(text.Distinct().Order()).ReplaceLineEndings("")}.");
        using var compute = new ComputeContext(options.Threads);
        var network = new CharacterNetwork(text, options, compute);
        Say($"{text.Length:N0} characters, {network.Letters} different ones.");
        Say($"A GPT of {options.Layers} layer(s), {options.Width} wide: {network.Parameters:N0} parameters.");
        Say($"{options.Steps} steps, seed {options.Seed}, threads {options.Threads}. What it writes at each line is drawn from '{OneLine(options.Prompt)}'.");
        Say($"{"step",6}{"loss",8}{"characters/s",14}");

        var clock = Stopwatch.StartNew();
        var (sum, steps) = (0.0, 0);
        for (var step = 1; step <= options.Steps; step++)
        {
            sum += network.Step();
            steps++;
            if (step * Lines / options.Steps == (step - 1) * Lines / options.Steps)
                continue;
            if (!double.IsFinite(sum))
                return Fail($"the loss is {sum / steps} at step {step}: training diverged; try a --learning-rate below {options.LearningRate}.");
            var glimpse = new StringBuilder();
            network.Write(options.Prompt, Glimpse, c => glimpse.Append(c));
            Say($"{step,6}{sum / steps,8:F3}{step * 1024L / clock.Elapsed.TotalSeconds,14:N0}   {OneLine(glimpse.ToString())}");
            (sum, steps) = (0, 0);
        }

        Console.WriteLine();
        Console.Write(options.Prompt);
        network.Write(options.Prompt, options.Characters, Console.Write);
        Console.WriteLine();
        return 0;
    }

    /// <summary>The text of a file, or the one that comes with the program.</summary>
    private static bool TryRead(string? path, out string text, out string problem)
    {
        (text, problem) = ("", "");
        try
        {
            using var reader = new StreamReader(path is null ? typeof(Program).Assembly.GetManifestResourceStream("Alice.txt")! : File.OpenRead(path));
            text = reader.ReadToEnd().ReplaceLineEndings("\n");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            problem = $"--text '{path}': {error.Message.ReplaceLineEndings(" ")}";
            return false;
        }

        if (text.Length <= CharacterNetwork.Context)
            problem = $"--text '{path}': expected more than {CharacterNetwork.Context} characters, got {text.Length}.";
        return problem.Length == 0;
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static int Fail(string problem)
    {
        Console.Error.WriteLine($"error: {problem}");
        return 1;
    }
}
