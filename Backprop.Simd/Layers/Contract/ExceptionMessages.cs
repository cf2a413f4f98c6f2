namespace Backprop.Simd.Layers;

/// <summary>Messages of exceptions, for use in the messages of other exceptions.</summary>
internal static class ExceptionMessages
{
    /// <summary>The message without its end, where an exception adds the name of the parameter.</summary>
    public static string WithoutParameter(this ArgumentException error)
    {
        var suffix = $" (Parameter '{error.ParamName}')";
        return error.Message.EndsWith(suffix, StringComparison.Ordinal) ? error.Message[..^suffix.Length] : error.Message;
    }
}
