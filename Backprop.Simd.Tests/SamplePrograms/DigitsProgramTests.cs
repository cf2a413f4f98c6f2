using System.Text.Json;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.SamplePrograms;

/// <summary>The main job, as people start it.</summary>
[Collection(RunAlone.Name)]
public sealed class DigitsProgramTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("digits-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void It_learns_allocates_nothing_per_step_and_writes_its_results(int threads)
    {
        var file = Path.Combine(_directory.FullName, "digits.json");

        var (code, output, error) = SampleProgram.Run("Digits", "--epochs", "10", "--threads", $"{threads}", "--json", file);

        Assert.True(code == 0, error);
        Assert.Empty(error);
        Assert.DoesNotContain("\u001b", output, StringComparison.Ordinal);
        foreach (var text in (string[])["W1", "b1", "W2", "b2", "test accuracy", "unknown writers are harder", "images per second", "bytes per step"])
            Assert.Contains(text, output, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(_directory.FullName));
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        var root = json.RootElement;
        Assert.Equal(["testAccuracy", "imagesPerSecond", "bytesPerStep", "gradientCheck", "seconds"], root.EnumerateObject().Select(p => p.Name));
        Assert.InRange(root.GetProperty("testAccuracy").GetDouble(), 0.93, 1);
        Assert.InRange(root.GetProperty("imagesPerSecond").GetDouble(), 1, double.MaxValue);
        Assert.Equal(0, root.GetProperty("bytesPerStep").GetDouble());
        Assert.InRange(root.GetProperty("seconds").GetDouble(), 0, 600);
        var check = root.GetProperty("gradientCheck").EnumerateObject().ToArray();
        Assert.Equal(["W1", "b1", "W2", "b2"], check.Select(p => p.Name));
        Assert.All(check, p => Assert.InRange(p.Value.GetDouble(), 0, 1e-9));
    }

    [Fact]
    public void The_same_seed_gives_the_same_run_for_any_number_of_threads()
    {
        // Odd batches end in a shorter one.
        string[] options = ["--epochs", "2", "--batch", "100", "--seed", "5"];

        var runs = new[] { "1", "2", "3", "8" }.Select(t => Curve(SampleProgram.Run("Digits", [.. options, "--threads", t]).Output)).ToArray();

        Assert.Equal(2, runs[0].Length);
        Assert.All(runs, run => Assert.Equal(runs[0], run));
        Assert.NotEqual(runs[0], Curve(SampleProgram.Run("Digits", "--epochs", "2", "--batch", "100", "--seed", "6").Output));
    }

    [Theory]
    [InlineData("--hidden", "0", "an integer from 1 to")]
    [InlineData("--hidden", "", "an integer from 1 to")]
    [InlineData("--epochs", "1.5", "an integer from 1 to")]
    [InlineData("--batch", "5000", "an integer from 1 to 1437")]
    [InlineData("--learning-rate", "-1", "a number above 0")]
    [InlineData("--learning-rate", "NaN", "a number above 0")]
    [InlineData("--seed", "-1", "an integer from 0 to")]
    [InlineData("--threads", "0", "an integer from 1 to")]
    [InlineData("--json", "no/such/directory/x.json", "a path that can be written")]
    [InlineData("--json", ".", "the path of a file")]
    [InlineData("--speed", "9", "the options are")]
    public void A_bad_option_is_told_on_one_line_before_anything_runs(string option, string value, string allowed)
    {
        var (code, output, error) = SampleProgram.Run("Digits", option, value);

        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Contains(option, error, StringComparison.Ordinal);
        Assert.Contains(allowed, error, StringComparison.Ordinal);
        if (option != "--speed")
            Assert.Contains(value, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_names_every_option()
    {
        var (code, output, error) = SampleProgram.Run("Digits", "--help");

        Assert.Equal(0, code);
        Assert.Empty(error);
        foreach (var option in (string[])["--hidden", "--epochs", "--batch", "--learning-rate", "--seed", "--threads", "--json", "--help"])
            Assert.Contains(option, output, StringComparison.Ordinal);
    }

    /// <summary>Loss and accuracy of each epoch, without its time.</summary>
    private static string[] Curve(string output) =>
        [.. output.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(w => w.Length == 4 && w[0].Contains("/2", StringComparison.Ordinal))
            .Select(w => $"{w[0]} {w[1]} {w[2]}")];
}
