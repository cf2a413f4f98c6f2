namespace Backprop.Simd.Datasets;

/// <summary>What becomes of a row of a text file whose target is missing or whose label cell is empty.</summary>
public enum CsvUnlabelled
{
    /// <summary>It is refused.</summary>
    Refuse,

    /// <summary>It is left out and counted in <see cref="CsvData.Dropped"/>; its other cells are not looked at.</summary>
    Drop,

    /// <summary>An empty label cell is a class, whose text is empty. A missing target is refused.</summary>
    EmptyClass,
}
