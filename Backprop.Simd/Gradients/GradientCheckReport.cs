using System.Globalization;
using System.Text;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Gradients;

/// <summary>What a gradient is taken with respect to.</summary>
public enum GradientOf
{
    /// <summary>A parameter.</summary>
    Parameter,

    /// <summary>An input.</summary>
    Input,
}

/// <summary>The comparison of the analytic and the numerical gradient of one tensor.</summary>
/// <param name="Name">The parameter or input.</param>
/// <param name="Of">Which of the two it is.</param>
/// <param name="Shape">Its shape; of an input the shape per row.</param>
/// <param name="Compared">The numbers compared: elements, or random directions.</param>
/// <param name="WorstIndex">Where the two differ most: the element, or the direction.</param>
/// <param name="WorstAnalytic">The analytic gradient there.</param>
/// <param name="WorstNumerical">The numerical gradient there.</param>
/// <param name="MeanAbsoluteDifference">The mean of |analytic - numerical|: the notebook's measure.</param>
/// <param name="RelativeError">||analytic - numerical|| / (||analytic|| + ||numerical||); 0 if both are zero.</param>
// More than eight parameters: the fields of one line of the report.
public sealed record GradientCheckEntry(
    string Name,
    GradientOf Of,
    Shape Shape,
    int Compared,
    int WorstIndex,
    double WorstAnalytic,
    double WorstNumerical,
    double MeanAbsoluteDifference,
    double RelativeError)
{
    /// <summary>The relative error; infinite if it is NaN.</summary>
    internal double Badness => double.IsNaN(RelativeError) ? double.PositiveInfinity : RelativeError;

    /// <summary>The largest |analytic - numerical|.</summary>
    public double MaxAbsoluteDifference => Math.Abs(WorstAnalytic - WorstNumerical);

    /// <summary>Whether the two agree.</summary>
    /// <param name="relativeError">The largest relative error to accept.</param>
    /// <param name="absoluteDifference">Differences up to this are accepted whatever the relative error: for gradients that are
    /// zero except for rounding.</param>
    /// <returns>False also if either gradient holds a NaN.</returns>
    public bool Passes(double relativeError, double absoluteDifference = 0) =>
        RelativeError <= relativeError || MaxAbsoluteDifference <= absoluteDifference;

    /// <summary>The entry on one line.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name} {Shape}: mean |difference| {MeanAbsoluteDifference:E2}, relative {RelativeError:E2}, "
        + $"worst at {WorstIndex}: {WorstAnalytic:G9} against {WorstNumerical:G9}");
}

/// <summary>The result of a gradient check: one entry per parameter and input.</summary>
/// <param name="Entries">The entries: parameters in layout order, then inputs.</param>
public sealed record GradientCheckReport(IReadOnlyList<GradientCheckEntry> Entries)
{
    /// <summary>The entries: parameters in layout order, then inputs.</summary>
    /// <exception cref="ArgumentException">The value or one of the entries is null.</exception>
    public IReadOnlyList<GradientCheckEntry> Entries { get; init => field = NullGuard.Filled(value); } = NullGuard.Filled(Entries);

    /// <summary>The entry with the largest relative error; NaN counts as the largest. Null if nothing was compared.</summary>
    public GradientCheckEntry? Worst => Entries.MaxBy(e => e.Badness);

    /// <summary>The entry of a parameter or input.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public GradientCheckEntry this[string name] => Entries.FirstOrDefault(e => e.Name == name)
        ?? throw new ArgumentException($"The check has no '{name}'; it has: {string.Join(", ", Entries.Select(e => e.Name))}.", nameof(name));

    /// <summary>Whether there are entries and every one passes.</summary>
    /// <param name="relativeError">The largest relative error to accept.</param>
    /// <param name="absoluteDifference">Differences up to this are accepted whatever the relative error.</param>
    /// <returns>True if all gradients agree.</returns>
    public bool Passes(double relativeError = 1e-6, double absoluteDifference = 0) =>
        Entries.Count > 0 && Entries.All(e => e.Passes(relativeError, absoluteDifference));

    /// <summary>One line per entry.</summary>
    /// <returns>The text.</returns>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var entry in Entries)
            text.AppendLine(entry.ToString());
        return text.ToString();
    }
}
