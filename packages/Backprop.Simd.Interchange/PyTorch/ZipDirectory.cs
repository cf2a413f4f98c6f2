using System.Buffers.Binary;
using System.Text;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>
/// Reads the directory of a zip archive, with 64-bit sizes. Everything in it is checked against the file before it is used: places, lengths,
/// and sizes that no compression reaches.
/// </summary>
/// <remarks>Format: PKWARE, "APPNOTE.TXT", sections 4.3 and 4.5.3.</remarks>
internal static class ZipDirectory
{
    private const int EndLength = 22, LocatorLength = 20, WideEndLength = 56, EntryLength = 46, LocalLength = 30;
    private const uint EndSign = 0x06054b50, LocatorSign = 0x07064b50, WideEndSign = 0x06064b50, EntrySign = 0x02014b50, LocalSign = 0x04034b50;
    private const int MostEntries = 1 << 18, LargestDirectory = 1 << 26;

    /// <summary>Deflate cannot expand a byte to more than this many.</summary>
    private const int MostExpansion = 1032;

    /// <summary>Reads all entries.</summary>
    /// <param name="stream">The file, from <paramref name="start"/> to its end.</param>
    /// <param name="start">Where the archive begins.</param>
    /// <param name="origin">How messages call the file.</param>
    /// <returns>The entries by name.</returns>
    /// <exception cref="ModelFileException">The archive is damaged, encrypted, or compressed in another way.</exception>
    public static Dictionary<string, ZipEntry> Read(Stream stream, long start, string origin)
    {
        var length = stream.Length - start;
        var tail = Bytes(stream, Math.Max(start, stream.Length - EndLength - ushort.MaxValue), Math.Min(length, EndLength + ushort.MaxValue), origin);
        var end = tail.Length - EndLength;
        while (end >= 0 && (U32(tail, end) != EndSign || end + EndLength + U16(tail, end + 20) != tail.Length))
            end--;
        if (end < 0)
            throw new ModelFileException($"{origin} is cut off: the directory of its zip archive is missing.");
        long count = U16(tail, end + 10), size = U32(tail, end + 12), offset = U32(tail, end + 16), behind = length - tail.Length + end;
        if (end >= LocatorLength && U32(tail, end - LocatorLength) == LocatorSign)
        {
            behind = I64(tail, end - LocatorLength + 8);
            Require(behind >= 0 && behind <= length - WideEndLength, origin, "its directory lies outside of the file");
            var wide = Bytes(stream, start + behind, WideEndLength, origin);
            Require(U32(wide, 0) == WideEndSign, origin, "the end of its directory has another signature");
            (count, size, offset) = (I64(wide, 32), I64(wide, 40), I64(wide, 48));
        }

        Require(count is >= 0 and <= MostEntries, origin, $"it announces {count} entries; at most {MostEntries} are read");
        Require(size >= 0 && size <= Math.Min(LargestDirectory, behind) && offset >= 0 && offset <= behind - size, origin,
            $"its directory of {size} bytes at {offset} does not fit the file");
        var directory = Bytes(stream, start + offset, size, origin);
        var entries = new Dictionary<string, ZipEntry>();
        var at = 0;
        for (var i = 0L; i < count; i++)
        {
            var entry = Entry(directory, ref at, origin);
            entry = entry with { Start = DataOf(stream, start, entry, offset, origin) };
            Require(entries.TryAdd(entry.Name, entry), origin, $"it has '{Texts.Shown(entry.Name)}' twice");
        }

        return entries;
    }

    private static ZipEntry Entry(byte[] directory, ref int at, string origin)
    {
        Require(at <= directory.Length - EntryLength && U32(directory, at) == EntrySign, origin, "an entry of its directory is damaged");
        int flags = U16(directory, at + 8), method = U16(directory, at + 10), nameLength = U16(directory, at + 28), extraLength = U16(directory, at + 30);
        long stored = U32(directory, at + 20), size = U32(directory, at + 24), local = U32(directory, at + 42);
        var checksum = U32(directory, at + 16);
        var next = at + EntryLength + nameLength + extraLength + U16(directory, at + 32);
        Require(next <= directory.Length, origin, "an entry of its directory is cut off");
        var name = Encoding.UTF8.GetString(directory, at + EntryLength, nameLength);
        Widen(directory.AsSpan(at + EntryLength + nameLength, extraLength), ref size, ref stored, ref local);
        Require((flags & 1) == 0, origin, $"'{Texts.Shown(name)}' is encrypted");
        Require(method is 0 or 8, origin, $"'{Texts.Shown(name)}' is compressed by method {method}; 0 (stored) and 8 (deflate) are read");
        Require(method == 8 ? size / MostExpansion <= stored : size == stored, origin, $"'{Texts.Shown(name)}' cannot have {size} bytes out of {stored}");
        at = next;
        return new(name, local, stored, size, method == 8, checksum);
    }

    /// <summary>Takes 64-bit numbers from an extra field, in their order: for those that do not fit 32 bits.</summary>
    private static void Widen(ReadOnlySpan<byte> extra, ref long size, ref long stored, ref long local)
    {
        while (extra.Length >= 4)
        {
            int id = BinaryPrimitives.ReadUInt16LittleEndian(extra), length = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]), extra.Length - 4);
            var field = extra.Slice(4, length);
            if (id == 1)
            {
                Take(ref field, ref size);
                Take(ref field, ref stored);
                Take(ref field, ref local);
            }

            extra = extra[(4 + length)..];
        }

        static void Take(ref ReadOnlySpan<byte> field, ref long number)
        {
            if (number != uint.MaxValue || field.Length < 8)
                return;
            number = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }

    /// <summary>Where the bytes of an entry begin: behind its own header.</summary>
    private static long DataOf(Stream stream, long start, ZipEntry entry, long directory, string origin)
    {
        Require(entry.Start >= 0 && entry.Size >= 0 && entry.Stored >= 0 && entry.Start <= directory - LocalLength, origin,
            $"'{Texts.Shown(entry.Name)}' lies outside of the file");
        var local = Bytes(stream, start + entry.Start, LocalLength, origin);
        Require(U32(local, 0) == LocalSign, origin, $"'{Texts.Shown(entry.Name)}' does not begin where the directory says");
        var data = entry.Start + LocalLength + U16(local, 26) + U16(local, 28);
        Require(entry.Stored <= directory - data, origin, $"'{Texts.Shown(entry.Name)}' of {entry.Stored} bytes reaches beyond the file");
        return start + data;
    }

    private static byte[] Bytes(Stream stream, long position, long length, string origin)
    {
        var bytes = new byte[length];
        stream.Position = position;
        Require(stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length, origin, "it has become shorter");
        return bytes;
    }

    private static void Require(bool isRight, string origin, string fault)
    {
        if (!isRight)
            throw new ModelFileException($"{origin} is no zip archive of PyTorch that can be read: {fault}.");
    }

    private static int U16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private static long I64(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
}
