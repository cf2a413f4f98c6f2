namespace Backprop.Simd.Layers;

/// <summary>Messages of exceptions that are taken over into others.</summary>
internal static class ExceptionMessages
{
    /// <summary>The message without the end that names the parameter, which an exception adds by itself.</summary>
    public static string WithoutParameter(this ArgumentException error)
    {
        var suffix = $" (Parameter '{error.ParamName}')";
        return error.Message.EndsWith(suffix, StringComparison.Ordinal) ? error.Message[..^suffix.Length] : error.Message;
    }
}
