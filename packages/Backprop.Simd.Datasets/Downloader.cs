using System.Net;
using System.Net.Http.Headers;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Datasets;

/// <summary>A mirror did not give a file.</summary>
/// <param name="address">The address of the file.</param>
/// <param name="why">Its answer.</param>
/// <param name="inner">The failure behind it.</param>
internal sealed class MirrorException(Uri address, string why, Exception? inner = null) : Exception($"{address}: {why}", inner);

/// <summary>Downloads files into a folder.</summary>
/// <remarks>
/// Bytes go to <c>name.gz.part</c>, which a later attempt continues with a range request; a mirror without ranges sends the
/// whole file again. The complete content is checked and written through <see cref="AtomicFile"/>. A part that turns out wrong is
/// deleted. If it was continued, its mirror gets a second chance from the start, since parts from two mirrors may not fit.
/// </remarks>
internal sealed class Downloader : IDisposable
{
    // The error of an exclusive open while another process has the file open: on Windows, on Linux, on macOS.
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int WouldBlockLinux = 11;
    private const int WouldBlockMac = 35;

    private readonly DownloadOptions _options;
    private readonly HttpClient _client;

    public Downloader(DownloadOptions options)
    {
        _options = options;
        _client = options.Client ?? new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose()
    {
        if (_options.Client is null)
        {
            _client.Dispose();
        }
    }

    /// <summary>Makes a folder and waits until this process alone may download into it. The lock file stays there.</summary>
    public static async Task<FileStream> ClaimAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, ".lock");
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException error) when (error.HResult is SharingViolation or WouldBlockLinux or WouldBlockMac)
            {
                await Task.Delay(50, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Tries mirror after mirror.</summary>
    /// <returns>The failures; one for each mirror if no mirror gave the file.</returns>
    public async Task<List<MirrorException>> FetchAsync(
        MnistFile file, IReadOnlyList<Uri> mirrors, string folder, CancellationToken cancellationToken)
    {
        var failures = new List<MirrorException>();
        foreach (Uri mirror in mirrors)
        {
            try
            {
                await FetchAsync(file, AddressOf(mirror, file), folder, cancellationToken).ConfigureAwait(false);
                break;
            }
            catch (MirrorException failure)
            {
                failures.Add(failure);
                DeleteIfEmpty(PartOf(file, folder));
            }
        }

        return failures;
    }

    private static Uri AddressOf(Uri mirror, MnistFile file) => new($"{mirror.AbsoluteUri.TrimEnd('/')}/{file.Name}.gz");

    private static string PartOf(MnistFile file, string folder) => Path.Combine(folder, $"{file.Name}.gz.part");

    private static void DeleteIfEmpty(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: 0 })
        {
            File.Delete(path);
        }
    }

    private async Task FetchAsync(MnistFile file, Uri address, string folder, CancellationToken cancellationToken)
    {
        string part = PartOf(file, folder);
        bool continued = await CompleteAsync(file, address, part, cancellationToken).ConfigureAwait(false);
        if (!TryFinish(file, part, folder, out DatasetFormatException? wrong) && continued)
        {
            await CompleteAsync(file, address, part, cancellationToken).ConfigureAwait(false);
            TryFinish(file, part, folder, out wrong);
        }

        if (wrong is not null)
        {
            throw new MirrorException(address, wrong.Message, wrong);
        }
    }

    // If a connection was cut after it brought something, the same mirror is asked to go on.
    private async Task<bool> CompleteAsync(MnistFile file, Uri address, string part, CancellationToken cancellationToken)
    {
        using var stream = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        long had = stream.Length;
        while (true)
        {
            long before = stream.Length;
            try
            {
                bool restarted = await ReceiveAsync(file, address, stream, cancellationToken).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
                return had > 0 && !restarted;
            }
            catch (MirrorException) when (stream.Length > before)
            {
            }
        }
    }

    /// <returns>Whether the mirror sent the file from its start.</returns>
    private async Task<bool> ReceiveAsync(MnistFile file, Uri address, FileStream part, CancellationToken cancellationToken)
    {
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using HttpResponseMessage response = await AskAsync(address, part.Length, clock, cancellationToken).ConfigureAwait(false);
        HttpContentHeaders headers = response.Content.Headers;
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent when headers.ContentRange?.From == part.Length:
                break;
            case HttpStatusCode.OK:
                part.SetLength(0);
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when part.Length > 0 && headers.ContentRange?.Length == part.Length:
                return false;
            case HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.PartialContent when part.Length > 0:
                part.SetLength(0);
                return await ReceiveAsync(file, address, part, cancellationToken).ConfigureAwait(false);
            default:
                throw new MirrorException(address, $"HTTP {(int)response.StatusCode} ({response.ReasonPhrase})");
        }

        bool restarted = part.Length == 0;
        part.Position = part.Length;
        await CopyAsync(file, address, response, part, clock, cancellationToken).ConfigureAwait(false);
        return restarted;
    }

    private async Task<HttpResponseMessage> AskAsync(
        Uri address, long from, CancellationTokenSource clock, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (from > 0)
        {
            request.Headers.Range = new RangeHeaderValue(from, null);
        }

        clock.CancelAfter(_options.Timeout);
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, clock.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (IsMirrors(error, cancellationToken))
        {
            throw Failed(address, error);
        }
    }

    private async Task CopyAsync(
        MnistFile file, Uri address, HttpResponseMessage response, FileStream part, CancellationTokenSource clock, CancellationToken cancellationToken)
    {
        // Compressed or not, a file takes little more than its content.
        long most = file.Length + (file.Length >> 8) + 4096;
        long? total = part.Length + response.Content.Headers.ContentLength;
        string name = Path.GetFileName(address.LocalPath);
        var buffer = new byte[1 << 16];
        while (true)
        {
            int read;
            try
            {
                clock.CancelAfter(_options.Timeout);
                Stream body = await response.Content.ReadAsStreamAsync(clock.Token).ConfigureAwait(false);
                read = await body.ReadAsync(buffer, clock.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (IsMirrors(error, cancellationToken))
            {
                throw Failed(address, error);
            }

            if (read == 0)
            {
                return;
            }

            if (part.Length + read > most)
            {
                part.SetLength(0);
                throw new MirrorException(address, $"it sent more than {most} bytes; '{file.Name}' has {file.Length}, uncompressed");
            }

            part.Write(buffer, 0, read);
            _options.Progress?.Report(new DownloadProgress(name, part.Length, total));
        }
    }

    private static bool TryFinish(MnistFile file, string part, string folder, out DatasetFormatException? wrong)
    {
        wrong = null;
        try
        {
            AtomicFile.Write(Path.Combine(folder, file.Name), target => MnistSet.CopyChecked(part, file, target));
        }
        catch (DatasetFormatException error)
        {
            wrong = error;
        }

        File.Delete(part);
        return wrong is null;
    }

    // A cancellation by the caller is not the mirror's failure; a timeout is.
    private static bool IsMirrors(Exception error, CancellationToken cancellationToken) =>
        error is HttpRequestException or IOException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private MirrorException Failed(Uri address, Exception error) => new(
        address, error is OperationCanceledException ? $"no answer within {_options.Timeout.TotalSeconds:0.#} seconds" : error.Message, error);
}
