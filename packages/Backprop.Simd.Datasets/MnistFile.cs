namespace Backprop.Simd.Datasets;

/// <summary>One file of a published set: what it is called and what it holds.</summary>
/// <param name="Name">The name, without an ending of compression: <c>train-images-idx3-ubyte</c>.</param>
/// <param name="Length">The bytes of the plain file.</param>
/// <param name="Sha256">The SHA-256 of the plain file, 64 hexadecimal digits: it holds however a mirror compresses the file.</param>
public sealed record MnistFile(string Name, long Length, string Sha256);
