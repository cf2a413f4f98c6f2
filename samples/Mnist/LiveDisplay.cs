using System.Globalization;
using System.Text;
using Backprop.Simd.Training;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Backprop.Simd.Samples;

/// <summary>
/// Shows a training: on a terminal a line per finished epoch above a moving bar, elsewhere the lines alone.
/// </summary>
/// <remarks>
/// Give it to the trainer as a callback and as its progress. A step costs one comparison. Each frame is one write that leaves the
/// cursor visible below it, so that the terminal is in order whenever the program ends.
/// </remarks>
internal sealed class LiveDisplay : ITrainingCallback<float>, IProgress<TrainingProgress>, IDisposable
{
    private const int MostMetrics = 3;
    private const int LongestBar = 60, LongestLine = 1000;

    /// <summary>The weight of the latest report in the speed shown.</summary>
    private const double Newest = 0.2;

    private readonly IAnsiConsole _console;
    private readonly bool _isLive;
    private readonly int _epochs;
    private readonly string _title;
    private string[] _metrics = [];
    private bool? _largerIsBetter;
    private EpochRecord? _best, _last;
    private TrainingProgress _progress;
    private double _loss = double.NaN, _speed;
    private int _frameLines;
    private bool _hasStarted;

    /// <summary>Makes a display.</summary>
    /// <param name="epochs">The number of epochs in all.</param>
    /// <param name="title">What is trained, on one line.</param>
    /// <param name="console">The console; the program's output if null.</param>
    public LiveDisplay(int epochs, string title, IAnsiConsole? console = null)
    {
        _epochs = epochs;
        _title = title;
        _console = console ?? Create();
        _isLive = _console.Profile.Capabilities is { Ansi: true, Interactive: true };
    }

    /// <summary>Removes the bar; the lines stay.</summary>
    public void Dispose() => Clear();

    /// <inheritdoc/>
    public void Started(Trainer<float> trainer)
    {
        _metrics = [.. (trainer.Options.Validation?.Metrics ?? []).Select(m => m.Name).Take(MostMetrics)];
        if (trainer.Options.Validation is { } validation && _metrics.Length > 0)
            _largerIsBetter = validation.Metrics[0].LargerIsBetter;
        if (_hasStarted)
            return; // Another run goes on below.
        _hasStarted = true;
        Print(new Markup($"[bold]{Markup.Escape(_title)}[/]"));
        Print(new Markup($"[bold]{Header()}[/]"));
        foreach (var epoch in trainer.History)
            Print(epoch); // From before a resumption.
    }

    /// <inheritdoc/>
    public void StepDone(Trainer<float> trainer, in StepRecord step)
    {
        // The validation comes next; no report comes before it is done.
        if (_isLive && trainer.Batches.Cursor.Batch == 0 && trainer.Options.Validation is not null)
            Draw("validating");
    }

    /// <inheritdoc/>
    public void EpochDone(Trainer<float> trainer, EpochRecord epoch) => Print(epoch);

    /// <inheritdoc/>
    public void Finished(Trainer<float> trainer, StopReason? reason)
    {
        Clear();
        var (colour, text) = reason switch
        {
            StopReason.Epochs or StopReason.Steps => ("green", "Done"),
            StopReason.Time => ("green", "Time is up"),
            StopReason.EarlyStopping => ("green", "Stopped early: no better for a while"),
            StopReason.Cancelled => ("yellow", "Interrupted"),
            StopReason.Stopped => ("yellow", "Stopped"),
            _ => ("red", "Ended by an error"),
        };
        var best = _best is null ? "" : Text($"; best {_metrics[0]} {Metric(_best, 0):F4} in epoch {_best.Epoch + 1}");
        _console.MarkupLine(Text($"[{colour}]{text}[/] after {Count(trainer.History.Count, "epoch")} and {Duration(trainer.Elapsed)}{Markup.Escape(best)}."));
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        _progress = value;
        if (!double.IsNaN(value.Loss))
            _loss = value.Loss;
        if (value.RowsPerSecond > 0)
            _speed = _speed == 0 ? value.RowsPerSecond : _speed + Newest * (value.RowsPerSecond - _speed);
        if (_isLive)
            Draw(value.Remaining is { } left ? $"{Duration(left)} left" : "");
    }

    private void Print(EpochRecord epoch)
    {
        _last = epoch;
        var value = Metric(epoch, 0);
        var isBest = !double.IsNaN(value)
            && (_best is null || (_largerIsBetter != false ? value > Metric(_best, 0) : value < Metric(_best, 0)));
        if (isBest)
            _best = epoch;
        var line = new StringBuilder(Text($"{epoch.Epoch + 1,5}/{_epochs,-5}{epoch.Loss,10:F5}"));
        if (epoch.Validation is { } validation)
            line.Append(Text($"{validation.Loss,12:F5}"));
        else
            line.Append(Text($"{"-",12}"));
        for (var i = 0; i < _metrics.Length; i++)
        {
            var cell = double.IsNaN(Metric(epoch, i)) ? "-" : Text($"{Metric(epoch, i):F4}");
            var padded = cell.PadLeft(Width(_metrics[i]));
            line.Append(i == 0 && isBest ? $"[bold green]{padded}[/]" : padded);
        }

        line.Append(Text($"{epoch.LearningRate,12:G3}{epoch.RowsPerSecond,11:F0}{Duration(epoch.Elapsed),10}"));
        if (epoch.Skipped > 0)
            line.Append(Text($"  [yellow]{Count(epoch.Skipped, "step")} skipped[/]"));
        Print(new Markup(line.ToString()));
    }

    private string Header()
    {
        var line = new StringBuilder($"{"epoch",8}   {"loss",10}{"valid. loss",12}");
        foreach (var metric in _metrics)
            line.Append(Markup.Escape(metric.PadLeft(Width(metric))));
        return line.Append($"{"rate",12}{"images/s",11}{"time",10}").ToString();
    }

    /// <summary>A line that stays, above the bar.</summary>
    private void Print(Markup line)
    {
        Write([line], keep: 1);
        if (_isLive)
            Draw("");
    }

    /// <summary>The bar with its numbers.</summary>
    private void Draw(string state)
    {
        // The last column stays free: some terminals wrap after it.
        var width = Math.Max(1, _console.Profile.Width - 1);
        var epoch = Math.Min(_progress.Epoch + 1, _epochs);
        var left = Text($"epoch {epoch}/{_epochs}  ");
        var right = Text($" {100 * _progress.Fraction,3:F0} %  {state}");
        var length = Math.Clamp(width - left.Length - right.Length, 0, LongestBar);
        var done = (int)(length * _progress.Fraction);
        var (full, empty) = _console.Profile.Capabilities.Unicode ? ('━', '━') : ('#', '-');
        var bar = new Markup($"{left}[green]{new string(full, done)}[/][grey35]{new string(empty, length - done)}[/]{right}") { Overflow = Overflow.Crop };

        var parts = new List<string>();
        if (!double.IsNaN(_loss))
            parts.Add(Text($"loss [bold]{_loss:F4}[/]"));
        if (_last is not null && !double.IsNaN(Metric(_last, 0)))
            parts.Add(Text($"validation {Markup.Escape(_metrics[0])} [bold]{Metric(_last, 0):F4}[/]"));
        if (_progress.Step > 0)
            parts.Add(Text($"rate {_progress.LearningRate:G3}   {_speed:N0} images/s   {Duration(_progress.Elapsed)}"));
        Write([bar, new Markup(string.Join("   ", parts)) { Overflow = Overflow.Crop }], keep: 0);
    }

    private void Clear() => Write([], keep: 0);

    /// <summary>Replaces the frame. Its first lines stay when the next frame is drawn.</summary>
    private void Write(IReadOnlyList<IRenderable> lines, int keep)
    {
        if (!_isLive)
        {
            foreach (var line in lines)
            {
                _console.Write(line);
                _console.WriteLine();
            }

            return;
        }

        _console.Write(new Frame(lines, _frameLines));
        _frameLines = lines.Count - keep;
    }

    private double Metric(EpochRecord epoch, int index) =>
        index < _metrics.Length && epoch.Validation is { } validation ? validation[_metrics[index]] : double.NaN;

    private static int Width(string metric) => Math.Max(metric.Length, 8) + 2;

    private static string Count(int count, string what) => Text($"{count} {what}{(count == 1 ? "" : "s")}");

    private static string Duration(TimeSpan time)
    {
        if (time < TimeSpan.FromMinutes(1))
            return Text($"{time.TotalSeconds:F1} s");
        return time < TimeSpan.FromHours(1)
            ? Text($"{time.Minutes}:{time.Seconds:00} min")
            : Text($"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00} h");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static IAnsiConsole Create()
    {
        if (!Console.IsOutputRedirected)
            return AnsiConsole.Console;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false }, // Without this, build servers switch colours on.
        });
        console.Profile.Width = LongestLine; // No window: lines must not wrap.
        return console;
    }

    /// <summary>Draws lines over the previous ones in one write, so that nothing flickers.</summary>
    private sealed class Frame(IReadOnlyList<IRenderable> lines, int before) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => new(0, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
        {
            yield return Segment.Control(before > 0 ? $"\r\e[{before}A" : "\r");
            foreach (var line in lines)
            {
                foreach (var segment in Segment.SplitLines(line.Render(options, Math.Max(1, maxWidth - 1))).FirstOrDefault() ?? [])
                    yield return segment;
                yield return Segment.Control("\e[K");
                yield return Segment.LineBreak;
            }

            yield return Segment.Control("\e[J");
        }
    }
}
