namespace Backprop.Simd.Interchange;

/// <summary>Texts of files in messages.</summary>
internal static class Texts
{
    private const int Longest = 100;

    /// <summary>A text of a file: shortened, without control characters.</summary>
    public static string Shown(string text)
    {
        var shown = text.Length > Longest ? text[..Longest] + "..." : text;
        return string.Concat(shown.Select(static c => char.IsControl(c) ? '?' : c));
    }
}
