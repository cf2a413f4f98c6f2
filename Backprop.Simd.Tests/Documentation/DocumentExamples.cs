using System.Text.RegularExpressions;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>
/// Holds the C# blocks of a document equal to code that is compiled and run: the lines between <c>// begin Name</c> and <c>// end Name</c> in a
/// source file. Only the using lines of a block are not compared.
/// </summary>
internal static partial class DocumentExamples
{
    /// <summary>Asserts that a document has a block for each name, and shows one as it is run.</summary>
    /// <param name="document">The document's path from the root of the repository.</param>
    /// <param name="source">The source file's path from there.</param>
    /// <param name="names">The names of all blocks, in the order of the document.</param>
    /// <param name="name">The block to compare.</param>
    public static void AssertShown(string document, string source, string[] names, string name)
    {
        var blocks = Block().Matches(Read(document));
        Assert.Equal(names.Length, blocks.Count);
        var shown = Using().Replace(blocks[Array.IndexOf(names, name)].Groups[1].Value, "").Trim();
        Assert.Equal(shown, Run(Read(source), name));
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(RepositoryRoot.Path, path));

    private static string Run(string source, string name)
    {
        var begin = source.IndexOf($"// begin {name}\n", StringComparison.Ordinal);
        var end = source.IndexOf($"// end {name}\n", StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, $"The source has no lines between '// begin {name}' and '// end {name}'.");
        begin = source.IndexOf('\n', begin) + 1;
        var margin = new string(' ', end - source.LastIndexOf('\n', end) - 1);
        return string.Join('\n', source[begin..end].Split('\n').Select(l => l.StartsWith(margin, StringComparison.Ordinal) ? l[margin.Length..] : l)).Trim();
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^using [\w.]+;\n", RegexOptions.Multiline)]
    private static partial Regex Using();
}
