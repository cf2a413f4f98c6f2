using System.IO.Compression;
using System.Numerics.Tensors;

namespace Backprop.Simd.Serialization;

/// <summary>Takes the arrays of a file that <see cref="Npz"/> writes; of use until the call that handed it out returns.</summary>
public sealed class NpzWriter
{
    // Earlier times a zip file does not have. One time for all files: the same arrays give the same bytes.
    private static readonly DateTimeOffset _time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly HashSet<string> _names = [];
    private readonly bool _compress;
    private ZipArchive? _zip;

    internal NpzWriter(ZipArchive zip, bool compress) => (_zip, _compress) = (zip, compress);

    /// <summary>Writes an array: <c>file.Add("x", values, 100, 10)</c>.</summary>
    /// <typeparam name="T">bool, Half, float, double, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="name">Its name, unique in the file: no absolute path, at most 1000 characters.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">The sizes, each 0 or more, at most 64, which must have as many elements; none for a single number.</param>
    /// <exception cref="ArgumentException">The name is taken or not allowed, or the shape does not have as many elements as there are values.</exception>
    /// <exception cref="NotSupportedException">There are no arrays of <typeparamref name="T"/>.</exception>
    /// <exception cref="InvalidOperationException">The file is complete.</exception>
    public void Add<T>(string name, ReadOnlySpan<T> values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        Add(name, new NpyBlock<T>(values, shape));

    /// <summary>Writes a tensor. A tensor with gaps or another order is copied first, a dense one is not.</summary>
    /// <typeparam name="T">bool, Half, float, double, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="name">Its name, unique in the file: no absolute path, at most 1000 characters.</param>
    /// <param name="tensor">The tensor; not the default value, which has no sizes.</param>
    /// <exception cref="ArgumentException">The name is taken or not allowed, the tensor is the default value, or has more than 64 sizes.</exception>
    /// <exception cref="NotSupportedException">There are no arrays of <typeparamref name="T"/>.</exception>
    /// <exception cref="InvalidOperationException">The file is complete.</exception>
    public void AddTensor<T>(string name, in ReadOnlyTensorSpan<T> tensor) where T : unmanaged => Add(name, new NpyBlock<T>(tensor));

    internal void Close() => _zip = null;

    private void Add<T>(string name, NpyBlock<T> block) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(name);
        if (_zip is not { } zip)
            throw new InvalidOperationException("The file is complete: add arrays in the call that writes it.");
        if (Npz.Problem(name) is { } problem)
            throw new ArgumentException($"The name of an array {problem}: '{name}'.", nameof(name));
        if (!IsText(name))
            throw new ArgumentException("The name has half of a surrogate pair and cannot be written as UTF-8.", nameof(name));
        if (!_names.Add(name))
            throw new ArgumentException($"The file already has an array named '{name}'.", nameof(name));
        var entry = zip.CreateEntry(name + Npz.Extension, _compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
        entry.LastWriteTime = _time;
        using var stream = entry.Open();
        block.Write(stream);
    }

    private static bool IsText(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsSurrogate(name[i]))
                continue;
            if (!char.IsHighSurrogate(name[i]) || i + 1 == name.Length || !char.IsLowSurrogate(name[i + 1]))
                return false;
            i++;
        }

        return true;
    }
}
