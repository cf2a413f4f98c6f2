using Backprop.Simd.Gradients;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Notebook;

/// <summary>The notebook's question: the Jacobian of elementwise max(0, x) on 4096 inputs is 4096 x 4096 and diagonal.</summary>
public sealed class ReluJacobianTests
{
    [Fact]
    public void Analytic_on_4096_inputs()
    {
        const int Size = 4096;
        var x = Inputs(Size);
        var (network, workspace) = Relu(x);
        var jacobian = new Matrix<double>(new double[Size * Size], Size, Size);

        Jacobian.Analytic(network, workspace, "x", "relu", jacobian);

        AssertDiagonal(x, jacobian, 0);
    }

    [Fact]
    public void Numerical_and_analytic_on_64_inputs()
    {
        const int Size = 64;
        var x = Inputs(Size);
        var (network, workspace) = Relu(x);
        var analytic = new Matrix<double>(new double[Size * Size], Size, Size);
        var numerical = new Matrix<double>(new double[Size * Size], Size, Size);

        Jacobian.Analytic(network, workspace, "x", "relu", analytic);
        Jacobian.Numerical(network, workspace, "x", "relu", numerical);

        AssertDiagonal(x, analytic, 0);
        AssertDiagonal(x, numerical, 1e-10);
    }

    private static double[] Inputs(int size)
    {
        var random = new TestRandom(7);
        var x = new double[size];
        for (var i = 0; i < size; i++)
        {
            x[i] = random.Signed<double>();
            x[i] += x[i] < 0 ? -0.01 : 0.01; // Away from the kink, across which a difference mixes two slopes.
        }

        return x;
    }

    private static (Network<double> Network, Workspace<double> Workspace) Relu(double[] x)
    {
        var network = GraphBuilder.Chain(x.Length).Relu().Named("relu").Build<double>();
        var workspace = network.CreateWorkspace(1, NotebookGraphs.Everything);
        workspace.SetInput("x", x);
        return (network, workspace);
    }

    private static void AssertDiagonal(double[] x, ReadOnlyMatrix<double> jacobian, double tolerance)
    {
        Assert.Equal((x.Length, x.Length), (jacobian.Rows, jacobian.Columns));
        for (var i = 0; i < x.Length; i++)
        {
            var row = jacobian.Span.Slice(i * jacobian.RowStride, jacobian.Columns);
            Assert.Equal(x[i] > 0 ? 1 : 0, row[i], tolerance);
            Assert.Equal(-1, row[..i].IndexOfAnyExcept(0.0));
            Assert.Equal(-1, row[(i + 1)..].IndexOfAnyExcept(0.0));
        }
    }
}
