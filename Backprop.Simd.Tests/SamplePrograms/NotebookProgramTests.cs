namespace Backprop.Simd.Tests.SamplePrograms;

/// <summary>The program that prints the notebook's numbers; it checks them itself.</summary>
public sealed class NotebookProgramTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("notebook-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Every_number_is_the_notebooks_and_every_graph_has_its_pictures()
    {
        var (code, output, error) = SampleProgram.Run("Notebook", "--pictures", _directory.FullName);

        Assert.True(code == 0, output + error);
        Assert.Contains("numbers are the notebook's.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("OFF", output, StringComparison.Ordinal);
        string[] graphs = ["add-multiply", "sigmoid-gate", "sigmoid-neuron", "two-layer-network", "vector-example"];
        Assert.Equal(graphs.SelectMany(g => (string[])[g + ".dot", g + ".mmd"]),
            _directory.GetFiles().Select(f => f.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("--mnist", "no-such-directory")]
    [InlineData("--speed", "9")]
    public void A_bad_option_is_told_on_one_line(string option, string value)
    {
        var (code, output, error) = SampleProgram.Run("Notebook", option, value);

        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Single(error.TrimEnd().Split('\n'));
    }
}
