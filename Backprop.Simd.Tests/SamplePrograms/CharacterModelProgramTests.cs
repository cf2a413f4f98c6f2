using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.SamplePrograms;

/// <summary>The program that learns a text and writes more of it, as people start it.</summary>
[Collection(RunAlone.Name)]
public sealed class CharacterModelProgramTests
{
    [Fact]
    public void It_learns_and_the_same_seed_writes_the_same_text_on_any_number_of_threads()
    {
        string[] options = ["--steps", "120", "--width", "32", "--layers", "1", "--characters", "150", "--learning-rate", "0.01"];
        var runs = new[] { "1", "2", "3" }.Select(t => SampleProgram.Run("CharacterModel", [.. options, "--threads", t])).ToArray();
        Assert.All(runs, run => Assert.Equal((0, ""), (run.ExitCode, run.Error)));
        var losses = Losses(runs[0].Output);
        Assert.Equal(10, losses.Length);
        Assert.InRange(losses[^1], 0, 2.4); // Without any context the least possible is 3.0.
        var text = Written(runs[0].Output);
        Assert.StartsWith("Alice ", text, StringComparison.Ordinal);
        Assert.Equal(6 + 150, text.Length);
        Assert.All(runs, run => Assert.Equal(text, Written(run.Output)));
        Assert.All(runs, run => Assert.Equal(losses, Losses(run.Output)));
        Assert.NotEqual(text, Written(SampleProgram.Run("CharacterModel", [.. options, "--seed", "2"]).Output));
    }

    [Fact]
    public void It_learns_another_text_and_says_what_is_wrong_with_one()
    {
        var directory = Directory.CreateTempSubdirectory("characters-").FullName;
        try
        {
            var (file, small) = (Path.Combine(directory, "text"), Path.Combine(directory, "small"));
            File.WriteAllText(file, string.Concat(Enumerable.Repeat("one two three ", 20)));
            File.WriteAllText(small, "one two");
            string[] options = ["--steps", "80", "--width", "32", "--layers", "1", "--characters", "60", "--prompt", "one", "--text"];
            Assert.Contains("two three one two", Written(SampleProgram.Run("CharacterModel", [.. options, file]).Output), StringComparison.Ordinal);
            foreach (var (path, problem) in ((string, string)[])[(small, "more than 64 characters, got 7"), (Path.Combine(directory, "none"), "none")])
            {
                var (code, output, error) = SampleProgram.Run("CharacterModel", [.. options, path]);
                Assert.Equal((1, ""), (code, output));
                Assert.Contains(problem, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData("--steps", "0", "an integer from 1 to")]
    [InlineData("--width", "12", "a multiple of 8")]
    [InlineData("--temperature", "-1", "a number above 0")]
    [InlineData("--top-p", "1.5", "a number above 0, at most 1")]
    [InlineData("--prompt", "", "one character or more")]
    [InlineData("--speed", "9", "the options are")]
    public void A_bad_option_is_told_on_one_line_before_anything_runs(string option, string value, string allowed)
    {
        var (code, output, error) = SampleProgram.Run("CharacterModel", option, value);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(option, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains(allowed, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_of_unknown_characters_is_refused()
    {
        var (code, output, error) = SampleProgram.Run("CharacterModel", "--prompt", "été");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("--prompt 'été'", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private static double[] Losses(string output) =>
        [.. output.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length > 3 && int.TryParse(w[0], out _))
            .Where(w => w[1].Contains('.', StringComparison.Ordinal))
            .Select(w => double.Parse(w[1], System.Globalization.CultureInfo.InvariantCulture))];

    /// <summary>What stands behind the first empty line, without the end of the last line.</summary>
    private static string Written(string output)
    {
        output = output.ReplaceLineEndings("\n");
        return output[(output.IndexOf("\n\n", StringComparison.Ordinal) + 2)..^1];
    }
}
