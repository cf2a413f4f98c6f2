using System.Security.Cryptography;

namespace Backprop.Simd.Datasets;

/// <summary>
/// A published set in the form of MNIST: its four files with their hashes, mirrors and local folders. Immutable.
/// </summary>
public sealed class MnistSet
{
    /// <summary>The environment variable with the folder in which sets are kept.</summary>
    public const string CacheVariable = "BACKPROP_SIMD_DATA";

    private readonly MnistFile[] _files;
    private readonly Uri[] _mirrors;
    private readonly string[] _folders;

    /// <summary>Describes a set.</summary>
    /// <param name="name">Its name; in lower case it names the folder in the cache.</param>
    /// <param name="files">The four files that <see cref="Mnist.Load"/> reads, in any order.</param>
    /// <param name="mirrors">Folders on the web that have the files, each with <c>.gz</c> behind its name.</param>
    /// <param name="folders">Folders on this machine where the files may be: those of a system package, for example.</param>
    /// <exception cref="ArgumentException">The name cannot name a folder, the files are not the four, a hash is malformed, or a
    /// mirror is not an absolute address.</exception>
    public MnistSet(
        string name, ReadOnlySpan<MnistFile> files, ReadOnlySpan<Uri> mirrors, params ReadOnlySpan<string> folders)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name is "." or ".." || name.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()) || name.Contains('\\', StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{name}' cannot be the name of a folder.", nameof(name));
        }

        foreach (MnistFile file in files)
        {
            if (file?.Name is null || file.Sha256 is null)
            {
                throw new ArgumentException("A file, its name or its hash is null.", nameof(files));
            }
        }

        foreach (string folder in folders)
        {
            ArgumentNullException.ThrowIfNull(folder, nameof(folders));
        }

        (_files, _mirrors, _folders, Name) = (files.ToArray(), mirrors.ToArray(), folders.ToArray(), name);
        if (!Mnist.FileNames.ToArray().Order(StringComparer.Ordinal).SequenceEqual(_files.Select(f => f.Name).Order(StringComparer.Ordinal)))
        {
            throw new ArgumentException(
                $"Expected the files {string.Join(", ", Mnist.FileNames!)}; got {string.Join(", ", _files.Select(f => f.Name))}.", nameof(files));
        }

        foreach (MnistFile file in _files)
        {
            if (file.Length < 0 || file.Sha256.Length != 64 || !file.Sha256.All(char.IsAsciiHexDigit))
            {
                throw new ArgumentException(
                    $"'{file.Name}' has the length {file.Length} and the SHA-256 '{file.Sha256}'; expected 0 or more and 64 hexadecimal digits.",
                    nameof(files));
            }
        }

        CheckMirrors(_mirrors, nameof(mirrors));
    }

    /// <summary>The name: <c>Fashion-MNIST</c>.</summary>
    public string Name { get; }

    /// <summary>The four files.</summary>
    public IReadOnlyList<MnistFile> Files => _files;

    /// <summary>Folders on the web that have the files, each with <c>.gz</c> behind its name.</summary>
    public IReadOnlyList<Uri> Mirrors => _mirrors;

    /// <summary>Folders on this machine where the files may be.</summary>
    public IReadOnlyList<string> Folders => _folders;

    /// <summary>The set's folder in the cache.</summary>
    /// <param name="options">Where the cache is.</param>
    /// <returns>A path, whether or not it exists.</returns>
    public string CacheFolder(DownloadOptions? options = null)
    {
#pragma warning disable CA1308 // A folder name, not a key for comparisons.
        return Path.Combine(options?.CacheDirectory ?? DefaultCache(), Name.ToLowerInvariant());
#pragma warning restore CA1308
    }

    /// <summary>Looks for a folder on this machine that has all four files: the given folder, the folder in the cache, then
    /// <see cref="Folders"/>.</summary>
    /// <param name="directory">A folder to look at first.</param>
    /// <param name="options">Where the cache is.</param>
    /// <returns>The first folder with all four files in a form that <see cref="Mnist.Load"/> accepts; null if there is none.</returns>
    public string? Find(string? directory = null, DownloadOptions? options = null) =>
        Candidates(directory, options).FirstOrDefault(HasAll);

    /// <summary>Reads the set from the folder that <see cref="Find"/> finds. If there is none, the files are downloaded first.</summary>
    /// <remarks>
    /// Downloads go to <paramref name="directory"/>, or to the cache. An interrupted download is continued. A file is checked by
    /// its SHA-256, decompressed and written aside before it gets its name, so that a file with this name is whole. Reading does
    /// not compute the hash again; <see cref="Verify"/> does. Several processes may do this at once.
    /// </remarks>
    /// <param name="directory">The folder of the files, which are downloaded to it if need be.</param>
    /// <param name="options">How files are found and downloaded.</param>
    /// <returns>The images to train on and to test on.</returns>
    /// <exception cref="DatasetNotFoundException">The files are not on this machine and cannot be downloaded.</exception>
    /// <exception cref="DatasetFormatException">A file on this machine is not what its name says.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public TrainTestSplit LoadOrDownload(string? directory = null, DownloadOptions? options = null) =>
        Mnist.Load(Find(directory, options) ?? Task.Run(() => DownloadAsync(directory, options)).GetAwaiter().GetResult());

    /// <summary>Finds or downloads the files, as <see cref="LoadOrDownload"/> does, without reading them.</summary>
    /// <param name="directory">The folder of the files, which are downloaded to it if need be.</param>
    /// <param name="options">How files are found and downloaded.</param>
    /// <param name="cancellationToken">Ends the download. The bytes so far are kept, and the next download continues from them.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="DatasetNotFoundException">The files are not on this machine and cannot be downloaded.</exception>
    /// <exception cref="OperationCanceledException">The download was ended.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async Task<string> DownloadAsync(
        string? directory = null, DownloadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new DownloadOptions();
        if (Find(directory, options) is { } found)
        {
            return found;
        }

        string folder = directory ?? CacheFolder(options);
        IReadOnlyList<Uri> mirrors = options.Mirrors ?? _mirrors;
        CheckMirrors(mirrors, nameof(options));
        if (options.Offline || mirrors.Count == 0)
        {
            throw NotFound(folder, directory, options, options.Offline ? "Downloads are off (Offline)." : "There is no mirror.", null);
        }

        using var downloader = new Downloader(options);
        using FileStream claim = await Downloader.ClaimAsync(folder, cancellationToken).ConfigureAwait(false);
        foreach (MnistFile file in _files)
        {
            // Another process may have downloaded it meanwhile.
            if (Mnist.TryFind(folder, file.Name) is not null)
            {
                continue;
            }

            List<MirrorException> failures = await downloader.FetchAsync(file, mirrors, folder, cancellationToken).ConfigureAwait(false);
            if (failures.Count == mirrors.Count)
            {
                string tried = string.Concat(failures.Select(f => $"{Environment.NewLine}  {f.Message}"));
                throw NotFound(folder, directory, options, $"No mirror gave '{file.Name}':{tried}", new AggregateException(failures));
            }
        }

        return folder;
    }

    /// <summary>Checks the SHA-256 of the four files of a folder; for a compressed file, the SHA-256 of its plain content.</summary>
    /// <param name="directory">The folder.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="DatasetFormatException">The content of a file is not the published one.</exception>
    public void Verify(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        foreach (MnistFile file in _files)
        {
            string path = Mnist.TryFind(directory, file.Name)
                ?? throw new FileNotFoundException($"The file '{file.Name}' is missing in the directory '{directory}'.", file.Name);
            CopyChecked(path, file, Stream.Null);
        }
    }

    /// <summary>Copies the plain content of a file. It reads at most one byte more than the published length.</summary>
    /// <exception cref="DatasetFormatException">The content is not the published one.</exception>
    internal static void CopyChecked(string path, MnistFile file, Stream target)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        using Stream content = GzipContent.IsAhead(stream) ? new GzipContent(stream, $"'{path}'") : stream;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        long length = 0;
        int read;
        while (length <= file.Length && (read = content.Read(buffer)) > 0)
        {
            length += read;
            hash.AppendData(buffer, 0, read);
            target.Write(buffer, 0, read);
        }

        if (length != file.Length)
        {
            throw new DatasetFormatException(
                $"'{path}' has {(length > file.Length ? "more than " : "")}{Math.Min(length, file.Length)} bytes of content; '{file.Name}' has {file.Length}.");
        }

        string found = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (!found.Equals(file.Sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new DatasetFormatException($"The content of '{path}' has the SHA-256 {found}; expected {file.Sha256}.");
        }
    }

    private IEnumerable<string> Candidates(string? directory, DownloadOptions? options)
    {
        if (directory is not null)
        {
            ArgumentException.ThrowIfNullOrEmpty(directory);
            yield return directory;
        }

        yield return CacheFolder(options);
        foreach (string folder in _folders)
        {
            yield return folder;
        }
    }

    private bool HasAll(string folder) => _files.All(file => Mnist.TryFind(folder, file.Name) is not null);

    private DatasetNotFoundException NotFound(
        string folder, string? directory, DownloadOptions options, string why, Exception? inner)
    {
        string message = $"{Name} is not on this machine. {why}{Environment.NewLine}"
            + $"Put these files, plain or with .gz behind their names, into '{folder}': {string.Join(", ", _files.Select(f => f.Name))}.{Environment.NewLine}"
            + $"Looked in: {string.Join(", ", Candidates(directory, options).Select(c => $"'{c}'"))}."
            + (options.Offline ? $" Mirrors: {string.Join(", ", (IEnumerable<Uri>?)options.Mirrors ?? _mirrors)}." : "");
        return inner is null ? new DatasetNotFoundException(message) : new DatasetNotFoundException(message, inner);
    }

    private static void CheckMirrors(IReadOnlyList<Uri> mirrors, string argument)
    {
        foreach (Uri mirror in mirrors)
        {
            if (mirror is not { IsAbsoluteUri: true } || mirror.Scheme is not ("http" or "https"))
            {
                throw new ArgumentException($"Expected absolute http or https addresses; got '{mirror?.ToString() ?? "null"}'.", argument);
            }
        }
    }

    private static string DefaultCache()
    {
        if (Environment.GetEnvironmentVariable(CacheVariable) is { Length: > 0 } chosen)
        {
            return chosen;
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string caches = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg) ? xdg
            : Path.Combine(home, ".cache");
        return Path.Combine(Path.IsPathRooted(caches) ? caches : Path.GetTempPath(), "backprop-simd");
    }
}
