using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>
/// ONNX's own node tests, of every operator that the library has. They come with Debian's package libonnx-testdata; without it
/// there is nothing to run, and the output says so.
/// </summary>
public sealed class OnnxNodeTests(ITestOutputHelper output)
{
    private const string NotInstalled = "(libonnx-testdata is not installed)";

    /// <summary>Cases of supported operators in release 1.12 that the library computes.</summary>
    private const int LeastRun = 237;

    public static TheoryData<string> Cases => OnnxCase.IsInstalled
        ? [.. OnnxCase.Names.Where(n => OnnxCase.NodeOf(n) is { } node && OnnxOperators.All.ContainsKey(node.Operator))]
        : [NotInstalled];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_library_computes_the_case(string name)
    {
        if (name == NotInstalled)
        {
            output.WriteLine(NotInstalled);
            return;
        }

        if (Run(name) is { } reason)
            output.WriteLine($"left out: {reason}");
    }

    [Fact]
    public void Enough_cases_run_and_the_others_have_a_reason()
    {
        if (!OnnxCase.IsInstalled)
        {
            output.WriteLine(NotInstalled);
            return;
        }

        var run = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var left = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var (others, expanded) = (0, 0);
        foreach (var name in OnnxCase.Names)
        {
            if (OnnxCase.NodeOf(name) is not { } node)
                expanded++;
            else if (!OnnxOperators.All.ContainsKey(node.Operator))
                others++;
            else if (Run(name) is { } reason)
                left[$"{node.Operator}: {reason}"] = left.GetValueOrDefault($"{node.Operator}: {reason}") + 1;
            else
                run[node.Operator] = run.GetValueOrDefault(node.Operator) + 1;
        }

        output.WriteLine($"{run.Values.Sum()} cases of {run.Count} operators run: {string.Join(", ", run.Select(r => $"{r.Key} {r.Value}"))}");
        output.WriteLine($"{left.Values.Sum()} left out: {string.Join("; ", left.Select(r => $"{r.Key} ({r.Value})"))}");
        output.WriteLine($"{others} are of operators that the library has not, {expanded} are several nodes (functions in expanded form).");
        Assert.True(run.Values.Sum() >= LeastRun, $"Only {run.Values.Sum()} cases ran.");
        Assert.DoesNotContain(OnnxOperators.All.Keys, o => !run.ContainsKey(o) && !left.Keys.Any(k => k.StartsWith(o + ":", StringComparison.Ordinal)));
    }

    /// <summary>Null if the case ran and agrees; the reason if it cannot be run.</summary>
    private static string? Run(string name)
    {
        var test = OnnxCase.Read(name);
        OnnxTensor?[] actual;
        try
        {
            actual = OnnxOperators.All[test.Node.Operator](test);
        }
        catch (LeftOutException e)
        {
            return e.Message;
        }

        Assert.Contains(actual, a => a is not null);
        for (var i = 0; i < actual.Length; i++)
        {
            if (actual[i] is not { } tensor)
                continue;
            var expected = test.Outputs[i]!;
            Assert.Equal(expected.Dimensions, tensor.Dimensions);
            for (var e = 0; e < expected.Values.Length; e++)
            {
                var (x, y) = (expected.Values[e], tensor.Values[e]);
                if (!(x.Equals(y) || Math.Abs(x - y) <= 1e-6 + 1e-5 * Math.Abs(x)))
                    Assert.Fail($"{name}, output {i}: [{e}] is {y}, expected {x}.");
            }
        }

        return null;
    }
}
