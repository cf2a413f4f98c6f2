using System.Text;

namespace Backprop.Simd.Datasets;

/// <summary>How a text file of separated values is read, and which of its columns are what.</summary>
public sealed record CsvOptions
{
    /// <summary>The encoding of a file or stream that does not begin with a byte order mark; null (the default) for UTF-8. Bytes that
    /// are no text in it are refused. A text that comes decoded does not ask.</summary>
    public Encoding? Encoding { get; init; }

    /// <summary>What separates cells; null to take, of comma, semicolon, tab and bar, that which the first line with text has
    /// most of. A comma by default.</summary>
    public char? Separator { get; init; } = ',';

    /// <summary>Whether the first line has the names of the columns. True by default.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>The columns of numbers to learn from, in this order; null for all that are neither label nor targets.</summary>
    public IReadOnlyList<CsvColumn>? Features { get; init; }

    /// <summary>The column with the class of each row, any text; null if there is none. See <see cref="Unlabelled"/> for empty cells.</summary>
    public CsvColumn? Label { get; init; }

    /// <summary>The columns of numbers to predict. See <see cref="Unlabelled"/> for missing numbers.</summary>
    public IReadOnlyList<CsvColumn> Targets { get; init; } = [];

    /// <summary>The texts of the classes by index, of the training file for example, another being refused; null to collect them
    /// from this file.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Whether classes are counted in the order of their texts (ordinal), not in that of their first appearance.</summary>
    public bool SortClasses { get; init; }

    /// <summary>What becomes of a row whose target is missing, or whose label cell is empty and no text of <see cref="Classes"/>; it is
    /// refused by default.</summary>
    public CsvUnlabelled Unlabelled { get; init; }

    /// <summary>What stands for a missing number of a feature, never of a target; null to refuse it.</summary>
    public double? MissingValue { get; init; }

    /// <summary>The texts that say that a number is missing, in any case: the empty cell, <c>NA</c>, <c>N/A</c>, <c>NaN</c>,
    /// <c>null</c> and <c>?</c> by default.</summary>
    public IReadOnlyList<string> MissingTexts { get; init; } = ["", "NA", "N/A", "NaN", "null", "?"];
}
