using System.IO.Compression;
using System.Numerics.Tensors;
using Backprop.Simd.Data;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Files of several arrays: what NumPy wrote is read, what is written comes back, and hostile zip files are refused.</summary>
public sealed class NpzTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("backprop-npz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("stored")]
    [InlineData("deflated")]
    public void Files_of_NumPy_are_read_from_paths_and_streams(string name)
    {
        var file = NumPyFiles.All.Single(f => f.Kind == "npz" && f.Name == name);
        var path = Path.Combine(_folder, "a.npz");
        File.WriteAllBytes(path, file.Content);
        var later = new MemoryStream([1, 2, .. file.Content]) { Position = 2 };
        foreach (var arrays in (IReadOnlyDictionary<string, NpyArray>[])[Npz.Read(path), Npz.Read(new MemoryStream(file.Content)),
            Npz.Read(new ForwardStream(file.Content)), Npz.Read(later)])
        {
            Assert.Equal(["x", "layer/weight", "d\u00e9j\u00e0"], arrays.Keys);
            Assert.Equal(file.Sizes, arrays["x"].Dimensions.ToArray());
            Assert.Equal(file.Values, arrays["x"].ToArray<double>());
            Assert.Equal([0, 1, 2, 3], arrays["layer/weight"].Values<short>().ToArray());
            Assert.Equal([true], arrays["d\u00e9j\u00e0"].Values<bool>().ToArray());
        }
    }

    [Fact]
    public void A_name_that_is_not_there_is_answered_with_those_that_are()
    {
        using var stream = new MemoryStream();
        Npz.Write(stream, file =>
        {
            file.Add("x", new float[2], 2);
            file.Add("labels", new byte[2], 2);
        });
        stream.Position = 0;
        var arrays = Npz.Read(stream);
        Assert.Equal("'stream' has no array 'y'; it has: x, labels.", Assert.Throws<KeyNotFoundException>(() => arrays["y"]).Message);
        Assert.False(arrays.TryGetValue("y", out _));
        Assert.True(arrays.ContainsKey("labels"));
        Assert.Equal(2, arrays.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Arrays_are_written_and_read(bool compress)
    {
        float[] numbers = [.. Enumerable.Range(0, 1000).Select(i => i % 7 / 3f)];
        void Add(NpzWriter file)
        {
            file.Add("x", numbers, 10, 100);
            file.Add<long>("d\u00e9j\u00e0/vu", [1, -1], 2);
            file.AddTensor("transposed", new ReadOnlyTensorSpan<float>(numbers, [100, 10], [1, 100]));
        }

        var path = Path.Combine(_folder, "b.npz");
        Npz.Write(path, Add, compress);
        using var stream = new MemoryStream();
        Npz.Write(stream, Add, compress);
        Assert.Equal(stream.ToArray(), File.ReadAllBytes(path)); // No time of day: the same arrays, the same bytes.
        Assert.Equal(compress, stream.Length < 4000);
        var arrays = Npz.Read(path);
        Assert.Equal(["x", "d\u00e9j\u00e0/vu", "transposed"], arrays.Keys);
        Assert.Equal(numbers, arrays["x"].Values<float>().ToArray());
        Assert.Equal([1L, -1], arrays["d\u00e9j\u00e0/vu"].Values<long>().ToArray());
        Assert.Equal(numbers[1], arrays["transposed"].ToTensor<float>()[1, 0]);
        using var none = new MemoryStream();
        Npz.Write(none, _ => { });
        none.Position = 0;
        Assert.Empty(Npz.Read(none));
    }

    [Fact]
    public void Names_that_others_could_not_use_are_refused()
    {
        NpzWriter? last = null;
        Npz.Write(new MemoryStream(), file =>
        {
            last = file;
            file.Add("x", new float[1], 1);
            foreach (var (name, text) in (ReadOnlySpan<(string, string)>)[("x", "already has"), ("", "is empty"), ("/etc/x", "absolute"), ("\\x", "absolute"),
                ("C:x", "absolute"), ("a/../b", "leads out"), ("..", "leads out"), ("a\nb", "control"), ("\ud800", "surrogate"), (new('n', 1001), "1000")])
            {
                var error = Assert.Throws<ArgumentException>(() => file.Add(name, new float[1], 1));
                Assert.Equal("name", error.ParamName);
                Assert.Contains(text, error.Message, StringComparison.Ordinal);
            }
        });
        Assert.Contains("complete", Assert.Throws<InvalidOperationException>(() => last!.Add("y", new float[1], 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_replaced_in_whole_or_not_at_all()
    {
        var path = Path.Combine(_folder, "kept.npz");
        Npz.Write(path, file => file.Add("x", new float[1], 1));
        var before = File.ReadAllBytes(path);
        Assert.Throws<ArgumentException>(() => Npz.Write(path, file =>
        {
            file.Add("y", new float[5], 5);
            file.Add("y", new float[5], 5);
        }));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Hostile_entries_are_refused_by_name()
    {
        var array = (byte[])[.. NpyHeader.Write(ArrayElement.U1, [2]), 1, 2];
        Assert.Contains("two arrays named 'x'", Refused(Zip(("x.npy", array), ("x.npy", array))), StringComparison.Ordinal);
        Assert.Contains("absolute path: '/x'", Refused(Zip(("/x.npy", array))), StringComparison.Ordinal);
        Assert.Contains("absolute path: 'C:\\x'", Refused(Zip(("C:\\x.npy", array))), StringComparison.Ordinal);
        Assert.Contains("leads out of its folder: '../x'", Refused(Zip(("../x.npy", array))), StringComparison.Ordinal);
        Assert.Contains("is empty: ''", Refused(Zip((".npy", array))), StringComparison.Ordinal);
        Assert.Contains("holds 'x.txt'; expected arrays only", Refused(Zip(("x.txt", array))), StringComparison.Ordinal);
        Assert.Contains("holds 'folder/'", Refused(Zip(("folder/", []))), StringComparison.Ordinal);
        Assert.Contains("'stream/x.npy' has bytes behind its array", Refused(Zip(("x.npy", [.. array, 3]))), StringComparison.Ordinal);
        Assert.Contains("'stream/x.npy' ends after 1 bytes of its elements", Refused(Zip(("x.npy", array[..^1]))), StringComparison.Ordinal);
        var encrypted = Zip(("x.npy", array));
        foreach (var (signature, flags) in (ReadOnlySpan<(byte, int)>)[(1, 8), (3, 6)])
        {
            var at = encrypted.AsSpan().IndexOf((ReadOnlySpan<byte>)[(byte)'P', (byte)'K', signature, (byte)(signature + 1)]);
            encrypted[at + flags] |= 1;
        }

        Assert.Contains("holds 'x' encrypted", Refused(encrypted), StringComparison.Ordinal);
        Assert.Contains("is no zip file", Refused([1, 2, 3]), StringComparison.Ordinal);
        Assert.Contains("is no zip file", Refused([]), StringComparison.Ordinal);
        Assert.Contains("is no zip file", Refused(array), StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_element_is_noticed_by_its_checksum()
    {
        var zip = Zip(("x.npy", [.. NpyHeader.Write(ArrayElement.U1, [2]), 77, 78]));
        zip[zip.AsSpan().IndexOf((ReadOnlySpan<byte>)[77, 78])] = 76;
        Assert.Contains("'stream/x.npy' is damaged: its checksum is", Refused(zip), StringComparison.Ordinal);
    }

    // 16 MiB of zeros take 16 KiB in a zip file.
    [Fact]
    public void Bombs_do_not_go_off()
    {
        using var stream = new MemoryStream();
        Npz.Write(stream, file =>
        {
            file.Add("small", new byte[10], 10);
            file.Add("large", new byte[1 << 24], 1 << 24);
        }, compress: true);
        var bytes = stream.ToArray();
        Assert.True(bytes.Length < 30_000);
        Assert.Contains("16777216 bytes, more than the 1048438", Bounded(bytes, 1 << 20), StringComparison.Ordinal);
        Assert.Contains("'maximumBytes'", Assert.Throws<DataFormatException>(() => Npz.Read(new ForwardStream(bytes), 1000)).Message, StringComparison.Ordinal);

        // The array says that it is small, its entry is not; then the array says that it is large, and is not.
        Assert.Contains("bytes behind its array", Bounded(Zip(("x.npy", [.. NpyHeader.Write(ArrayElement.U1, [2]), .. new byte[1 << 22]]))),
            StringComparison.Ordinal);
        Assert.Contains("ends after 0 bytes", Bounded(Zip(("x.npy", NpyHeader.Write(ArrayElement.U1, [1 << 29])))), StringComparison.Ordinal);

        // The headers of many small arrays count too.
        var many = Zip([.. Enumerable.Range(0, 100).Select(i => ($"{i}.npy", NpyHeader.Write(ArrayElement.U1, [0])))]);
        Assert.Equal(100, Npz.Read(new MemoryStream(many), 12_800).Count);
        Assert.Contains("expands to more bytes than allowed", Bounded(many, 12_799), StringComparison.Ordinal);
    }

    /// <summary>The message of a file that is refused while little memory is taken.</summary>
    private static string Bounded(byte[] file, long maximumBytes = 1 << 30)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var message = Assert.Throws<DataFormatException>(() => Npz.Read(new MemoryStream(file), maximumBytes)).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        return message;
    }

    private static string Refused(byte[] file)
    {
        var message = Assert.Throws<DataFormatException>(() => Npz.Read(new MemoryStream(file))).Message;
        Assert.Equal(message.Replace("'stream", "", StringComparison.Ordinal).Length + 7,
            Assert.Throws<DataFormatException>(() => Npz.Read(new ForwardStream(file))).Message.Length);
        return message;
    }

    /// <summary>A zip file of entries as they are, stored.</summary>
    private static byte[] Zip(params (string Name, byte[] Content)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }
        }

        return stream.ToArray();
    }
}
