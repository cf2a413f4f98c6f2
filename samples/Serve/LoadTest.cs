using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Backprop.Simd.Datasets;
using Backprop.Simd.Inference;

namespace Backprop.Simd.Samples;

/// <summary>
/// Loads a service from many clients at once, single images and batches, and compares every answer, bit for bit, with the same
/// batch computed by one thread.
/// </summary>
internal sealed class LoadTest
{
    /// <summary>The most requests of a client, even if time is left.</summary>
    private const int MostRequests = 1_000_000;

    private const int Singles = 60, Batches = 20;

    private static readonly MediaTypeHeaderValue _json = new("application/json");

    private readonly Uri _predict;
    private readonly Uri _health;
    private readonly Uri _page;
    private readonly RawRequests _raw;
    private readonly Question[] _questions;

    public LoadTest(Uri address, Predictor<float> predictor, LabeledImages images)
    {
        (_predict, _health, _page) = (new Uri(address, "predict"), new Uri(address, "health"), address);
        _raw = new RawRequests(address);
        var reference = new SerialReference(predictor.Network, predictor.MaximumRows);
        _questions = new Question[Singles + Batches];
        for (var i = 0; i < _questions.Length; i++)
        {
            // Some batches are longer than the service computes at once.
            var rows = i < Singles ? 0 : 1 + (i - Singles) * 7 % 150;
            var pixels = new float[Math.Max(rows, 1) * images.PixelsPerImage];
            images.CopyRows(i, Math.Max(rows, 1), pixels);
            var lines = pixels.Chunk(images.PixelsPerImage).ToArray();
            var request = rows == 0 ? new PredictRequest { Pixels = pixels } : new PredictRequest { Rows = lines };
            _questions[i] = new Question(rows, JsonSerializer.SerializeToUtf8Bytes(request, ServeJson.Default.PredictRequest), reference.Probabilities(pixels));
        }
    }

    /// <summary>True if every answer came and was right.</summary>
    public async Task<bool> Run(ServeOptions options)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
        List<string> problems = [.. await Refusals(http), .. await _raw.Problems()];
        foreach (var problem in problems)
            Console.Error.WriteLine($"error: {problem}");

        var start = Stopwatch.GetTimestamp();
        var end = start + options.LoadTest * Stopwatch.Frequency;
        var clients = new ClientResult[options.Clients];
        await Task.WhenAll(Enumerable.Range(0, clients.Length).Select(i => Task.Run(async () => clients[i] = await Client(http, i, end))));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        Console.WriteLine($"{options.Clients} clients, {options.Threads} at a time in the network, {seconds:F1} s");
        Print("single images", clients.SelectMany(c => c.Singles), clients.Sum(c => c.Singles.Count), seconds);
        Print("batches", clients.SelectMany(c => c.Batches), clients.Sum(c => c.BatchRows), seconds);
        var (errors, differences) = (clients.Sum(c => c.Errors), clients.Sum(c => c.Differences));
        Console.WriteLine($"errors {errors}, answers that differ from serial inference {differences}");
        if (clients.FirstOrDefault(c => c.Problem is not null)?.Problem is { } first)
            Console.Error.WriteLine($"error: {first}");
        return problems.Count == 0 && errors == 0 && differences == 0 && clients.Any(c => c.Singles.Count > 0) && clients.Any(c => c.Batches.Count > 0);
    }

    private static void Print(string what, IEnumerable<long> ticks, long rows, double seconds)
    {
        var sorted = ticks.Order().ToArray();
        if (sorted.Length == 0)
        {
            Console.WriteLine($"{what}: none answered");
            return;
        }

        Console.WriteLine($"{what}: {sorted.Length / seconds:F0} requests/s, {rows / seconds:F0} images/s, "
            + $"median {Milliseconds(0.5):F2} ms, p99 {Milliseconds(0.99):F2} ms");

        double Milliseconds(double part) => sorted[(int)(part * (sorted.Length - 1))] * 1e3 / Stopwatch.Frequency;
    }

    /// <summary>One client: a request at a time, two single images to a batch.</summary>
    private async Task<ClientResult> Client(HttpClient http, int client, long end)
    {
        var result = new ClientResult();
        for (var i = 0; i < MostRequests && Stopwatch.GetTimestamp() < end && result.Errors < 100; i++)
        {
            var question = _questions[i % 3 < 2 ? (client + i) % Singles : Singles + (client + i / 3) % Batches];
            var start = Stopwatch.GetTimestamp();
            try
            {
                using var response = await http.PostAsync(_predict, Json(question.Body));
                var answer = await response.Content.ReadAsByteArrayAsync();
                var ticks = Stopwatch.GetTimestamp() - start;
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    result.Fail($"status {(int)response.StatusCode}: {Encoding.UTF8.GetString(answer)}");
                    continue;
                }

                (question.Rows == 0 ? result.Singles : result.Batches).Add(ticks);
                result.BatchRows += question.Rows;
                if (!question.IsAnsweredBy(answer))
                    result.Differences++;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or IOException)
            {
                result.Fail(e.Message);
            }
        }

        return result;
    }

    /// <summary>Requests that the service must refuse with a message that says why, and the routes that need no network.</summary>
    private async Task<List<string>> Refusals(HttpClient http)
    {
        var problems = new List<string>();
        var numbers = string.Join(',', Enumerable.Repeat("0.5", 64));
        await Expect(400, "not JSON at all", "not a request");
        await Expect(400, "null", "got null");
        await Expect(400, "{}", "got neither");
        await Expect(400, $$"""{"pixels":[{{numbers}}],"rows":[]}""", "got both");
        await Expect(400, """{"pixels":[0,1,0]}""", "Expected 64 numbers in pixels; got 3 numbers");
        await Expect(400, $$"""{"pixels":[7{{numbers[3..]}}]}""", "Expected numbers from 0 to 1 in pixels; got 7 at 0");
        await Expect(400, $$"""{"pixels":[1e99{{numbers[3..]}}]}""", "Expected");
        await Expect(400, $$"""{"rows":[[{{numbers}}],[1,2]]}""", "Expected 64 numbers in rows[1]; got 2 numbers");
        await Expect(400, $$"""{"rows":[[{{numbers}}],null]}""", "Expected 64 numbers in rows[1]; got null");
        await Expect(400, $$"""{"rows":[{{string.Join(',', Enumerable.Repeat("[]", Service.MostRows + 1))}}]}""",
            $"Expected at most {Service.MostRows} rows; got {Service.MostRows + 1} rows");
        await Expect(400, $$"""{"image":[{{numbers}}]}""", "not a request");
        await Expect(413, $$"""{"pixels":[{{new string(' ', Service.MostBytes)}}]}""", "bytes");
        await Expect(200, """{"rows":[]}""", "\"predictions\":[]");

        using var text = await http.PostAsync(_predict, new StringContent("x", Encoding.UTF8, "text/plain"));
        Note(415, text.StatusCode, await text.Content.ReadAsStringAsync(), "application/json", "text/plain");
        using var health = await http.GetAsync(_health);
        Note(200, health.StatusCode, await health.Content.ReadAsStringAsync(), "\"status\":\"ok\"", "/health");
        using var page = await http.GetAsync(_page);
        Note(200, page.StatusCode, await page.Content.ReadAsStringAsync(), "<canvas", "/");
        return problems;

        async Task Expect(int status, string body, string part)
        {
            try
            {
                using var response = await http.PostAsync(_predict, Json(Encoding.UTF8.GetBytes(body)));
                Note(status, response.StatusCode, await response.Content.ReadAsStringAsync(), part, body);
            }
            catch (HttpRequestException) when (status == 413)
            {
                // The server may close the connection of a body that it does not read.
            }
        }

        void Note(int expected, HttpStatusCode status, string answer, string part, string request)
        {
            if ((int)status != expected || !answer.Contains(part, StringComparison.Ordinal))
            {
                problems.Add($"{request[..Math.Min(60, request.Length)]}: expected {expected} and '{part}'; "
                    + $"got {(int)status} and '{answer[..Math.Min(200, answer.Length)]}'");
            }
        }
    }

    private static ByteArrayContent Json(byte[] body) => new(body) { Headers = { ContentType = _json } };

    /// <summary>What one client saw.</summary>
    private sealed class ClientResult
    {
        public List<long> Singles { get; } = [];

        public List<long> Batches { get; } = [];

        public long BatchRows { get; set; }

        public int Errors { get; private set; }

        public int Differences { get; set; }

        public string? Problem { get; private set; }

        public void Fail(string problem)
        {
            Errors++;
            Problem ??= problem;
        }
    }
}
