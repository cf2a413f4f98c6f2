using System.Text.RegularExpressions;

namespace Backprop.Simd.Tests.Architecture;

/// <summary>The rules that the library's sources obey; each returns what breaks it.</summary>
internal static partial class SourceRules
{
    public const int LongestFile = 400, LongestLine = 160, MostParameters = 8;

    /// <summary>The comment that allows a longer signature: it stands on the line before the name, and says why.</summary>
    private const string LongSignature = "// More than eight parameters: ";

    private static readonly string[] Kernels = ["Memory", "Intrinsics", "Threading", "Kernels"];
    private static readonly string[] Layers = [.. Kernels, "Activations", "Initializers", "Layers"];
    private static readonly string[] Networks = [.. Layers, "Losses", "Optimizers", "Execution", "Data", "Networks"];

    /// <summary>Which folders each folder of the library may use, itself left out.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Allowed = new Dictionary<string, string[]>
    {
        ["Memory"] = [],
        ["Intrinsics"] = ["Memory"],
        ["Threading"] = ["Memory", "Intrinsics"],
        ["Kernels"] = ["Memory", "Intrinsics", "Threading"],
        ["Initializers"] = Kernels,
        ["Activations"] = [.. Kernels, "Initializers"],
        ["Layers"] = [.. Kernels, "Activations", "Initializers"],
        ["Losses"] = Layers,
        ["Optimizers"] = Kernels,
        ["Schedules"] = ["Memory", "Threading", "Kernels"],
        ["Execution"] = [.. Layers, "Optimizers"],
        ["Networks"] = [.. Layers, "Losses", "Optimizers", "Execution", "Data"],
        ["Gradients"] = Networks,
        ["Data"] = Layers,
        ["Serialization"] = [.. Networks, "Data"],
        ["Inference"] = [.. Networks, "Data", "Serialization"],
        ["Training"] = [.. Networks, "Schedules", "Data", "Serialization", "Inference"],
        ["Tensors"] = [.. Networks, "Data", "Serialization", "Inference"],
        ["Properties"] = [],
    };

    private static readonly string[] UnsafeFolders = ["Memory", "Intrinsics", "Threading", "Kernels"];

    // Instructions lie in Intrinsics, and one file picks the register width of all kernels.
    private static readonly string[] HardwareRooms = ["Intrinsics/", "Kernels/RegisterWidth.cs"];

    /// <summary>Names of other folders that a file of <paramref name="folder"/> uses against the arrows.</summary>
    public static List<string> Dependencies(string folder, string source)
    {
        if (!Allowed.TryGetValue(folder, out var allowed))
            return [$"the folder {folder} has no place in the order of dependencies"];
        var code = SourceText.CodeOf(source);
        return [.. FullName().Matches(code).Concat(RelativeName().Matches(code))
            .Select(match => match.Groups["folder"].Value)
            .Where(name => Allowed.ContainsKey(name) && name != folder && !allowed.Contains(name))
            .Distinct()
            .Select(name => $"{folder} uses {name}")];
    }

    /// <summary>Use of <c>unsafe</c> outside the four folders that may.</summary>
    public static List<string> Unsafe(string folder, string source) =>
        UnsafeFolders.Contains(folder) || !UnsafeWord().IsMatch(SourceText.CodeOf(source)) ? [] : [$"unsafe code in {folder}"];

    /// <summary>Calls into native code.</summary>
    public static List<string> NativeCalls(string source) =>
        [.. NativeWord().Matches(SourceText.CodeOf(source)).Select(match => match.Value).Distinct()];

    /// <summary>The namespace is that of the folder; subfolders may add their name.</summary>
    public static List<string> Namespaces(string folder, string source)
    {
        var expected = "Backprop.Simd." + folder;
        return [.. Namespace().Matches(SourceText.CodeOf(source))
            .Select(match => match.Groups["name"].Value)
            .Where(name => name != expected && !name.StartsWith(expected + ".", StringComparison.Ordinal))];
    }

    /// <summary>Tests of what the hardware has, outside the rooms that may make them.</summary>
    /// <param name="path">The file below the library's folder, with slashes.</param>
    /// <param name="source">Its text.</param>
    public static List<string> HardwareTests(string path, string source) =>
        HardwareRooms.Any(room => path.StartsWith(room, StringComparison.Ordinal))
            ? [] : [.. HardwareWord().Matches(SourceText.CodeOf(source)).Select(match => match.Value).Distinct()];

    /// <summary>Files and lines that are too long to read.</summary>
    public static List<string> Lengths(string source)
    {
        var lines = source.Split('\n');
        var count = lines.Length - (lines[^1].Length == 0 ? 1 : 0);
        var wide = lines.Index().Where(line => line.Item.TrimEnd('\r').Length > LongestLine);
        return
        [
            .. count > LongestFile ? [$"{count} lines"] : (string[])[],
            .. wide.Select(line => $"line {line.Index + 1} has {line.Item.Length} characters"),
        ];
    }

    /// <summary>Methods, constructors, records and delegates with too many parameters.</summary>
    public static List<string> Signatures(string source)
    {
        var code = SourceText.CodeOf(source);
        var lines = source.Split('\n');
        var found = new List<string>();
        foreach (Match match in NameAndParenthesis().Matches(code))
        {
            var parameters = Parts(code, match.Index + match.Length);
            if (parameters.Count <= MostParameters || !parameters.All(Parameter().IsMatch))
                continue;
            var line = code.AsSpan(0, match.Index).Count('\n');
            if (line == 0 || !lines[line - 1].TrimStart().StartsWith(LongSignature, StringComparison.Ordinal))
                found.Add($"line {line + 1}: {match.Groups["name"].Value} has {parameters.Count} parameters");
        }

        return found;
    }

    /// <summary>What lies between the commas, up to the parenthesis that closes the list; nothing if statements lie before it.</summary>
    private static List<string> Parts(string code, int start)
    {
        var parts = new List<string>();
        var depth = 0;
        for (var i = start; i < code.Length; i++)
        {
            if (depth == 0 && code[i] is ',' or ')')
            {
                parts.Add(code[start..i].Trim());
                start = i + 1;
                if (code[i] == ')')
                    break;
            }
            else if (code[i] is ';' or '{')
            {
                return [];
            }
            else if (code[i] is '(' or '[' or '<')
            {
                depth++;
            }
            else if (code[i] is ')' or ']' or '>')
            {
                depth--;
            }
        }

        return parts;
    }

    [GeneratedRegex(@"\b(?<name>[A-Za-z_]\w*)\s*(<[\w,\s]+>)?\(")]
    private static partial Regex NameAndParenthesis();

    // A type and a name: an argument of a call is no such pair.
    [GeneratedRegex(@"^(\[[^\]]*\]\s*)*((this|in|ref|out|readonly|scoped|params)\s+)*[A-Za-z_][\w.?*<>\[\],()\s]*\s@?\w+(\s*=.*)?$", RegexOptions.Singleline)]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\bBackprop\.Simd\.(?<folder>\w+)")]
    private static partial Regex FullName();

    // Inside namespace Backprop.Simd.X, Y.Type means Backprop.Simd.Y.Type. A member of that name follows a dot or is no type.
    [GeneratedRegex(@"(?<![\w.])(?<folder>[A-Z]\w+)\.(?=[A-Z]\w*\s*[<.({;)\]>])(?!(Span|Length|Count|Rows|Columns|Slice|Pin)\b)")]
    private static partial Regex RelativeName();

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeWord();

    [GeneratedRegex(@"\b(DllImport|LibraryImport|NativeLibrary|extern|SuppressUnmanagedCodeSecurity)\b|delegate\s*\*\s*unmanaged")]
    private static partial Regex NativeWord();

    [GeneratedRegex(@"\bIs(HardwareAccelerated|Supported)\b")]
    private static partial Regex HardwareWord();

    [GeneratedRegex(@"^\s*namespace\s+(?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
