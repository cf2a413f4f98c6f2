using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using Backprop.Simd.Inference;

namespace Backprop.Simd.Samples;

/// <summary>The routes. Everything that a caller sends is checked before it reaches the network.</summary>
internal sealed class Service
{
    /// <summary>The most images of a request.</summary>
    public const int MostRows = 512;

    /// <summary>The longest body: 512 images of 64 numbers of up to 30 characters.</summary>
    public const int MostBytes = 1 << 20;

    private const string Form = """{"pixels": [64 numbers]} or {"rows": [[64 numbers], ...]}""";

    private readonly Predictor<float> _predictor;
    private readonly Health _health;
    private readonly byte[] _page;

    public Service(Predictor<float> predictor, double testAccuracy)
    {
        _predictor = predictor;
        Pixels = predictor.InputShape.Size;
        Classes = predictor.OutputShape.Size;
        _health = new Health("ok", predictor.Network.Definition.Parameters.Count, testAccuracy);
        using var page = typeof(Service).Assembly.GetManifestResourceStream("Page.html")
            ?? throw new InvalidOperationException("The page is missing from the assembly.");
        _page = new byte[page.Length];
        page.ReadExactly(_page);
    }

    public int Pixels { get; }

    public int Classes { get; }

    /// <summary>A server on the loopback interface; not started.</summary>
    public WebApplication Create(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None); // A port in use is reported on one line.
        builder.WebHost.UseUrls(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBytes;
            kestrel.Limits.MaxConcurrentConnections = 1024;
        });
        var app = builder.Build();
        app.MapPost("/predict", (RequestDelegate)Predict);
        app.MapGet("/health", (RequestDelegate)(context => context.Response.WriteAsJsonAsync(_health, ServeJson.Default.Health)));
        app.MapGet("/", (RequestDelegate)Page);
        return app;
    }

    private async Task Predict(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            await Refuse(context, 415, "The body is not JSON.", "application/json", context.Request.ContentType ?? "no content type");
            return;
        }

        PredictRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync(context.Request.Body, ServeJson.Default.PredictRequest, context.RequestAborted);
        }
        catch (JsonException e)
        {
            await Refuse(context, 400, "The body is not a request.", Form, e.Message);
            return;
        }
        catch (IOException e)
        {
            // Kestrel also throws exceptions of other kinds for a malformed body, and cannot go on after it.
            context.Response.Headers.Connection = "close";
            var status = e is BadHttpRequestException { StatusCode: var known } ? known : 400;
            await Refuse(context, status, "The body cannot be read.", $"at most {MostBytes} bytes, sent as HTTP says", e.Message);
            return;
        }

        if (Check(request) is { } problem)
        {
            await Refuse(context, 400, "The request does not fit the network.", problem.Expected, problem.Actual);
            return;
        }

        float[]?[] rows = request!.Rows ?? [request.Pixels];
        var predictions = Answer(rows);
        if (Array.Find(predictions, static p => !TensorPrimitives.IsFiniteAll<float>(p.Probabilities)) is not null)
        {
            await Refuse(context, 500, "The network has no answer.", "probabilities that are finite", "others");
            return;
        }

        if (request.Rows is null)
            await context.Response.WriteAsJsonAsync(predictions[0], ServeJson.Default.Prediction);
        else
            await context.Response.WriteAsJsonAsync(new Predictions(predictions), ServeJson.Default.Predictions);
    }

    private Prediction[] Answer(float[]?[] rows)
    {
        var inputs = new float[rows.Length * Pixels];
        for (var r = 0; r < rows.Length; r++)
            rows[r]!.CopyTo(inputs, r * Pixels);
        var probabilities = new float[rows.Length * Classes];
        _predictor.PredictProbabilities(inputs, probabilities);

        var predictions = new Prediction[rows.Length];
        for (var r = 0; r < rows.Length; r++)
        {
            var row = probabilities.AsSpan(r * Classes, Classes);
            predictions[r] = new Prediction(TensorPrimitives.IndexOfMax<float>(row), row.ToArray());
        }

        return predictions;
    }

    /// <summary>What is wrong with a request, or null.</summary>
    private (string Expected, string Actual)? Check(PredictRequest? request)
    {
        if (request is null || request.Pixels is null == request.Rows is null)
            return (Form, request is null ? "null" : request.Rows is null ? "neither" : "both");
        if (request.Pixels is { } pixels)
            return Check("pixels", pixels);
        if (request.Rows!.Length > MostRows)
            return ($"at most {MostRows} rows", $"{request.Rows.Length} rows");
        for (var r = 0; r < request.Rows.Length; r++)
        {
            if (Check($"rows[{r}]", request.Rows[r]) is { } problem)
                return problem;
        }

        return null;
    }

    private (string Expected, string Actual)? Check(string name, float[]? row)
    {
        if (row is null || row.Length != Pixels)
            return ($"{Pixels} numbers in {name}", row is null ? "null" : $"{row.Length} numbers");
        var outside = Array.FindIndex(row, static x => !(x is >= 0 and <= 1));
        return outside < 0 ? null : ($"numbers from 0 to 1 in {name}", string.Create(CultureInfo.InvariantCulture, $"{row[outside]} at {outside}"));
    }

    private static Task Refuse(HttpContext context, int status, string title, string expected, string actual)
    {
        context.Response.StatusCode = status;
        var problem = new Problem(title, status, $"Expected {expected}; got {actual}", expected, actual);
        return context.Response.WriteAsJsonAsync(problem, ServeJson.Default.Problem, "application/problem+json");
    }

    private Task Page(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = _page.Length;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";
        return context.Response.Body.WriteAsync(_page, context.RequestAborted).AsTask();
    }
}
