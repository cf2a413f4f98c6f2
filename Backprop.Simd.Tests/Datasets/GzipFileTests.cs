using System.IO.Compression;
using System.Text;
using Backprop.Simd.Datasets;
using CsCheck;

namespace Backprop.Simd.Tests.Datasets;

/// <summary>What is refused, and what is not, of IDX files in gzip.</summary>
public sealed class GzipFileTests
{
    private static readonly byte[] Plain = IdxFileTests.Encode([2, 3, 4], IdxFileTests.Bytes(24));
    private static readonly byte[] Compressed = IdxFileTests.Compress(Plain);

    // What bgzip ends its files with: a member without content.
    private static readonly byte[] Marker = Convert.FromHexString("1F8B08040000000000FF0600424302001B0003000000000000000000");

    private static IdxFile Images(byte[] file, long maximum = IdxFile.DefaultMaximumDecompressedBytes) =>
        IdxFile.ReadImages(new MemoryStream(file), maximum);

    private static byte[] Member(ReadOnlySpan<byte> content, CompressionLevel level)
    {
        using var file = new MemoryStream();
        using (var gzip = new GZipStream(file, level, leaveOpen: true))
        {
            gzip.Write(content);
        }

        // Of nothing GZipStream writes nothing.
        return content.IsEmpty ? Marker : file.ToArray();
    }

    // RFC 1952, section 8, bit by bit.
    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }

    private static void Refused(byte[] file, string reason)
    {
        var error = Assert.Throws<DatasetFormatException>(() => Images(file));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_checksum_or_length_is_refused()
    {
        for (int i = 1; i <= 8; i++)
        {
            byte[] file = [.. Compressed];
            file[^i] ^= 1;
            Refused(file, "gzip");
        }

        Refused([0x1F, 0x8B, 1, 2, 3, 4], "gzip");
        Refused([0x1F, 0x8B, 9, .. Compressed[3..]], "header");
        Refused([0x1F, 0x8B, 8, 0x20, .. Compressed[4..]], "header");
        Refused([.. Compressed[..10], 0xFF, .. Compressed[11..]], "corrupt");
    }

    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 0x1F })]
    [InlineData(new byte[] { 0x1F, 0x8B })]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0, 3 })]
    public void What_comes_after_the_last_member_is_refused(byte[] garbage)
    {
        Refused([.. Compressed, .. garbage], "gzip");
        Refused([.. Compressed, .. new byte[20000]], "behind");
    }

    [Fact]
    public void Members_behind_each_other_are_one_file() =>
        Gen.Select(Gen.Int[0, 20000].Array[0, 6], Gen.Int, Gen.Bool).Sample((ends, seed, stored) =>
        {
            // Where nothing is compressed, what the data hold of magic numbers stands in the file.
            byte[] data = IdxFileTests.Bytes(20000);
            for (int i = 0; stored && i < data.Length; i += 7)
            {
                new byte[] { 0x1F, 0x8B, 8, 0 }.CopyTo(data, Math.Min(i, data.Length - 4));
            }

            byte[] file = IdxFileTests.Encode([10, 40, 50], data);
            var random = new Random(seed);
            var members = new List<byte>();
            int start = 0;
            foreach (int end in (int[])[.. ends.Order(), file.Length])
            {
                members.AddRange(random.Next(2) == 0 ? Marker : []);
                members.AddRange(Member(file.AsSpan(start..end), stored ? CompressionLevel.NoCompression : CompressionLevel.Fastest));
                start = end;
            }

            members.AddRange(random.Next(2) == 0 ? Marker : []);
            byte[] whole = [.. members];
            Assert.Equal(data, Images(whole).Data.ToArray());
            Assert.Throws<DatasetFormatException>(() => Images(whole[..^1]));
            whole[^6] ^= 1;
            Assert.Throws<DatasetFormatException>(() => Images(whole));
        }, iter: 300);

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(4000)]
    [InlineData(100_000)]
    public void Anything_between_data_and_checksum_is_refused(int length)
    {
        byte[] junk = new byte[length];
        new Random(1).NextBytes(junk);
        byte[][] members = [Marker, Member(Plain.AsSpan(..20), CompressionLevel.Fastest), Marker, Member(Plain.AsSpan(20..), CompressionLevel.Fastest), Marker];
        Assert.Equal(IdxFileTests.Bytes(24), Images([.. members.SelectMany(m => m)]).Data.ToArray());
        for (int broken = 0; broken < members.Length; broken++)
        {
            Refused([.. members.SelectMany((m, i) => i == broken ? [.. m[..^8], .. junk, .. m[^8..]] : m)], "gzip");
        }
    }

    // Of a small file every cut, every byte more and every other bit: refused, or one that says nothing of the content.
    [Fact]
    public void A_file_that_differs_anywhere_is_refused_or_has_the_same_content()
    {
        byte[][] members = [Marker, Member(Plain.AsSpan(..20), CompressionLevel.SmallestSize), Marker,
            Member(Plain.AsSpan(20..), CompressionLevel.NoCompression), Marker];
        byte[] whole = [.. members.SelectMany(m => m)];
        int[] starts = [.. members.Select((_, i) => members.Take(i).Sum(m => m.Length))];
        byte[] content = Images(whole).Data.ToArray();
        bool IsRead(byte[] file)
        {
            try
            {
                Assert.Equal(content, Images(file).Data.ToArray());
                return true;
            }
            catch (DatasetFormatException)
            {
                return false;
            }
        }

        // The last marker may be missing.
        Assert.All(Enumerable.Range(0, whole.Length), length => Assert.Equal(length == starts[^1], IsRead(whole[..length])));
        for (int at = 0; at <= whole.Length; at++)
        {
            Assert.All(Enumerable.Range(0, 256), value => Assert.False(IsRead([.. whole[..at], (byte)value, .. whole[at..]])));
        }

        for (int at = 0; at < whole.Length; at++)
        {
            int member = Array.FindLastIndex(starts, s => s <= at);
            (int inside, int behind) = (at - starts[member], starts[member] + members[member].Length - at);
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. whole];
                changed[at] ^= (byte)(1 << bit);

                // Time, extra flags and system; the flag that says "text"; bits behind the data in their last byte, and before stored ones;
                // what bgzip writes into its marker.
                bool isFree = inside is >= 4 and < 10 || (inside == 3 && bit == 0) || behind == 9 || (inside == 10 && bit > 2)
                    || (members[member] == Marker && inside is >= 12 and < 18);
                Assert.True(isFree || !IsRead(changed), $"bit {bit} of byte {inside} of member {member}");
                Assert.True(inside is < 4 or >= 10 || IsRead(changed), $"bit {bit} of byte {inside} of member {member}");
            }
        }
    }

    // RFC 1952, section 2.3: extra field, name, comment and a checksum of the header.
    [Theory]
    [InlineData(0x00)]
    [InlineData(0x02)]
    [InlineData(0x04)]
    [InlineData(0x08)]
    [InlineData(0x10)]
    [InlineData(0x1F)]
    public void Every_part_of_a_header_is_skipped(byte flags)
    {
        byte[] text = Encoding.ASCII.GetBytes("train-images\0");
        byte[] start =
        [
            .. Compressed[..3], flags, .. Compressed[4..10],
            .. (flags & 4) != 0 ? [5, 0, 1, 2, 3, 4, 5] : Array.Empty<byte>(),
            .. (flags & 8) != 0 ? text : [], .. (flags & 16) != 0 ? text : [],
        ];
        byte[] checksum = BitConverter.GetBytes((ushort)Crc(start));
        byte[] header = [.. start, .. (flags & 2) != 0 ? checksum : []];
        Assert.Equal(IdxFileTests.Bytes(24), Images([.. header, .. Compressed[10..]]).Data.ToArray());
        for (int length = 10; length < header.Length; length++)
        {
            Refused(header[..length], "gzip");
        }

        if ((flags & 2) != 0)
        {
            Refused([.. start, checksum[0], (byte)(checksum[1] ^ 1), .. Compressed[10..]], "checksum of a header");
        }
    }

    [Fact]
    public void No_more_than_the_maximum_is_decompressed()
    {
        Assert.Equal(24, Images(Compressed, Plain.Length).Data.Length);
        var error = Assert.Throws<DatasetFormatException>(() => Images(Compressed, Plain.Length - 1));
        Assert.Contains("40 bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("39", error.Message, StringComparison.Ordinal);
        Assert.Equal(24, Images(Plain, 1).Data.Length);
        Assert.Throws<ArgumentOutOfRangeException>("maximumDecompressedBytes", () => Images(Plain, 0));

        // 2^31 bytes in a file of 2 MB: refused at its header. Bytes that the header does not speak of are not read on.
        byte[] bomb = IdxFileTests.Compress([.. IdxFileTests.Encode([uint.MaxValue >> 2, 1, 1], []), .. new byte[1 << 20]]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(bomb, "the maximum is 1073741824");
        Refused(IdxFileTests.Compress([.. Plain, .. new byte[1 << 20]]), "goes on after the 24 bytes");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    // Whatever a damaged file says, it is read or refused; plain data may differ, checked ones may not.
    [Fact]
    public void Damaged_files_are_read_or_refused() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 400].Array[0, 3], Gen.Byte, Gen.Int[0, 400], Gen.Bool).Sample((gzip, places, mask, cut, cuts) =>
        {
            byte[] data = IdxFileTests.Bytes(300);
            byte[] file = IdxFileTests.Encode([3, 10, 10], data);
            file = gzip ? IdxFileTests.Compress(file) : file;
            foreach (int place in places)
            {
                file[place % file.Length] ^= mask;
            }

            file = cuts ? file[..Math.Min(cut, file.Length)] : file;
            try
            {
                IdxFile images = Images(file);
                Assert.Equal(300, images.Data.Length);
                Assert.True(!gzip || images.Data.Span.SequenceEqual(data));
            }
            catch (Exception error) when (error is DatasetFormatException or IOException)
            {
            }
        }, iter: 5000);
}
