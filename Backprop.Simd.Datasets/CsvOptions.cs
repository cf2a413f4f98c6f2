namespace Backprop.Simd.Datasets;

/// <summary>How a text file of separated values is read, and which of its columns are what.</summary>
public sealed record CsvOptions
{
    /// <summary>What separates cells; null to find it out from the first line (comma, semicolon, tab or bar). A comma by default.</summary>
    public char? Separator { get; init; } = ',';

    /// <summary>Whether the first line has the names of the columns. True by default.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>The columns of numbers to learn from, in this order; null for all that are neither label nor targets.</summary>
    public IReadOnlyList<CsvColumn>? Features { get; init; }

    /// <summary>The column with the class of each row, any text; null if there is none.</summary>
    public CsvColumn? Label { get; init; }

    /// <summary>The columns of numbers to predict.</summary>
    public IReadOnlyList<CsvColumn> Targets { get; init; } = [];

    /// <summary>The texts of the classes by index, of the training file for example, another being refused; null to collect them
    /// from this file.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Whether classes are counted in the order of their texts (ordinal), not in that of their first appearance.</summary>
    public bool SortClasses { get; init; }

    /// <summary>What stands for a missing number; null to refuse it.</summary>
    public double? MissingValue { get; init; }

    /// <summary>The texts that say that a number is missing, in any case: the empty cell, <c>NA</c>, <c>N/A</c>, <c>NaN</c>,
    /// <c>null</c> and <c>?</c> by default.</summary>
    public IReadOnlyList<string> MissingTexts { get; init; } = ["", "NA", "N/A", "NaN", "null", "?"];
}
