using System.Text.Json.Serialization;

namespace Backprop.Simd.Samples;

/// <summary>One image, or several; numbers from 0 (paper) to 1 (ink), row by row.</summary>
internal sealed record PredictRequest
{
    public float[]? Pixels { get; init; }

    public float[]?[]? Rows { get; init; }
}

/// <summary>The digit of an image, and how probable each digit is.</summary>
internal sealed record Prediction(int Digit, float[] Probabilities);

/// <summary>The digits of several images, in their order.</summary>
internal sealed record Predictions(
    [property: JsonPropertyName("predictions")] Prediction[] Items);

/// <summary>Whether the service runs, and what it serves.</summary>
internal sealed record Health(string Status, int Parameters, double TestAccuracy);

/// <summary>The problem of a request (RFC 9457): what was expected, and what came.</summary>
internal sealed record Problem(string Title, int Status, string Detail, string Expected, string Actual);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(PredictRequest))]
[JsonSerializable(typeof(Prediction))]
[JsonSerializable(typeof(Predictions))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ServeJson : JsonSerializerContext;
