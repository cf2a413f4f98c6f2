using System.Globalization;
using Backprop.Simd.Training;
using ScottPlot;
using ScottPlot.TickGenerators;
using SkiaSharp;

namespace Backprop.Simd.Samples;

/// <summary>The results of a training as PNG files. They are written aside and renamed. On a machine without fonts they have no text.</summary>
internal static partial class Pictures
{
    /// <summary>With more classes than the first, cells have no numbers; with more than the second, rows have no shares either.</summary>
    private const int MostNumbers = 24, MostShares = 12;

    /// <summary>Losses that differ by this factor get a logarithmic axis.</summary>
    private const double Logarithmic = 20;

    private const float LabelSize = 18, TickSize = 15;

    private static readonly Color Blue = Color.FromHex("#1F6FB4"), Orange = Color.FromHex("#E8702A"), Green = Color.FromHex("#2A8C4A");

    /// <summary>The share of a row that gets the palest blue; below it a cell is white.</summary>
    private const double SmallestShare = 1e-4;

    /// <summary>Whether the machine has a font, so that pictures have text.</summary>
    public static bool HaveText => SKFontManager.Default.FontFamilyCount > 0;

    /// <summary>Loss and metric by epoch.</summary>
    /// <param name="history">The epochs, at least one.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException">There is no epoch.</exception>
    public static void Curves(IReadOnlyList<EpochRecord> history, string path)
    {
        if (history.Count == 0)
            throw new ArgumentException("There is no epoch to draw.", nameof(history));
        var validations = history.Where(e => e.Validation is not null).ToArray();
        var metric = validations.Length > 0 && validations[0].Validation!.Metrics.Count > 0 ? validations[0].Validation!.Metrics[0].Name : null;
        var last = history[^1];
        using var sheet = new PictureSheet("Training", Text(
            $"{history.Count} epoch{(history.Count == 1 ? "" : "s")} of {last.Rows:N0} images, {last.Steps:N0} steps, {last.Elapsed.TotalSeconds:N0} s"));

        var body = PictureSheet.Body;
        var middle = metric is null ? body.Right : body.MidX;
        using var loss = LossPlot(history, validations);
        sheet.Plot(loss, new SKRect(body.Left, body.Top, middle, body.Bottom));
        if (metric is not null)
        {
            using var plot = MetricPlot(validations, metric, history.Count);
            sheet.Plot(plot, new SKRect(middle, body.Top, body.Right, body.Bottom));
        }

        sheet.Save(path);
    }

    /// <summary>The confusion matrix: how often each class is predicted for each.</summary>
    /// <param name="matrix">The counts.</param>
    /// <param name="classes">The names of the classes.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException">The numbers of names and classes differ.</exception>
    public static void Confusion(ConfusionMatrix<float> matrix, IReadOnlyList<string> classes, string path)
    {
        CheckNames(classes, matrix.Classes);
        var n = matrix.Classes;
        var right = Enumerable.Range(0, n).Sum(i => matrix[i, i]);
        using var sheet = new PictureSheet("Confusion matrix", Text(
            $"{Percent(matrix.Value, 2)} of {matrix.Count:N0} images are right, {matrix.Count - right:N0} are wrong"));

        using var plot = NewPlot("predicted class", "true class");
        var shades = new double[n, n];
        for (var a = 0; a < n; a++)
        {
            for (var p = 0; p < n; p++)
                shades[a, p] = Shade(matrix[a, p], matrix.Support(a));
        }

        var map = plot.Add.Heatmap(shades);
        map.Colormap = new ScottPlot.Colormaps.CustomInterpolated(
            [Colors.White, Color.FromHex("#D6E6F4"), Color.FromHex("#9AC5E5"), Color.FromHex("#4A90C6"), Color.FromHex("#0B3C74")]);
        map.ManualRange = new ScottPlot.Range(0, 1);
        for (var a = 0; a < n && n <= MostNumbers; a++)
        {
            for (var p = 0; p < n; p++)
            {
                if (matrix[a, p] == 0)
                    continue;
                var text = plot.Add.Text(Text($"{matrix[a, p]}"), p, n - 1 - a);
                text.Alignment = Alignment.MiddleCenter;
                text.LabelFontSize = n <= MostShares ? 17 : 11;
                text.LabelBold = a == p;
                text.LabelFontColor = shades[a, p] > 0.7 ? Colors.White : Color.FromHex("#22262B");
            }
        }

        // The first class is at the top.
        Ticks(plot.Axes.Bottom, n, i => classes[i]);
        Ticks(plot.Axes.Left, n, i => classes[n - 1 - i]);
        if (n <= MostShares)
        {
            Ticks(plot.Axes.Top, n, i => Percent(matrix.Precision(i)));
            Ticks(plot.Axes.Right, n, i => Percent(matrix.Recall(n - 1 - i)));
            plot.Title("precision", LabelSize);
            plot.Axes.Title.Label.Bold = false;
            plot.Axes.Right.Label.Text = "recall";
            plot.Axes.Right.MinimumSize = 104;
        }
        else
        {
            plot.Axes.Bottom.MinimumSize = 50 + classes.Max(c => PictureSheet.TextWidth(c, TickSize, bold: false));
            plot.Axes.Bottom.TickLabelStyle.Rotation = -90;
            plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleRight;
        }

        plot.HideGrid();
        for (var i = 1; i < n && n <= MostNumbers; i++)
        {
            plot.Add.VerticalLine(i - 0.5, 1, Colors.White);
            plot.Add.HorizontalLine(i - 0.5, 1, Colors.White);
        }

        var bar = plot.Add.ColorBar(map);
        bar.Label = "share of the true class (logarithmic)";
        bar.LabelStyle.FontSize = LabelSize;
        bar.LabelStyle.Bold = false;
        bar.Axis.TickLabelStyle.FontSize = TickSize;
        bar.Axis.TickGenerator = new NumericManual(
            [.. new[] { 1e-4, 1e-3, 1e-2, 1e-1, 1 }.Select(s => Math.Log10(s / SmallestShare) / -Math.Log10(SmallestShare))],
            ["0.01 %", "0.1 %", "1 %", "10 %", "100 %"]);
        sheet.Plot(plot, PictureSheet.Body);
        sheet.Save(path);
    }

    /// <summary>0 for nothing, 1 for all, logarithmic between, so that a few mistakes show beside thousands of right answers.</summary>
    private static double Shade(long count, long support) =>
        count == 0 ? 0 : Math.Clamp(1 - Math.Log10((double)count / support) / Math.Log10(SmallestShare), 0, 1);

    private static Plot LossPlot(IReadOnlyList<EpochRecord> history, EpochRecord[] validations)
    {
        var (training, validation) = (Points(history, e => e.Loss), Points(validations, e => e.Validation!.Loss));
        double[] losses = [.. training.Concat(validation).Select(p => p.Y)];
        var isLogarithmic = losses.Length > 0 && losses.Min() > 0 && losses.Max() > Logarithmic * losses.Min();
        var plot = NewPlot("epoch", isLogarithmic ? "loss (logarithmic)" : "loss");
        plot.Title("Loss", 20);
        if (isLogarithmic)
        {
            static Coordinates Log(Coordinates p) => new(p.X, Math.Log10(p.Y));
            (training, validation) = ([.. training.Select(Log)], [.. validation.Select(Log)]);
            plot.Axes.Left.TickGenerator = new NumericAutomatic
            {
                MinorTickGenerator = new LogMinorTickGenerator(),
                IntegerTicksOnly = true,
                LabelFormatter = y => Text($"{Math.Pow(10, y):G4}"),
            };
        }

        Line(plot, training, "training", Blue);
        Line(plot, validation, "validation", Orange);
        plot.ShowLegend(Alignment.UpperRight).FontSize = 17;
        Epochs(plot, history.Count);
        return plot;
    }

    private static Plot MetricPlot(EpochRecord[] validations, string metric, int epochs)
    {
        var points = Points(validations, e => e.Validation![metric]);
        var isShare = points.All(p => p.Y is >= 0 and <= 1);
        if (isShare)
            points = [.. points.Select(p => new Coordinates(p.X, 100 * p.Y))];
        var plot = NewPlot("epoch", isShare ? $"{metric} (%)" : metric);
        plot.Title($"{char.ToUpperInvariant(metric[0])}{metric[1..]}", 20);
        Line(plot, points, "validation", Orange);
        if (isShare && points.Length > 0)
        {
            var best = points.MaxBy(p => p.Y);
            var marker = plot.Add.Scatter(best, Green);
            marker.MarkerSize = 14;
            marker.LineWidth = 0;
            marker.LegendText = Text($"best: {best.Y:F2} % in epoch {best.X:F0}");
        }

        plot.ShowLegend(Alignment.LowerRight).FontSize = 17;
        Epochs(plot, epochs);
        return plot;
    }

    private static Coordinates[] Points(IReadOnlyList<EpochRecord> epochs, Func<EpochRecord, double> value) =>
        [.. epochs.Select(e => new Coordinates(e.Epoch + 1, value(e))).Where(p => double.IsFinite(p.Y))];

    private static void Line(Plot plot, Coordinates[] points, string name, Color colour)
    {
        if (points.Length == 0)
            return;
        var line = plot.Add.Scatter(points, colour);
        line.LineWidth = 2.5f;
        line.MarkerSize = points.Length <= 40 ? 7 : 0;
        line.LegendText = name;
    }

    private static void Epochs(Plot plot, int epochs)
    {
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true, MinorTickGenerator = new EvenlySpacedMinorTickGenerator(1) };
        plot.Axes.AutoScale();
        plot.Axes.SetLimitsX(0.5, epochs + 0.5);
    }

    private static Plot NewPlot(string x, string y)
    {
        var plot = new Plot();
        plot.XLabel(x, LabelSize);
        plot.YLabel(y, LabelSize);
        foreach (var axis in (IAxis[])[plot.Axes.Bottom, plot.Axes.Left, plot.Axes.Right, plot.Axes.Top])
        {
            axis.Label.Bold = false;
            axis.Label.FontSize = LabelSize;
            axis.TickLabelStyle.FontSize = TickSize;
        }

        return plot;
    }

    /// <summary>A text in the middle of each cell, or of some cells if there are many.</summary>
    private static void Ticks(IAxis axis, int count, Func<int, string> text)
    {
        var ticks = new NumericManual();
        var every = (count + MostNumbers - 1) / MostNumbers;
        for (var i = 0; i < count; i += every)
            ticks.AddMajor(i, text(i));
        axis.TickGenerator = ticks;
        axis.MajorTickStyle.Color = Colors.Transparent;
        axis.Range.Set(-0.5, count - 0.5);
    }

    private static string Percent(double share, int digits = 1) =>
        double.IsNaN(share) ? "-" : (100 * share).ToString($"F{digits}", CultureInfo.InvariantCulture) + " %";

    private static void CheckNames(IReadOnlyList<string> classes, int count)
    {
        if (classes.Count != count)
            throw new ArgumentException($"Expected the names of {count} classes; got {classes.Count}.", nameof(classes));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
