using Backprop.Simd.Tests.Serialization;

namespace Backprop.Simd.Tests.SamplePrograms;

/// <summary>A result that cannot be written is told before anything is loaded or trained, not after it.</summary>
public sealed class OutputPathTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("Mnist", "--save")]
    [InlineData("Mnist", "--pictures")]
    [InlineData("Mnist", "--checkpoints")]
    [InlineData("Mnist", "--log")]
    [InlineData("Digits", "--json")]
    [InlineData("Notebook", "--pictures")]
    [InlineData("Serve", "--model")]
    public void It_is_one_line_and_the_code_of_a_bad_option(string program, string option)
    {
        File.WriteAllText(_directory["file"], "in the way");
        string[] data = program == "Mnist" ? ["--data", _directory["none"]] : [];
        var (code, output, error) = SampleProgram.Run(program, [.. data, option, _directory["file/below"]]);
        Assert.Equal((2, ""), (code, output));
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Contains($"{option} '{_directory["file/below"]}': expected a path that can be written", error, StringComparison.Ordinal);
        Assert.Equal("in the way", File.ReadAllText(_directory["file"]));
        Assert.Equal(["file"], _directory.Files);
    }

    [Theory]
    [InlineData("--pictures", "weights.png")]
    [InlineData("--log", "training.jsonl")]
    public void A_folder_in_the_place_of_a_file_is_found_too(string option, string name)
    {
        Directory.CreateDirectory(_directory["results/" + name]);
        var (code, _, error) = SampleProgram.Run("Mnist", "--data", _directory["none"], option, _directory["results"]);
        Assert.Equal(2, code);
        Assert.Contains("is a directory", error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_there_is_as_it_was_and_what_is_missing_is_made()
    {
        File.WriteAllText(_directory["old"], "result");
        var (code, _, error) = SampleProgram.Run("Mnist", "--data", _directory["none"], "--save", _directory["old"], "--log", _directory["made/log"]);
        Assert.Equal(1, code); // There is no data.
        Assert.Contains(_directory["none"], error, StringComparison.Ordinal);
        Assert.Equal("result", File.ReadAllText(_directory["old"]));
        Assert.True(Directory.Exists(_directory["made/log"]));
        Assert.Empty(Directory.GetFiles(_directory["made/log"]));
        Assert.Equal(["old"], _directory.Files);
    }
}
