namespace Backprop.Simd.Datasets;

/// <summary>What happens to a row whose target is missing or whose label cell is empty.</summary>
public enum CsvUnlabelled
{
    /// <summary>It is refused.</summary>
    Refuse,

    /// <summary>It is dropped and counted in <see cref="CsvData.Dropped"/>. Its other cells are not read.</summary>
    Drop,

    /// <summary>An empty label cell is a class, whose text is empty. A missing target is refused.</summary>
    EmptyClass,
}
