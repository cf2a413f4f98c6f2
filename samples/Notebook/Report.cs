using System.Globalization;
using System.Text;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Samples;

/// <summary>Prints the notebook's numbers beside the library's, and counts the differences.</summary>
internal sealed class Report(TextWriter output, string? pictures)
{
    /// <summary>Sums are rounded in different orders: only the last digit of a double may differ.</summary>
    private const double LastDigit = 1e-15;

    private const int NameWidth = 24;
    private const int NumberWidth = 25;
    private int _off;
    private int _compared;

    public void Title(string text)
    {
        output.WriteLine();
        output.WriteLine(text);
        output.WriteLine(new string('-', text.Length));
    }

    public void Line(string text) => output.WriteLine(text);

    public void Header(string name, string notebook = "notebook", string here = "here") =>
        output.WriteLine($"  {name,-NameWidth}{notebook,NumberWidth}{here,NumberWidth}");

    /// <summary>A number that must equal the notebook's to the last digit.</summary>
    public void Equal(string name, double notebook, double here) =>
        Row(name, Text(notebook), Text(here), Math.Abs(here - notebook) <= LastDigit * Math.Abs(notebook), "");

    /// <summary>A number that must stay below a bound, as the notebook's does.</summary>
    public void Below(string name, string notebook, double here, double bound) =>
        Row(name, notebook, here.ToString(here == 0 ? "0" : "0.0E-00", CultureInfo.InvariantCulture), Math.Abs(here) < bound,
            $"below {bound.ToString("0E-0", CultureInfo.InvariantCulture)}");

    /// <summary>Anything else that can be compared.</summary>
    public void Same(string name, string notebook, string here) => Row(name, notebook, here, notebook == here, "");

    /// <summary>Writes the picture of a graph with its values and gradients, if pictures are asked for.</summary>
    public void Picture(string name, Workspace<double> workspace)
    {
        if (pictures is null)
            return;
        foreach (var (ending, text) in ((string, string)[])[(".dot", GraphPicture.Dot(workspace)), (".mmd", GraphPicture.Mermaid(workspace))])
            AtomicFile.Write(Path.Combine(pictures, name + ending), file => file.Write(Encoding.UTF8.GetBytes(text)));
        output.WriteLine($"  (picture: {name}.dot, {name}.mmd)");
    }

    /// <summary>Prints the summary.</summary>
    /// <returns>True if nothing is off.</returns>
    public bool End()
    {
        output.WriteLine();
        output.WriteLine(_off == 0
            ? $"All {_compared} numbers are the notebook's."
            : $"{_off} of {_compared} numbers are off the notebook's: see the lines marked OFF.");
        return _off == 0;
    }

    /// <summary>All digits, as the notebook prints them.</summary>
    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private void Row(string name, string notebook, string here, bool agrees, string bound)
    {
        _compared++;
        if (!agrees)
            _off++;
        output.WriteLine($"  {name,-NameWidth}{notebook,NumberWidth}{here,NumberWidth}  {(agrees ? "ok" : "OFF")} {bound}".TrimEnd());
    }
}
