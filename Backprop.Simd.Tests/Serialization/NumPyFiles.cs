using System.Globalization;
using Backprop.Simd.Data;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>A file that NumPy wrote, and what it holds: NumPy/arrays.py made them.</summary>
internal sealed record NumPyFile(string Kind, string Name, string Type, long[] Sizes, double[] Values, byte[] Content);

internal static class NumPyFiles
{
    public static IReadOnlyList<NumPyFile> All { get; } = Read();

    /// <summary>The elements as numbers, read as the type that they have.</summary>
    public static double[] Own(NpyArray array) => array.Element switch
    {
        ArrayElement.F4 => [.. array.Values<float>().ToArray().Select(v => (double)v)],
        ArrayElement.F8 => array.Values<double>().ToArray(),
        ArrayElement.F2 => [.. array.Values<Half>().ToArray().Select(v => (double)v)],
        ArrayElement.B1 => [.. array.Values<bool>().ToArray().Select(v => v ? 1.0 : 0)],
        ArrayElement.U1 => [.. array.Values<byte>().ToArray().Select(v => (double)v)],
        ArrayElement.I1 => [.. array.Values<sbyte>().ToArray().Select(v => (double)v)],
        ArrayElement.I2 => [.. array.Values<short>().ToArray().Select(v => (double)v)],
        ArrayElement.U2 => [.. array.Values<ushort>().ToArray().Select(v => (double)v)],
        ArrayElement.I4 => [.. array.Values<int>().ToArray().Select(v => (double)v)],
        ArrayElement.U4 => [.. array.Values<uint>().ToArray().Select(v => (double)v)],
        ArrayElement.I8 => [.. array.Values<long>().ToArray().Select(v => (double)v)],
        _ => [.. array.Values<ulong>().ToArray().Select(v => (double)v)],
    };

    private static NumPyFile[] Read()
    {
        using var reader = new StreamReader(typeof(NumPyFiles).Assembly.GetManifestResourceStream("NumPy.arrays.txt")!);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Select(cells => new NumPyFile(
            cells[0], cells[1], cells[2], Numbers(cells[3], s => long.Parse(s, CultureInfo.InvariantCulture)),
            Numbers(cells[4], s => double.Parse(s, CultureInfo.InvariantCulture)), Convert.FromBase64String(cells[5])))];
    }

    private static T[] Numbers<T>(string cell, Func<string, T> parse) => [.. cell.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(parse)];
}

/// <summary>A stream that can only be read on: it has no length and no position. It gives a few bytes at a time.</summary>
internal sealed class ForwardStream(byte[] content) : Stream
{
    private int _at;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = Math.Min(Math.Min(count, 1000), content.Length - _at);
        content.AsSpan(_at, read).CopyTo(buffer.AsSpan(offset));
        _at += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
