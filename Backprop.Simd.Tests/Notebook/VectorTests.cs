namespace Backprop.Simd.Tests.Notebook;

/// <summary>f = |W x|^2, the example that the notebook ends at.</summary>
public sealed class VectorTests
{
    [Fact]
    public void Forward_values()
    {
        var workspace = NotebookGraphs.SquaredNormOfProduct();

        AssertClose([0.22, 0.26], workspace.Value("q"));
        AssertClose([0.116], workspace.Value("f"));
    }

    [Fact]
    public void Gradients()
    {
        var workspace = NotebookGraphs.SquaredNormOfProduct();

        AssertClose([0.44, 0.52], workspace.Gradient("q"));
        AssertClose([0.088, 0.176, 0.104, 0.208], workspace.Gradient("W"));
        AssertClose([0.088, 0.176, 0.104, 0.208], workspace.ParameterGradient("W"));
        AssertClose([-0.112, 0.636], workspace.Gradient("x"));
    }

    private static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-15);
    }
}
