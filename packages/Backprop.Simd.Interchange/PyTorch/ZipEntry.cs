namespace Backprop.Simd.Interchange;

/// <summary>An entry of a zip archive. Its place lies within the file; its size is what the archive says, and at most what its bytes can expand to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Start">Where its bytes begin in the file.</param>
/// <param name="Stored">How many bytes it has in the file.</param>
/// <param name="Size">How many bytes it has when it is expanded.</param>
/// <param name="IsDeflated">Whether it is compressed.</param>
/// <param name="Checksum">The CRC-32 of its bytes; 0 if the writer has computed none.</param>
internal sealed record ZipEntry(string Name, long Start, long Stored, long Size, bool IsDeflated, uint Checksum);
