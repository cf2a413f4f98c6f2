using System.Buffers.Binary;
using System.IO.Compression;
using Backprop.Simd.Datasets;
using CsCheck;

namespace Backprop.Simd.Tests.Datasets;

public class IdxFileTests
{
    internal static byte[] Encode(ReadOnlySpan<uint> dimensions, ReadOnlySpan<byte> data, byte type = 8)
    {
        var file = new byte[4 + (4 * dimensions.Length) + data.Length];
        file[2] = type;
        file[3] = (byte)dimensions.Length;
        for (int i = 0; i < dimensions.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(4 + (4 * i)), dimensions[i]);
        }

        data.CopyTo(file.AsSpan(4 + (4 * dimensions.Length)));
        return file;
    }

    internal static byte[] Compress(byte[] file)
    {
        var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest))
        {
            gzip.Write(file);
        }

        return target.ToArray();
    }

    internal static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)(((uint)i * 2654435761u) >> 24);
        }

        return bytes;
    }

    private static IdxFile Images(byte[] file) => IdxFile.ReadImages(new MemoryStream(file));

    private static IdxFile Labels(byte[] file) => IdxFile.ReadLabels(new MemoryStream(file));

    private static void Refused(byte[] file, string reason)
    {
        var error = Assert.Throws<DatasetFormatException>(() => Images(file));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_written_is_read_plain_and_compressed() =>
        Gen.Select(Gen.Int[0, 40], Gen.Int[1, 30], Gen.Int[1, 30], Gen.Bool).Sample((count, rows, columns, gzip) =>
        {
            byte[] data = Bytes(count * rows * columns);
            byte[] file = Encode([(uint)count, (uint)rows, (uint)columns], data);
            IdxFile images = Images(gzip ? Compress(file) : file);
            Assert.Equal([count, rows, columns], images.Dimensions.ToArray());
            Assert.Equal(data, images.Data.ToArray());

            file = Encode([(uint)data.Length], data);
            IdxFile labels = Labels(gzip ? Compress(file) : file);
            Assert.Equal([data.Length], labels.Dimensions.ToArray());
            Assert.Equal(data, labels.Data.ToArray());
        });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Files_larger_than_the_first_buffer_are_read(bool gzip)
    {
        byte[] data = Bytes(300 * 28 * 28);
        byte[] file = Encode([300, 28, 28], data);
        Assert.Equal(data, Images(gzip ? Compress(file) : file).Data.ToArray());
    }

    [Fact]
    public void Reading_starts_at_the_position_and_leaves_the_stream_open()
    {
        var stream = new MemoryStream([9, 9, 9, .. Compress(Encode([2], [3, 4]))]) { Position = 3 };
        Assert.Equal([3, 4], IdxFile.ReadLabels(stream).Data.ToArray());
        stream.Position = 0;
        Assert.Equal(9, stream.ReadByte());
    }

    [Fact]
    public void A_wrong_magic_number_is_refused()
    {
        Refused(Encode([2, 3, 4], Bytes(24), type: 0x0D), "00000D03");
        Refused([1, .. Encode([2, 3, 4], Bytes(24))[1..]], "01000803");
        Refused([0, 1, .. Encode([2, 3, 4], Bytes(24))[2..]], "00010803");
        Refused(Encode([24], Bytes(24)), "00000801");
        Refused(Compress(Encode([24], Bytes(24))), "00000801");
        Assert.Throws<DatasetFormatException>(() => Labels(Encode([2, 3, 4], Bytes(24))));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] file = Encode([2, 3, 4], Bytes(24));
        byte[] compressed = Compress(file);
        for (int length = 0; length < file.Length; length++)
        {
            Assert.Throws<DatasetFormatException>(() => Images(file[..length]));
            Assert.Throws<DatasetFormatException>(() => Images(Compress(file[..length])));
        }

        for (int length = 0; length < compressed.Length; length++)
        {
            Assert.Throws<DatasetFormatException>(() => Images(compressed[..length]));
        }
    }

    [Fact]
    public void Bytes_after_the_data_are_refused()
    {
        byte[] file = [.. Encode([2, 3, 4], Bytes(24)), 0];
        Refused(file, "asks for 40");
        Refused(Compress(file), "goes on after the 24 bytes");
    }

    [Theory]
    [InlineData(uint.MaxValue, 28u, 28u)]
    [InlineData(0x7FFFFFFFu, 1u, 1u)]
    [InlineData(0x7FFFFFFFu, 0x7FFFFFFFu, 0x7FFFFFFFu)]
    [InlineData(0x80000000u, 2u, 0x80000000u)]
    [InlineData(0u, 0x10000u, 0x10000u)]
    [InlineData(0u, 0u, 28u)]
    [InlineData(3u, 28u, 0u)]
    [InlineData(2000000u, 28u, 28u)]
    public void A_lying_header_is_refused_before_anything_is_allocated_on_its_word(uint count, uint rows, uint columns)
    {
        byte[] file = Encode([count, rows, columns], Bytes(100));
        byte[] compressed = Compress(file);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<DatasetFormatException>(() => Images(file));
        Assert.Throws<DatasetFormatException>(() => Images(compressed));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_stream_that_cannot_seek_is_refused()
    {
        using var stream = new GZipStream(new MemoryStream(Compress([1])), CompressionMode.Decompress);
        Assert.Throws<ArgumentException>("stream", () => IdxFile.ReadImages(stream));
        Assert.Throws<ArgumentNullException>("stream", () => IdxFile.ReadLabels((Stream)null!));
        Assert.Throws<ArgumentException>("path", () => IdxFile.ReadLabels(""));
    }
}
