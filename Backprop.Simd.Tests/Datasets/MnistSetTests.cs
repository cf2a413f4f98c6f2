using System.Security.Cryptography;
using Backprop.Simd.Datasets;

namespace Backprop.Simd.Tests.Datasets;

public sealed class MnistSetTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("sets-").FullName;
    private readonly Dictionary<string, byte[]> _plain = new()
    {
        ["train-images-idx3-ubyte"] = IdxFileTests.Encode([50, 28, 28], IdxFileTests.Bytes(50 * 28 * 28)),
        ["train-labels-idx1-ubyte"] = IdxFileTests.Encode([50], new byte[50]),
        ["t10k-images-idx3-ubyte"] = IdxFileTests.Encode([2, 28, 28], IdxFileTests.Bytes(2 * 28 * 28)),
        ["t10k-labels-idx1-ubyte"] = IdxFileTests.Encode([2], [7, 8]),
    };

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Folder => Path.Combine(_directory, "files");

    private string Part(string name = "train-images-idx3-ubyte") => Path.Combine(Folder, name + ".gz.part");

    private byte[] Compressed(string file) => IdxFileTests.Compress(_plain[file.Replace(".gz", "", StringComparison.Ordinal)]);

    private MnistFile[] Files() =>
        [.. _plain.Select(f => new MnistFile(f.Key, f.Value.Length, Convert.ToHexString(SHA256.HashData(f.Value))))];

    private MnistSet Set(params ReadOnlySpan<Uri> mirrors) => new("Tiny-Set", Files(), mirrors);

    private DownloadOptions Options() => new() { CacheDirectory = Path.Combine(_directory, "cache") };

    private void AssertWhole(string? folder = null)
    {
        folder ??= Folder;
        Assert.Equal(
            _plain.Keys.Append(".lock").Order(StringComparer.Ordinal),
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var (name, content) in _plain)
            Assert.Equal(content, File.ReadAllBytes(Path.Combine(folder, name)));
    }

    [Fact]
    public void Files_are_downloaded_once_and_kept()
    {
        var heard = new List<DownloadProgress>();
        var options = Options() with { Progress = new Listener(heard.Add) };
        MnistSet set;
        using (var server = new TinyServer(r => TinyServer.Whole(Compressed(r.File), r.From)))
        {
            set = Set(server.Mirror("a"));
            (LabeledImages train, LabeledImages test) = set.LoadOrDownload(options: options);
            Assert.Equal((50, 2), (train.Count, test.Count));
            Assert.Equal(IdxFileTests.Bytes(50 * 28 * 28), train.Pixels.ToArray());
            Assert.Equal(4, server.Requests.Length);
        }

        Assert.Equal(Path.Combine(options.CacheDirectory!, "tiny-set"), set.CacheFolder(options));
        AssertWhole(set.CacheFolder(options));
        Assert.Equal(4, heard.Select(p => p.File).Distinct().Count());
        Assert.All(_plain.Keys, name => Assert.Contains(new DownloadProgress(name + ".gz", Compressed(name).Length, Compressed(name).Length), heard));

        // The server is gone.
        Assert.Equal(50, set.LoadOrDownload(options: options).Train.Count);
    }

    [Fact]
    public void A_directory_comes_before_the_cache_and_the_cache_before_other_folders()
    {
        string other = Directory.CreateDirectory(Path.Combine(_directory, "other")).FullName;
        var set = new MnistSet("Tiny-Set", Files(), [], other);
        DownloadOptions options = Options();
        Assert.Null(set.Find(Folder, options));
        foreach (string folder in (string[])[other, set.CacheFolder(options), Folder])
        {
            Directory.CreateDirectory(folder);
            foreach (var (name, content) in _plain)
            {
                Assert.NotEqual(folder, set.Find(Folder, options));
                File.WriteAllBytes(Path.Combine(folder, name + ".gz"), IdxFileTests.Compress(content));
            }

            Assert.Equal(folder, set.Find(Folder, options));
            Assert.Equal(50, set.LoadOrDownload(Folder, options).Train.Count);
        }

        set.Verify(other);
    }

    [Fact]
    public async Task A_cut_connection_is_continued()
    {
        using var server = new TinyServer(r => TinyServer.Whole(Compressed(r.File), r.From, sendOnly: 1000));
        Assert.Equal(Folder, await Set(server.Mirror("a")).DownloadAsync(Folder, Options()));
        AssertWhole();

        int length = Compressed("train-images-idx3-ubyte").Length;
        Assert.Equal(
            Enumerable.Range(0, (length + 999) / 1000).Select(i => 1000 * i),
            server.Requests.Where(r => r.File == "train-images-idx3-ubyte.gz").Select(r => r.From));
    }

    [Theory]
    [InlineData(0.5, true)]
    [InlineData(1.0, true)]
    [InlineData(1.5, true)]
    [InlineData(0.5, false)]
    public async Task What_an_earlier_attempt_left_is_continued(double share, bool ranges)
    {
        byte[] file = Compressed("train-images-idx3-ubyte");
        Directory.CreateDirectory(Folder);
        byte[] left = [.. file, .. file];
        await File.WriteAllBytesAsync(Part(), left[..(int)(share * file.Length)]);
        using var server = new TinyServer(r => TinyServer.Whole(Compressed(r.File), ranges ? r.From : 0));
        await Set(server.Mirror("a")).DownloadAsync(Folder, Options());
        AssertWhole();
        Assert.Equal((int)(share * file.Length), server.Requests[0].From);
        Assert.Equal(share > 1 ? 5 : 4, server.Requests.Length);
    }

    [Fact]
    public async Task A_continued_part_that_does_not_fit_is_fetched_again()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllBytesAsync(Part(), new byte[100]);
        using var server = new TinyServer(r => TinyServer.Whole(Compressed(r.File), r.From));
        await Set(server.Mirror("a")).DownloadAsync(Folder, Options());
        AssertWhole();
        Assert.Equal([100, 0], server.Requests[..2].Select(r => r.From));
    }

    // Mirror a has another content, b nothing, c sends without end, d a file that is no gzip file, e breaks off, f has what is asked for.
    [Fact]
    public async Task The_next_mirror_is_tried()
    {
        using var server = new TinyServer(r => r.Mirror switch
        {
            "a" => new Reply(200, IdxFileTests.Compress([.. _plain[r.File[..^3]][..^1], 1])),
            "b" => new Reply(404, []),
            "c" => new Reply(200, new byte[200000]),
            "d" => new Reply(200, [1, 2, 3]),
            "e" => new Reply(200, Compressed(r.File), SendOnly: 10),
            _ => TinyServer.Whole(Compressed(r.File), r.From),
        });
        Uri[] mirrors = [.. "abcdef".Select(m => server.Mirror($"{m}"))];
        DownloadOptions options = Options();
        await Set(mirrors).DownloadAsync(Folder, options);
        AssertWhole();
        Assert.Equal(0, Assert.Single(server.Requests, r => r.Mirror == "a" && r.File.StartsWith("train-i", StringComparison.Ordinal)).From);

        // Without the last, each tells what was wrong, and nothing is left that could be taken for a file.
        Directory.Delete(Folder, recursive: true);
        var error = await Assert.ThrowsAsync<DatasetNotFoundException>(
            () => Set().DownloadAsync(Folder, options with { Mirrors = mirrors[..^1] }));
        foreach (string part in (string[])[.. _plain.Keys, .. mirrors[..^1].Select(m => m.AbsoluteUri), $"'{Folder}'", "Tiny-Set", "SHA-256", "HTTP 404",
            "more than"])
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal(5, Assert.IsType<AggregateException>(error.InnerException).InnerExceptions.Count);
        Assert.Null(Set().Find(Folder, options));
        Assert.Equal([".lock", Path.GetFileName(Part())], Directory.GetFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_mirror_that_sends_nothing_is_given_up()
    {
        using var server = new TinyServer(r => new Reply(200, Compressed(r.File), SendOnly: 10, Stall: true));
        DownloadOptions options = Options() with { Timeout = TimeSpan.FromSeconds(0.2) };
        var error = Assert.Throws<DatasetNotFoundException>(() => Set(server.Mirror("a")).LoadOrDownload(Folder, options));
        Assert.Contains("no answer within 0.2 seconds", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_network_the_message_says_what_to_do()
    {
        Uri closed;
        using (var server = new TinyServer(_ => new Reply(404, [])))
            closed = server.Mirror("a");
        foreach (DownloadOptions options in (DownloadOptions[])[Options(), Options() with { Offline = true }])
        {
            var error = Assert.Throws<DatasetNotFoundException>(() => Set(closed).LoadOrDownload(Folder, options));
            foreach (string part in (string[])[.. _plain.Keys, $"'{Folder}'", $"'{Set().CacheFolder(options)}'", closed.AbsoluteUri])
                Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<DatasetNotFoundException>(() => Set().LoadOrDownload(Folder, Options()));
        Assert.Empty(Directory.GetFiles(Folder, "*.part"));
    }

    [Fact]
    public async Task A_cancelled_download_keeps_what_has_arrived()
    {
        using var cancellation = new CancellationTokenSource();
        using var server = new TinyServer(r => r.Mirror == "slow"
            ? new Reply(200, Compressed(r.File), SendOnly: 500, Stall: true)
            : TinyServer.Whole(Compressed(r.File), r.From));
        DownloadOptions options = Options() with { Progress = new Listener(p => cancellation.CancelAfter(p.Bytes >= 500 ? 0 : -1)) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Set(server.Mirror("slow"), server.Mirror("quick")).DownloadAsync(Folder, options, cancellation.Token));
        Assert.Equal(Compressed("train-images-idx3-ubyte")[..500], await File.ReadAllBytesAsync(Part()));
        Assert.Single(server.Requests);

        await Set(server.Mirror("quick")).DownloadAsync(Folder, Options());
        AssertWhole();
        Assert.Equal(500, server.Requests[1].From);
    }

    [Fact]
    public async Task Several_may_download_at_once()
    {
        using var server = new TinyServer(r => TinyServer.Whole(Compressed(r.File), r.From, sendOnly: 3000));
        MnistSet set = Set(server.Mirror("a"));
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => set.DownloadAsync(Folder, Options()))));
        AssertWhole();
        Assert.Equal(4, server.Requests.Count(r => r.From == 0));
    }

    [Fact]
    public void Verify_names_what_differs()
    {
        Directory.CreateDirectory(Folder);
        foreach (var (name, content) in _plain)
            File.WriteAllBytes(Path.Combine(Folder, name), content);
        Set().Verify(Folder);

        string labels = Path.Combine(Folder, "t10k-labels-idx1-ubyte");
        File.WriteAllBytes(labels, [.. _plain["t10k-labels-idx1-ubyte"][..^1], 9]);
        var error = Assert.Throws<DatasetFormatException>(() => Set().Verify(Folder));
        Assert.Contains(labels, error.Message, StringComparison.Ordinal);
        Assert.Contains(Files()[3].Sha256, error.Message, StringComparison.Ordinal);
        File.WriteAllBytes(labels, [1]);
        error = Assert.Throws<DatasetFormatException>(() => Set().Verify(Folder));
        Assert.Contains("has 1 bytes", error.Message, StringComparison.Ordinal);
        File.Delete(labels);
        Assert.Throws<FileNotFoundException>(() => Set().Verify(Folder));
    }

    [Fact]
    public void A_description_that_cannot_be_is_refused()
    {
        Assert.Throws<ArgumentException>("name", () => new MnistSet("../up", Files(), []));
        Assert.Throws<ArgumentException>("name", () => new MnistSet("..", Files(), []));
        Assert.Throws<ArgumentException>("files", () => new MnistSet("x", Files().AsSpan(..3), []));
        Assert.Throws<ArgumentException>("files", () => new MnistSet("x", [Files()[0], .. Files()[..3]], []));
        Assert.Throws<ArgumentException>("files", () => new MnistSet("x", [.. Files()[..3], Files()[3] with { Sha256 = "12" }], []));
        Assert.Throws<ArgumentException>("mirrors", () => Set(new Uri("/mnist", UriKind.Relative)));
        Assert.Throws<ArgumentException>("mirrors", () => Set(new Uri("file:///mnist")));
    }

    [Fact]
    public void The_cache_is_where_the_variable_says() =>
        Assert.Equal(
            Environment.GetEnvironmentVariable(MnistSet.CacheVariable) is { Length: > 0 } chosen ? Path.Combine(chosen, "fashion-mnist")
                : Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Mnist.Published.CacheFolder()))!, "backprop-simd", "fashion-mnist"),
            FashionMnist.Published.CacheFolder());

    private sealed class Listener(Action<DownloadProgress> heard) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => heard(value);
    }
}
