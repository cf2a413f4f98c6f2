using System.Text.RegularExpressions;
using Backprop.Simd.Interchange;
using Backprop.Simd.Serialization;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>
/// ONNX's own tests of its operators (onnx/backend/test), from Debian's package libonnx-testdata: numbers that nobody here made.
/// Where the package is missing nothing is run, and the output says so.
/// </summary>
/// <param name="output">What is told.</param>
public sealed class OnnxNodeTests(ITestOutputHelper output)
{
    /// <summary>The bound on |actual - expected| is this, plus 1e-5 |expected|. ONNX's own is 1e-7 + 1e-3 |expected|.</summary>
    private const double Absolute = 1e-6, Relative = 1e-5;

    /// <summary>The cases that are run of version 1.12 of the package; later ones have more.</summary>
    private const int MinimumRun = 620;

    /// <summary>Those among them that are imported.</summary>
    private const int MinimumImported = 540;

    private const string Missing = "not run: the package libonnx-testdata is not installed";

    /// <summary>Operators of the import that version 1.12 does not have, or of which no case has inputs that count.</summary>
    private static readonly string[] WithoutCases = ["Gelu", "GroupNormalization", "Mish", "Not", "Shape", "Silu", "Size"];

    /// <summary>The cases.</summary>
    public static TheoryData<string> Cases
    {
        get
        {
            var cases = new TheoryData<string>();
            foreach (var name in OnnxCase.IsInstalled ? OnnxCase.Names() : [])
            {
                cases.Add(name);
            }

            if (cases.Count == 0)
                cases.Add(Missing);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_library_gives_the_outputs_of_ONNX(string name)
    {
        if (name == Missing)
        {
            output.WriteLine(Missing);
            return;
        }

        var @case = OnnxCase.Open(name);
        var (reason, notCompared) = Run(@case);
        if (reason is not null)
            output.WriteLine($"left out: {reason}");
        foreach (var what in notCompared)
            output.WriteLine($"not compared: {what}");
    }

    [Fact]
    public void Every_case_is_run_or_left_out_for_a_reason()
    {
        if (!OnnxCase.IsInstalled)
        {
            output.WriteLine(Missing);
            return;
        }

        SortedDictionary<string, int> ran = [], imported = [], reasons = [], notCompared = [];
        foreach (var name in OnnxCase.Names())
        {
            var @case = OnnxCase.Open(name);
            var (reason, without) = Run(@case);
            Count(reason is null ? ran : reasons, reason ?? @case.Node.Operator);
            if (reason is null && OnnxOperators.Of(@case) is null)
                Count(imported, @case.Node.Operator);
            foreach (var what in without)
                Count(notCompared, what);
        }

        Tell("run, by operator", ran);
        Tell("left out, by reason", reasons);
        Tell("outputs not compared", notCompared);
        output.WriteLine($"imported: {imported.Values.Sum()}");
        Assert.True(ran.Values.Sum() >= MinimumRun, $"Only {ran.Values.Sum()} cases were run.");
        Assert.True(imported.Values.Sum() >= MinimumImported, $"Only {imported.Values.Sum()} cases were imported.");
        Assert.Equal(WithoutCases, Operators.Known.Except(imported.Keys).Order(StringComparer.Ordinal));
    }

    /// <summary>Runs a case and compares.</summary>
    /// <returns>Why it was left out, or null; the outputs that the library does not give.</returns>
    private static (string? Reason, IReadOnlyList<string> NotCompared) Run(OnnxCase c)
    {
        IReadOnlyDictionary<string, OnnxTensor>? results;
        var row = OnnxOperators.Of(c);
        try
        {
            (results, var refusal) = row is null ? ImportedCase.Run(c)
                : (c.OutputNames.Zip(row(c)).Where(r => r.Second is not null).ToDictionary(r => r.First, r => r.Second!), null);
            if (results is null)
                return (ReasonOf(refusal!), []);
        }
        catch (LeftOutException left)
        {
            return (left.Message, []);
        }
        catch (ModelFileException wrongType)
        {
            return (wrongType.Message, []);
        }

        if (row is not null)
            Assert.True(!c.Unread().Any(), $"{c} has attributes that are not understood: {string.Join(", ", c.Unread())}.");
        List<string> notCompared = [];
        var compared = 0;
        for (var i = 0; i < c.OutputNames.Count; i++)
        {
            if (c.OutputNames[i].Length == 0)
                continue;
            if (results.TryGetValue(c.OutputNames[i], out var actual))
            {
                var expected = c.Expected(c.OutputNames[i]);
                if (expected.Type is not (OnnxType.Float or OnnxType.Double or OnnxType.Int64 or OnnxType.Int32))
                    return ($"results of {expected.Type}", []);
                AssertClose(expected, actual, $"{c}, output {c.OutputNames[i]}");
                compared++;
            }
            else
            {
                notCompared.Add($"{c.Node.Operator}, output {i}");
            }
        }

        Assert.True(compared > 0, $"No output of {c} was compared.");
        return (null, notCompared);
    }

    /// <summary>A refusal without names and numbers, of the first node that is refused.</summary>
    internal static string ReasonOf(string refusal) =>
        Regex.Replace(Regex.Replace(refusal.Split(';')[0], "^The model cannot be imported: | '[^']*'| The graph so far.*", ""), @"\[[-0-9, ]*\]|-?[0-9]+", "#");

    private static void AssertClose(OnnxTensor expected, OnnxTensor actual, string what)
    {
        Assert.True(expected.Shape.SequenceEqual(actual.Shape),
            $"{what}: the shape is [{string.Join(", ", actual.Shape)}] instead of [{string.Join(", ", expected.Shape)}].");
        if (expected.IsInteger)
        {
            Assert.Equal(expected.Values, actual.Values);
            return;
        }

        for (var i = 0; i < expected.Size; i++)
        {
            var (e, a) = (expected.Numbers[i], actual.Values[i]);
            if (e != a && !(double.IsNaN(e) && double.IsNaN(a)) && !(Math.Abs(e - a) <= Absolute + Relative * Math.Abs(e)))
                Assert.Fail($"{what}: element {i} is {a:R} instead of {e:R}.");
        }
    }

    private static void Count(SortedDictionary<string, int> counts, string what) => counts[what] = counts.GetValueOrDefault(what) + 1;

    private void Tell(string what, SortedDictionary<string, int> counts)
    {
        output.WriteLine($"{what}: {counts.Values.Sum()}");
        foreach (var (name, count) in counts)
            output.WriteLine($"  {count,4} {name}");
    }
}
