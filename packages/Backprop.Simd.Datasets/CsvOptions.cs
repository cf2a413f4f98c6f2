using System.Text;

namespace Backprop.Simd.Datasets;

/// <summary>How a text file of separated values is read, and what its columns mean.</summary>
public sealed record CsvOptions
{
    /// <summary>The encoding of a file or stream that does not begin with a byte order mark; null (the default) for UTF-8. Bytes that
    /// are not text in it are refused. Text that is decoded already ignores it.</summary>
    public Encoding? Encoding { get; init; }

    /// <summary>What separates cells. Null takes the one of comma, semicolon, tab and bar that the first line with text has
    /// most often. A comma by default.</summary>
    public char? Separator { get; init; } = ',';

    /// <summary>Whether the first line names the columns. True by default.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>The columns of numbers to learn from, in this order; null for all columns but label and targets.</summary>
    public IReadOnlyList<CsvColumn>? Features { get; init; }

    /// <summary>The column with the class of each row, any text; null if there is none. See <see cref="Unlabelled"/> for empty cells.</summary>
    public CsvColumn? Label { get; init; }

    /// <summary>The columns of numbers to predict. See <see cref="Unlabelled"/> for missing numbers.</summary>
    public IReadOnlyList<CsvColumn> Targets { get; init; } = [];

    /// <summary>The texts of the classes by index, from the training file for example; any other text is refused. Null collects them
    /// from this file.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Whether classes are numbered in the ordinal order of their texts rather than in order of first appearance.</summary>
    public bool SortClasses { get; init; }

    /// <summary>What happens to a row whose target is missing, or whose label cell is empty while <see cref="Classes"/> has no empty text. It
    /// is refused by default.</summary>
    public CsvUnlabelled Unlabelled { get; init; }

    /// <summary>The number that replaces a missing feature, never a missing target; null to refuse it.</summary>
    public double? MissingValue { get; init; }

    /// <summary>The texts that mark a missing number, in upper or lower case: the empty cell, <c>NA</c>, <c>N/A</c>, <c>NaN</c>,
    /// <c>null</c> and <c>?</c> by default.</summary>
    public IReadOnlyList<string> MissingTexts { get; init; } = ["", "NA", "N/A", "NaN", "null", "?"];
}
