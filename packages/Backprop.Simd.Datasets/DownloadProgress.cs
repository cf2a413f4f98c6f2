namespace Backprop.Simd.Datasets;

/// <summary>The progress of a download.</summary>
/// <param name="File">The file, as its mirror calls it.</param>
/// <param name="Bytes">The bytes so far, with those of earlier attempts.</param>
/// <param name="Total">The bytes of the whole file; null if the mirror does not say.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long? Total);
