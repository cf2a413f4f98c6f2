using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Backprop.Simd.Tests.Datasets;

/// <summary>What a mirror answers.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The bytes announced.</param>
/// <param name="Headers">Further headers, each with its line end.</param>
/// <param name="SendOnly">The bytes sent before the connection is cut; all by default.</param>
/// <param name="Stall">Whether the connection is held open instead of being cut.</param>
internal sealed record Reply(int Status, byte[] Body, string Headers = "", int SendOnly = int.MaxValue, bool Stall = false);

/// <summary>One request.</summary>
/// <param name="Mirror">The first part of the path.</param>
/// <param name="File">The last part of the path.</param>
/// <param name="From">The first byte asked for.</param>
internal sealed record Request(string Mirror, string File, int From);

/// <summary>A server of files on the loopback interface: one request a connection, answered as a test wants it.</summary>
internal sealed class TinyServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<Request, Reply> _answer;
    private readonly List<Request> _requests = [];

    public TinyServer(Func<Request, Reply> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    public Request[] Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    public Uri Mirror(string name) => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/{name}/");

    /// <summary>The answer of a server that knows ranges.</summary>
    public static Reply Whole(byte[] file, int from, int sendOnly = int.MaxValue) =>
        from == 0 ? new Reply(200, file, SendOnly: sendOnly)
        : from < file.Length ? new Reply(206, file[from..], $"Content-Range: bytes {from}-{file.Length - 1}/{file.Length}\r\n", sendOnly)
        : new Reply(416, [], $"Content-Range: bytes */{file.Length}\r\n");

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                var request = await ReadAsync(stream);
                lock (_requests)
                    _requests.Add(request);
                var reply = _answer(request);
                var head = $"HTTP/1.1 {reply.Status} Status\r\nContent-Length: {reply.Body.Length}\r\nConnection: close\r\n{reply.Headers}\r\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
                await stream.WriteAsync(reply.Body.AsMemory(0, Math.Min(reply.SendOnly, reply.Body.Length)));
                if (reply.Stall)
                    await Task.Delay(Timeout.Infinite, _end.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
            {
            }
        }
    }

    private static async Task<Request> ReadAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var path = (await reader.ReadLineAsync())!.Split(' ')[1].Split('/');
        var from = 0;
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
                from = int.Parse(line["Range: bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        }

        return new Request(path[1], path[^1], from);
    }
}
