using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>The readers of all formats under changed files: the program in Fuzz, which also runs longer, and under a fuzzer.</summary>
public sealed class FuzzProgramTests
{
    [Theory]
    [InlineData("safetensors")]
    [InlineData("model")]
    [InlineData("checkpoint")]
    [InlineData("pickle")]
    [InlineData("npy")]
    [InlineData("npz")]
    [InlineData("onnx")]
    public async Task Changed_files_are_read_or_refused(string target)
    {
        var (code, output, errors) = await Run("--trials", "1000", target);
        Assert.True(code == 0, errors);
        Assert.StartsWith($"{target}: 1000 files", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_target_is_among_them()
    {
        var names = typeof(FuzzProgramTests).GetMethod(nameof(Changed_files_are_read_or_refused))!.GetCustomAttributesData()
            .Where(data => data.AttributeType == typeof(InlineDataAttribute))
            .Select(data => ((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)[0].Value!);
        Assert.Equal((await Run("list")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), names);
    }

    [Fact]
    public async Task A_fault_is_found_and_told()
    {
        var (code, _, errors) = await Run("--trials", "1000", "broken");
        Assert.Equal(1, code);
        Assert.StartsWith("broken: trial", errors, StringComparison.Ordinal);
        Assert.Contains(nameof(IndexOutOfRangeException), errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> Run(params string[] arguments)
    {
        using var process = ProbeProcess.StartIn("Fuzz", new Dictionary<string, string>(), arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await errors);
    }
}
