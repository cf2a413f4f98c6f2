using System.Text;
using Backprop.Simd.Datasets;
using CsCheck;

namespace Backprop.Simd.Tests.Datasets;

/// <summary>What is refused, and what is not, of IDX files in gzip.</summary>
public sealed class GzipFileTests
{
    private static readonly byte[] Plain = IdxFileTests.Encode([2, 3, 4], IdxFileTests.Bytes(24));
    private static readonly byte[] Compressed = IdxFileTests.Compress(Plain);

    private static IdxFile Images(byte[] file, long maximum = IdxFile.DefaultMaximumDecompressedBytes) =>
        IdxFile.ReadImages(new MemoryStream(file), maximum);

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
        Refused([.. Compressed, .. new byte[20000]], "begins at its byte");
    }

    [Fact]
    public void Members_behind_each_other_are_one_file() =>
        Gen.Select(Gen.Int[0, 20000], Gen.Int[0, 20000], Gen.Int[0, 3]).Sample((a, b, empty) =>
        {
            byte[] data = IdxFileTests.Bytes(20000);
            byte[] file = IdxFileTests.Encode([10, 40, 50], data);
            (a, b) = (Math.Min(a, b), Math.Max(a, b));
            byte[] none = IdxFileTests.Compress([]);
            byte[] members =
            [
                .. IdxFileTests.Compress(file[..a]), .. empty > 0 ? none : [], .. IdxFileTests.Compress(file[a..b]),
                .. empty > 1 ? none : [], .. IdxFileTests.Compress(file[b..]), .. empty > 2 ? none : [],
            ];
            Assert.Equal(data, Images(members).Data.ToArray());
            Assert.Throws<DatasetFormatException>(() => Images(members[..^1]));
            members[^6] ^= 1;
            Assert.Throws<DatasetFormatException>(() => Images(members));
        }, iter: 100);

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
        byte[] header =
        [
            .. Compressed[..3], flags, .. Compressed[4..10],
            .. (flags & 4) != 0 ? [5, 0, 1, 2, 3, 4, 5] : Array.Empty<byte>(),
            .. (flags & 8) != 0 ? text : [], .. (flags & 16) != 0 ? text : [], .. (flags & 2) != 0 ? [7, 8] : Array.Empty<byte>(),
        ];
        Assert.Equal(IdxFileTests.Bytes(24), Images([.. header, .. Compressed[10..]]).Data.ToArray());
        for (int length = 10; length < header.Length; length++)
        {
            Refused(header[..length], "gzip");
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
