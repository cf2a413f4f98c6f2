using System.Globalization;
using System.Net;

namespace Backprop.Simd.Bench;

/// <summary>Draws a report: for each area a panel whose top edge is the limit, with a column for each case and a mark for each side.</summary>
internal static class SvgPlot
{
    private const int ColumnWidth = 16, PlotHeight = 260, Left = 56, Top = 48, Right = 20;

    /// <summary>Of a letter of a label, on average.</summary>
    private const double LetterWidth = 6.4;

    /// <summary>Ours first, in the strongest colour; the others are told apart by people who see no red or green as well.</summary>
    private static readonly string[] _colours = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#999999", "#000000"];

    public static void Write(TextWriter output, Report report)
    {
        var panels = report.Rows
            .Where(r => report.LimitNs(r) > 0)
            .GroupBy(r => (r.Area, r.Type))
            .Select(g => (Title: $"{g.Key.Area}, {g.Key.Type}", Rows: g.ToArray()))
            .ToArray();
        string[] sides = [.. report.Peers.Select(p => p.Name).Where(name => panels.Any(p => p.Rows.Any(r => r.Sides.ContainsKey(name))))];
        var width = Left + Right + ColumnWidth * Math.Max(40, panels.Select(p => p.Rows.Length).DefaultIfEmpty(0).Max());
        var panelHeight = Top + PlotHeight + 24 + (int)(LetterWidth * panels.SelectMany(p => p.Rows).Select(r => r.Case.Length).DefaultIfEmpty(0).Max());
        var height = 30 + panels.Length * panelHeight;
        output.WriteLine($"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">""");
        output.WriteLine("""<rect width="100%" height="100%" fill="#ffffff"/>""");
        for (var i = 0; i < sides.Length; i++)
        {
            var x = Left + 115 * i;
            output.WriteLine($"""<rect x="{x}" y="10" width="12" height="12" fill="{Colour(i)}"/><text x="{x + 17}" y="20">{Text(sides[i])}</text>""");
        }

        for (var i = 0; i < panels.Length; i++)
            Panel(output, report, panels[i].Title, panels[i].Rows, sides, 30 + i * panelHeight);
        output.WriteLine("</svg>");
    }

    private static void Panel(TextWriter output, Report report, string title, Row[] rows, string[] sides, int y)
    {
        var bottom = y + Top + PlotHeight;
        var right = Left + ColumnWidth * rows.Length;
        var peak = rows[0].Type == "float" ? report.PeakGflops : report.PeakGflopsDouble;
        var limit = $"share of the limit (top edge; FMA peak {Number(peak)} GFLOP/s, or the same streams without arithmetic)";
        output.WriteLine($"""<text x="{Left}" y="{y + Top - 12}" font-size="14" font-weight="bold">{Text(title)}: {limit}</text>""");
        for (var percent = 0; percent <= 100; percent += 25)
        {
            var line = bottom - PlotHeight * percent / 100;
            output.WriteLine($"""<line x1="{Left}" y1="{line}" x2="{right}" y2="{line}" stroke="{(percent is 0 or 100 ? "#333333" : "#dddddd")}"/>""");
            output.WriteLine($"""<text x="{Left - 6}" y="{line + 4}" text-anchor="end">{percent} %</text>""");
        }

        for (var i = 0; i < rows.Length; i++)
        {
            var x = Left + ColumnWidth * i + ColumnWidth / 2;
            output.WriteLine($"""<text transform="translate({x + 4},{bottom + 8}) rotate(-90)" text-anchor="end">{Text(rows[i].Case)}</text>""");
        }

        // Ours last, on top.
        for (var side = sides.Length - 1; side >= 0; side--)
            Side(output, report, rows, sides[side], Colour(side), side == 0, bottom);
    }

    private static void Side(TextWriter output, Report report, Row[] rows, string side, string colour, bool ours, int bottom)
    {
        var points = new List<(double X, double Y, string Label)>();
        for (var i = 0; i < rows.Length; i++)
        {
            if (!rows[i].Sides.TryGetValue(side, out var timing) || timing.Count == 0)
                continue;
            var share = Math.Min(1, report.LimitNs(rows[i]) / timing.Median);
            points.Add((Left + ColumnWidth * (i + 0.5), bottom - PlotHeight * share,
                $"{rows[i].Case}: {side} {ConsoleTable.Time(timing.Median)}, {100 * share:F0} %"));
        }

        if (ours)
        {
            var line = string.Join(' ', points.Select(p => $"{Number(p.X)},{Number(p.Y)}"));
            output.WriteLine($"""<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{line}"/>""");
        }

        foreach (var (x, y, label) in points)
            output.WriteLine($"""<circle cx="{Number(x)}" cy="{Number(y)}" r="{(ours ? 4 : 3)}" fill="{colour}"><title>{Text(label)}</title></circle>""");
    }

    private static string Colour(int side) => _colours[side % _colours.Length];

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Number(double value) => value.ToString("F1", CultureInfo.InvariantCulture);
}
