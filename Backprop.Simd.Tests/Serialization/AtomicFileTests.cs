using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Infrastructure;

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

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite)]
    public void A_file_keeps_its_mode(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
            return; // There are no modes.
        File.WriteAllText(_directory["plain"], "");
        AtomicFile.Write(_directory["new"], stream => stream.WriteByte(1));
        Assert.Equal(File.GetUnixFileMode(_directory["plain"]), File.GetUnixFileMode(_directory["new"]));
        File.SetUnixFileMode(_directory["new"], mode);
        AtomicFile.Write(_directory["new"], stream =>
        {
            var aside = Assert.Single(_directory.Files, name => name.EndsWith(".tmp", StringComparison.Ordinal));
            if (!OperatingSystem.IsWindows())
                Assert.Equal(mode, File.GetUnixFileMode(_directory[aside])); // Before anything is in it.
            stream.WriteByte(2);
        });
        Assert.Equal(mode, File.GetUnixFileMode(_directory["new"]));
        Assert.Equal([2], File.ReadAllBytes(_directory["new"]));
    }

    [Fact]
    public void A_link_stays_and_what_it_leads_to_is_replaced()
    {
        if (OperatingSystem.IsWindows())
            return; // Links take a right that users have not.
        Directory.CreateDirectory(_directory["models/new"]);
        Directory.CreateSymbolicLink(_directory["current"], "models/new");
        File.WriteAllText(_directory["models/file"], "old");
        File.CreateSymbolicLink(_directory["models/new/one"], "../file"); // From models/new, by whatever name.
        File.CreateSymbolicLink(_directory["two"], "current/one");
        foreach (var path in (string[])["two", "current/one", "models/new/one"])
        {
            AtomicFile.Write(_directory[path], stream =>
            {
                Assert.Single(Directory.GetFiles(_directory["models"], "*.tmp"));
                stream.Write(System.Text.Encoding.UTF8.GetBytes(path));
            });
            Assert.Equal(path, File.ReadAllText(_directory["models/file"]));
            Assert.Equal(("current/one", "../file"), (new FileInfo(_directory["two"]).LinkTarget, new FileInfo(_directory["models/new/one"]).LinkTarget));
        }

        Assert.Equal([_directory["models/file"]], Directory.GetFiles(_directory["models"]));
        File.CreateSymbolicLink(_directory["nowhere"], "models/none");
        File.CreateSymbolicLink(_directory["circle"], "circle2");
        File.CreateSymbolicLink(_directory["circle2"], "circle");
        File.CreateSymbolicLink(_directory["folder"], "models");
        Refused<IOException>("nowhere", "which does not exist");
        Refused<IOException>("circle", "a link that leads to itself");
        Refused<UnauthorizedAccessException>("folder", "is a directory");
    }

    [Fact]
    public void A_pipe_or_a_device_is_not_replaced()
    {
        if (OperatingSystem.IsWindows())
            return; // They are no files.
        Pipe.Make(_directory["pipe"]);
        File.CreateSymbolicLink(_directory["link"], "pipe");
        File.CreateSymbolicLink(_directory["null"], "/dev/null");
        foreach (var name in (string[])["pipe", "link", "null"])
            Refused<IOException>(name, "is a pipe or a device");
        File.WriteAllText(_directory["empty"], "");
        AtomicFile.Write(_directory["empty"], stream => stream.WriteByte(1));
    }

    [Fact]
    public void What_a_dead_process_left_is_deleted_and_what_a_living_one_writes_is_not()
    {
        File.WriteAllText(_directory[".a.0123abcd.tmp"], "left");
        File.WriteAllText(_directory[".b.0123abcd.tmp"], "of another file");
        AtomicFile.Write(_directory["a"], stream =>
        {
            AtomicFile.DeleteAbandoned(_directory[""], "a");
            Assert.DoesNotContain(".a.0123abcd.tmp", _directory.Files);
            stream.WriteByte(1);
        });
        Assert.Equal([".b.0123abcd.tmp", "a"], _directory.Files);
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

    private void Refused<TException>(string name, string why)
        where TException : Exception
    {
        var before = _directory.Files;
        Assert.Contains(why, Assert.Throws<TException>(() => AtomicFile.Write(_directory[name], _ => Assert.Fail("Nothing is to be written."))).Message,
            StringComparison.Ordinal);
        Assert.Equal(before, _directory.Files);
    }
}
