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

    /// <summary>True to use only files that are on this machine. False by default.</summary>
    public bool Offline { get; init; }

    /// <summary>Folders on the web that replace the set's mirrors, tried in this order.</summary>
    public IReadOnlyList<Uri>? Mirrors { get; init; }

    /// <summary>Receives a report for every block of bytes that arrives.</summary>
    public IProgress<DownloadProgress>? Progress { get; init; }

    /// <summary>How long a mirror may stay silent, 30 seconds by default.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The HTTP client, for proxies and credentials; the caller disposes it. By default each download has its
    /// own.</summary>
    public HttpClient? Client { get; init; }
}
