namespace Backprop.Simd.Tests.Notebook;

/// <summary>f = |W x|^2, the example that the notebook ends at.</summary>
public sealed class VectorTests
{
    [Fact]
    public void Forward_values()
    {
        var workspace = NotebookGraphs.SquaredNormOfProduct();

        AssertClose([0.22, 0.26], workspace.ValueOf("q"));
        AssertClose([0.116], workspace.ValueOf("f"));
    }

    [Fact]
    public void Gradients()
    {
        var workspace = NotebookGraphs.SquaredNormOfProduct();

        AssertClose([0.44, 0.52], workspace.GradientOf("q"));
        AssertClose([0.088, 0.176, 0.104, 0.208], workspace.GradientOf("W"));
        AssertClose([0.088, 0.176, 0.104, 0.208], workspace.ParameterGradientOf("W"));
        AssertClose([-0.112, 0.636], workspace.GradientOf("x"));
    }

    private static void AssertClose(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-15);
    }
}
