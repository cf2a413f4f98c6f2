using System.Globalization;
using System.Text;
using Backprop.Simd.Datasets;
using Backprop.Simd.Gradients;
using Spectre.Console;

namespace Backprop.Simd.Samples;

/// <summary>What people see: colours and boxes on a terminal, plain lines in a file or a pipe.</summary>
internal sealed class Screen
{
    private const int MostMistakes = 4;
    private const string Ink = " .:-=+*#%@";

    private readonly IAnsiConsole _console = Create();

    public void Network(DigitsOptions options, LabeledImages train, LabeledImages test, int parameters)
    {
        _console.MarkupLine(Text(
            $"[bold]Handwritten digits[/]: {train.Count:N0} images to train on, {test.Count:N0} to test on, {train.Height}x{train.Width} pixels."));
        _console.MarkupLine(Text(
            $"Network {train.PixelsPerImage}-{options.Hidden}-{train.Classes}, sigmoid, softmax cross-entropy: {parameters:N0} parameters."));
        _console.MarkupLine(Text($"Batch {options.Batch}, learning rate {options.LearningRate}, seed {options.Seed}, threads {options.Threads}."));
        _console.WriteLine();
    }

    public void GradientCheck((string Label, string Name)[] labels, GradientCheckReport check, int images, double tolerance)
    {
        var isFull = check.Entries.All(e => e.Compared == e.Shape.Size);
        var directions = isFull ? "" : ", along random directions";
        _console.MarkupLine(Text($"[bold]Gradient check[/]: backward against numerical gradients, in double, on {images} images{directions}."));
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("").AddColumn("mean |difference|").AddColumn("relative error").AddColumn("");
        foreach (var (label, name) in labels)
        {
            var entry = check[name];
            var passes = entry.MeanAbsoluteDifference < tolerance;
            table.AddRow(label, Text($"{entry.MeanAbsoluteDifference:0.00E-00}"), Text($"{entry.RelativeError:0.00E-00}"),
                passes ? Text($"[green]below {tolerance:0E-0}[/]") : Text($"[red]NOT below {tolerance:0E-0}[/]"));
        }

        _console.Write(table);
        _console.WriteLine();
    }

    public void BeginEpochs() => _console.MarkupLine("[bold]    epoch        loss   test accuracy   milliseconds[/]");

    public void Epoch(int epoch, int epochs, double loss, double accuracy, double seconds) =>
        _console.MarkupLine(Text($"{epoch,5}/{epochs,-5}{loss,10:F5}[green]{accuracy,16:F4}[/]{1e3 * seconds,15:F2}"));

    /// <summary>Images that the network gets wrong, for people to judge.</summary>
    public void Examples(LabeledImages test, Evaluation evaluation)
    {
        var mistakes = Enumerable.Range(0, test.Count).Where(i => evaluation.Prediction(i) != test.Label(i)).ToArray();
        if (mistakes.Length == 0)
            return;
        var shown = mistakes.Length <= MostMistakes ? mistakes : mistakes[..MostMistakes];
        _console.WriteLine();
        _console.MarkupLine(Text($"[bold]Mistakes[/]: {shown.Length} of {mistakes.Length}"));
        for (var y = 0; y < test.Height; y++)
            _console.WriteLine("  " + string.Join("    ", shown.Select(i => PictureRow(test, i, y))));
        var captions = shown.Select(i => $"{test.Label(i)} taken for {evaluation.Prediction(i)}".PadRight(2 * test.Width));
        _console.MarkupLine(Text($"  [red]{string.Join("    ", captions)}[/]"));
    }

    public void Result(DigitsResult result, int tested, int measuredSteps, int threads)
    {
        _console.WriteLine();
        _console.MarkupLine(Text($"test accuracy      [bold green]{result.TestAccuracy:F4}[/] ({result.TestAccuracy * tested:F0} of {tested})"));
        _console.MarkupLine("                   same writers as in training; unknown writers are harder");
        _console.MarkupLine(Text(
            $"images per second  [bold]{result.ImagesPerSecond:N0}[/] (training, median epoch, {threads} thread{(threads == 1 ? "" : "s")})"));
        _console.MarkupLine(Text($"bytes per step     [bold]{result.BytesPerStep:0.##}[/] (allocated, over {measuredSteps:N0} steps with their batches)"));
        _console.MarkupLine(Text($"seconds            [bold]{result.Seconds:F2}[/]"));
    }

    /// <summary>Two characters per pixel make it about square.</summary>
    private static string PictureRow(LabeledImages images, int index, int y)
    {
        var text = new StringBuilder();
        foreach (var pixel in images.Image(index).Slice(y * images.Width, images.Width))
            text.Append(Ink[pixel * (Ink.Length - 1) / images.MaximumValue], 2);
        return text.ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static IAnsiConsole Create() => Console.IsOutputRedirected
        ? AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false }, // Without this, build servers switch colours on.
        })
        : AnsiConsole.Console;
}
