using System.Text;

namespace Backprop.Simd.Tests.Architecture;

/// <summary>A C# source without its comments and the contents of its strings, line structure kept.</summary>
internal static class SourceText
{
    public static string CodeOf(string source)
    {
        var code = new StringBuilder(source.Length);
        for (var i = 0; i < source.Length;)
        {
            if (At(source, i, "//"))
            {
                while (i < source.Length && source[i] != '\n')
                    i++;
            }
            else if (At(source, i, "/*"))
            {
                i = Skip(source, i, End(source, i + 2, "*/"), code);
            }
            else if (At(source, i, "\"\"\""))
            {
                var quotes = 3;
                while (i + quotes < source.Length && source[i + quotes] == '"')
                    quotes++;
                i = Skip(source, i, End(source, i + quotes, new string('"', quotes)), code);
            }
            else if (source[i] == '"')
            {
                i = Skip(source, i, EndOfString(source, i), code);
            }
            else if (source[i] == '\'')
            {
                i = Skip(source, i, End(source, i + (At(source, i, "'\\") ? 3 : 1), "'"), code);
            }
            else
            {
                code.Append(source[i++]);
            }
        }

        return code.ToString();
    }

    private static bool At(string source, int index, string text) => string.CompareOrdinal(source, index, text, 0, text.Length) == 0;

    private static int End(string source, int from, string text)
    {
        var at = from > source.Length ? -1 : source.IndexOf(text, from, StringComparison.Ordinal);
        return at < 0 ? source.Length : at + text.Length;
    }

    private static int EndOfString(string source, int start)
    {
        var verbatim = start > 0 && (source[start - 1] == '@' || source[start - 1] == '$' && start > 1 && source[start - 2] == '@');
        for (var i = start + 1; i < source.Length; i++)
        {
            if (source[i] == '\\' && !verbatim)
                i++;
            else if (source[i] == '"' && verbatim && At(source, i, "\"\""))
                i++;
            else if (source[i] == '"')
                return i + 1;
        }

        return source.Length;
    }

    /// <summary>Leaves a blank and the line ends of what is skipped.</summary>
    private static int Skip(string source, int from, int to, StringBuilder code)
    {
        code.Append(' ');
        for (var i = from; i < to; i++)
        {
            if (source[i] == '\n')
                code.Append('\n');
        }

        return to;
    }
}
