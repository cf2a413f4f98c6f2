using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>A file is there in whole or not at all, and an old one is as it was if anything fails.</summary>
public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_file_is_made_and_replaced()
    {
        AtomicFile.Write(_directory["a"], stream => stream.Write([1, 2, 3]));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_directory["a"]));
        AtomicFile.Write(_directory["a"], stream =>
        {
            stream.WriteByte(4);
            Assert.Equal([1, 2, 3], File.ReadAllBytes(_directory["a"])); // The old one until the end.
            Assert.Matches(@"^\.a\.[0-9a-f]{8}\.tmp$", _directory.Files[0]);
        });
        Assert.Equal([4], File.ReadAllBytes(_directory["a"]));
        Assert.Equal(["a"], _directory.Files);
    }

    [Fact]
    public void An_old_file_is_as_it_was_if_writing_fails_midway()
    {
        File.WriteAllBytes(_directory["a"], [1, 2, 3]);
        File.WriteAllBytes(_directory[".a.00000000.tmp"], [9]); // Left by another process.
        var failure = Assert.Throws<IOException>(() => AtomicFile.Write(_directory["a"], stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("The disk is full.");
        }));
        Assert.Equal("The disk is full.", failure.Message);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_directory["a"]));
        Assert.Equal([".a.00000000.tmp", "a"], _directory.Files);
    }

    [Fact]
    public void A_tensor_that_cannot_be_read_leaves_the_old_file()
    {
        var writer = new SafetensorsWriter();
        writer.Add<float>("a", [1], new float[] { 1 });
        writer.Write(_directory["model"]);
        var old = File.ReadAllBytes(_directory["model"]);
        writer.Add<float>("b", [1], static () => throw new InvalidDataException("Lost."));
        Assert.Throws<InvalidDataException>(() => writer.Write(_directory["model"]));
        Assert.Equal(old, File.ReadAllBytes(_directory["model"]));
        Assert.Equal(["model"], _directory.Files);
    }

    [Fact]
    public void What_cannot_be_replaced_leaves_nothing_behind()
    {
        Directory.CreateDirectory(_directory["folder"]);
        Assert.ThrowsAny<Exception>(() => AtomicFile.Write(_directory["folder"], stream => stream.WriteByte(1)));
        Assert.Empty(_directory.Files);
        Assert.Throws<ArgumentException>(() => AtomicFile.Write(_directory["folder"] + Path.DirectorySeparatorChar, _ => { }));
        Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.Write(_directory[Path.Combine("none", "a")], _ => { }));
        Assert.Empty(_directory.Files);
    }

    [Fact]
    public void A_reader_keeps_the_file_that_it_has_open()
    {
        var writer = new SafetensorsWriter();
        writer.Add<float>("a", [1], new float[] { 1 });
        writer.Write(_directory["model"]);
        using var file = SafetensorsFile.Open(_directory["model"]);
        var next = new SafetensorsWriter();
        next.Add<float>("b", [2], new float[] { 2, 3 });
        next.Write(_directory["model"]);
        Assert.Equal([1f], file["a"].ToArray<float>());
        using var now = SafetensorsFile.Open(_directory["model"]);
        Assert.Equal([2f, 3f], now["b"].ToArray<float>());
    }
}
