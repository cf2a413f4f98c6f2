namespace Backprop.Simd.Datasets;

/// <summary>How files are found and downloaded.</summary>
public sealed record DownloadOptions
{
    /// <summary>
    /// Where sets are kept, each in a folder of its own. By default the environment variable <c>BACKPROP_SIMD_DATA</c>, else
    /// <c>backprop-simd</c> in the user's cache: <c>LocalApplicationData</c> on Windows, <c>~/Library/Caches</c> on macOS,
    /// <c>XDG_CACHE_HOME</c> or <c>~/.cache</c> elsewhere.
    /// </summary>
    public string? CacheDirectory { get; init; }

    /// <summary>Whether only files that are here already are used. False by default.</summary>
    public bool Offline { get; init; }

    /// <summary>Folders on the web in place of the set's own, tried in this order.</summary>
    public IReadOnlyList<Uri>? Mirrors { get; init; }

    /// <summary>Told about every block of bytes that arrives.</summary>
    public IProgress<DownloadProgress>? Progress { get; init; }

    /// <summary>How long a mirror may send nothing, 30 seconds by default.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The client that is used, and stays the caller's, for proxies and credentials; by default one that ends with the
    /// download.</summary>
    public HttpClient? Client { get; init; }
}
