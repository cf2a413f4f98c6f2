using System.Net.Sockets;
using System.Text;

namespace Backprop.Simd.Samples;

/// <summary>Malformed requests that no HTTP client sends. Each must be answered as the caller's fault.</summary>
internal sealed class RawRequests(Uri address)
{
    private const string Post = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    private const string Chunked = Post + "Transfer-Encoding: chunked\r\n\r\n";

    private static readonly string[] _requests =
    [
        .. ((string[])["FFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFF", "80000000", "FFFFFFFFF", "FFFFFFFFFFFFFFFFFFFFFFFF", "-1", "zz", "", " 5", "0x5", "5\0"])
            .Select(size => $"{Chunked}{size}\r\nhello\r\n0\r\n\r\n"),
        $"{Chunked}5\r\nhelloworld\r\n0\r\n\r\n",
        $"{Chunked}5\nhello\n0\n\n",
        $"{Chunked}2;{new string('x', 100_000)}\r\n{{}}\r\n0\r\n\r\n",
        $"{Chunked}2\r\n{{}}\r\n0\r\nno trailer\r\n\r\n",
        $"{Post}Content-Length: -1\r\n\r\n{{}}",
        $"{Post}Content-Length: abc\r\n\r\n{{}}",
        $"{Post}Content-Length: 99999999999999999999\r\n\r\n{{}}",
        $"{Post}Content-Length: 9223372036854775807\r\n\r\n{{}}",
        $"{Post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
        $"{Post}Transfer-Encoding: gzip\r\n\r\n{{}}",
        $"{Post}Transfer-Encoding: chunked, gzip\r\n\r\n{{}}",
        $"{Post}\r\n",
        .. ((string[])["", "\0", "\uFEFF", "\u00FF\u00FE", "[", "{\"pixels\":", "{\"\\ud800\":1}", "{\"pixels\":\"x\"}", "{\"pixels\":[\"0\"]}",
            "{\"pixels\":[null]}", "{\"pixels\":[1e999]}", "{\"pixels\":[-1e999]}", "{\"pixels\":[NaN]}", "{\"pixels\":[],\"pixels\":[]}",
            "{\"rows\":{}}", "{\"rows\":[[[]]]}", "{\"rows\":[1]}",
            new string('[', 100_000), "{\"rows\":" + new string('[', 100_000), "{} {}", "1", "true", "\"x\""])
            .Select(body => $"{Post}Content-Length: {body.Length}\r\n\r\n{body}"),
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: ;;;=\r\nContent-Length: 2\r\n\r\n{}",
        "POST /predict HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        "GET /predict HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        $"GET / HTTP/1.1\r\nHost: x\r\nLong: {new string('x', 100_000)}\r\n\r\n",
        $"GET /{new string('x', 100_000)} HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET\r\n\r\n",
        "\u0016\u0003\u0001 hello\r\n\r\n",
    ];

    /// <summary>The requests whose answer was not a status of 400 to 499.</summary>
    public async Task<IReadOnlyList<string>> Problems()
    {
        var problems = new List<string>();
        foreach (var request in _requests)
        {
            var answer = await Answer(request);
            if (!answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal))
            {
                problems.Add($"{request[..Math.Min(160, request.Length)].ReplaceLineEndings(" | ")}: expected a status of 400 to 499; "
                    + $"got '{answer[..Math.Min(200, answer.Length)]}'");
            }
        }

        return problems;
    }

    /// <summary>The start of the answer.</summary>
    private async Task<string> Answer(string request)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), limit.Token);
        }
        catch (IOException)
        {
            // The server may answer, and close, before it has read everything.
        }

        try
        {
            var buffer = new byte[4096];
            var read = await stream.ReadAtLeastAsync(buffer, "HTTP/1.1 400".Length, throwOnEndOfStream: false, limit.Token);
            return Encoding.Latin1.GetString(buffer, 0, read);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return e.Message;
        }
    }
}
