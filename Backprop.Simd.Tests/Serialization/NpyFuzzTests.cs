using System.IO.Compression;
using Backprop.Simd.Data;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Damaged files of NumPy: nothing but the documented exception comes out, and no large memory.</summary>
public sealed class NpyFuzzTests
{
    private const int MostBytes = 400_000;

    [Fact]
    public void A_damaged_array_is_read_or_refused()
    {
        var files = NumPyFiles.All.Where(f => f.Kind == "npy").Select(f => f.Content).ToArray();
        var (random, passed) = (new TestRandom(21), 0);
        for (var trial = 0; trial < 40_000; trial++)
        {
            var good = files[random.Integer(0, files.Length - 1)];
            var bytes = Damaged(good, ref random, random.Integer(1, 3), "0123456789,:'{}()<>|fiubL"u8);
            passed += Passes(trial, bytes, stream => [Npy.Read(stream)]) ? 1 : 0;
        }

        Assert.InRange(passed, 100, 39_900);
    }

    [Fact]
    public void A_damaged_archive_is_read_or_refused()
    {
        var files = NumPyFiles.All.Where(f => f.Kind == "npz").Select(f => f.Content).ToArray();
        var (random, passed) = (new TestRandom(22), 0);
        for (var trial = 0; trial < 20_000; trial++)
        {
            var good = files[random.Integer(0, files.Length - 1)];
            var bytes = Damaged(good, ref random, random.Integer(1, 3), [0, 1, 2, 8, 9, 0x2D, 0x50, 0x4B, 0x7F, 0x80, 0xFE, 0xFF]);
            passed += Passes(trial, bytes, stream => Npz.Read(stream).Values) ? 1 : 0;
        }

        Assert.InRange(passed, 100, 19_900);
    }

    // The checksum of an entry hides the parser behind it: here it is right.
    [Fact]
    public void A_whole_archive_of_damaged_arrays_is_read_or_refused()
    {
        var files = NumPyFiles.All.Where(f => f.Kind == "npy").Select(f => f.Content).ToArray();
        var (random, passed) = (new TestRandom(23), 0);
        for (var trial = 0; trial < 5_000; trial++)
        {
            using var zipped = new MemoryStream();
            using (var zip = new ZipArchive(zipped, ZipArchiveMode.Create, leaveOpen: true))
            {
                for (var i = 0; i < 2; i++)
                {
                    var level = random.Integer(0, 1) == 0 ? CompressionLevel.Fastest : CompressionLevel.NoCompression;
                    using var entry = zip.CreateEntry($"{i}.npy", level).Open();
                    var good = files[random.Integer(0, files.Length - 1)];
                    entry.Write(Damaged(good, ref random, random.Integer(0, 2), "0123456789,:'{}()<>|fiubL"u8));
                }
            }

            passed += Passes(trial, zipped.ToArray(), stream => Npz.Read(stream).Values) ? 1 : 0;
        }

        Assert.InRange(passed, 100, 4_900);
    }

    [Fact]
    public void Every_length_of_a_cut_file_is_refused()
    {
        foreach (var file in NumPyFiles.All)
        {
            for (var length = 0; length < file.Content.Length; length++)
            {
                Assert.False(Passes(length, file.Content[..length], stream => file.Kind == "npy" ? [Npy.Read(stream)] : Npz.Read(stream).Values),
                    $"{file.Name}: {length} bytes were enough.");
            }
        }
    }

    private static bool Passes(int trial, byte[] bytes, Func<Stream, IEnumerable<NpyArray>> read)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            foreach (var array in read(trial % 2 == 0 ? new MemoryStream(bytes) : new ForwardStream(bytes)))
            {
                var count = array.Dimensions.ToArray().Aggregate(1L, (a, b) => a * b);
                Assert.Equal(count, array.Length);
                Assert.Equal(count, array.ToArray<double>().Length);
                Assert.Equal(count, NumPyFiles.Own(array).Length);
            }

            return true;
        }
        catch (DataFormatException e)
        {
            Assert.True(e.Message.Length < 2000, e.Message);
            return false;
        }
        finally
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MostBytes, $"Trial {trial} allocated {allocated} bytes.");
        }
    }

    private static byte[] Damaged(byte[] good, ref TestRandom random, int changes, ReadOnlySpan<byte> likely)
    {
        var bytes = (byte[])good.Clone();
        for (var i = 0; i < changes; i++)
        {
            var place = random.Integer(0, bytes.Length - 1);
            bytes[place] = random.Integer(0, 1) == 0 ? (byte)random.Integer(0, 255) : likely[random.Integer(0, likely.Length - 1)];
        }

        if (random.Integer(0, 9) == 0)
            bytes = bytes[..random.Integer(0, bytes.Length)];
        return bytes;
    }
}
