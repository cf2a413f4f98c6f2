using Backprop.Simd.Gradients;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Samples;

/// <summary>The Jacobian of elementwise max(0, x): n^2 numbers for n inputs, all zero but the diagonal.</summary>
internal static class ReluJacobian
{
    private const int Size = 4096;

    /// <summary>The numerical Jacobian takes two forward passes per input; a smaller one shows the same.</summary>
    private const int SmallSize = 64;

    public static void Run(Report report)
    {
        report.Title($"Jacobian of elementwise max(0, x) on {Size} inputs");
        var (network, workspace, positive) = Network(Size);
        var numbers = new double[Size * Size];
        var analytic = new Matrix<double>(numbers, Size, Size);
        Jacobian.Analytic(network, workspace, "x", "relu", analytic);
        var (nonzeros, outside) = Count(analytic);
        report.Header("analytic");
        report.Same("size", "4096 x 4096", $"{analytic.Rows} x {analytic.Columns}");
        report.Same("form", "diagonal", outside == 0 ? "diagonal" : $"{outside} nonzeros off it");
        report.Header("", "expected");
        report.Same("nonzeros (x > 0)", $"{positive}", $"{nonzeros}");
        report.Same("they are ones", "yes", Diagonal(analytic).All(d => d is 0 or 1) ? "yes" : "no");

        // What backward does instead: one product with the Jacobian, which is one pass over the diagonal.
        workspace.OutputGradient("relu").Fill(1);
        network.Forward(workspace);
        network.Backward(workspace);
        report.Same("backward = diagonal", "yes", workspace.GradientOf("x").SequenceEqual(Diagonal(analytic)) ? "yes" : "no");
        var megabytes = numbers.Length * sizeof(double) / 1024 / 1024;
        report.Line($"  No one builds it: its {numbers.Length:N0} numbers take {megabytes} MiB, for a batch of 100 images 10,000 times that;");
        report.Line($"  backward needs its product with a gradient only: {Size} numbers times {Size} numbers, element by element.");

        (network, workspace, positive) = Network(SmallSize);
        analytic = new Matrix<double>(new double[SmallSize * SmallSize], SmallSize, SmallSize);
        var numerical = new Matrix<double>(new double[SmallSize * SmallSize], SmallSize, SmallSize);
        Jacobian.Analytic(network, workspace, "x", "relu", analytic);
        Jacobian.Numerical(network, workspace, "x", "relu", numerical);
        (nonzeros, outside) = Count(numerical);
        report.Header($"numerical, {SmallSize} inputs", "expected");
        report.Same("nonzeros off diagonal", "0", $"{outside}");
        report.Same("nonzeros (x > 0)", $"{positive}", $"{nonzeros}");
        report.Below("max |analytic - num.|", "", LargestDifference(analytic, numerical), 1e-10);
    }

    private static (Network<double> Network, Workspace<double> Workspace, int Positive) Network(int size)
    {
        var network = GraphBuilder.Chain(size).Relu().Named("relu").Build<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true });
        var random = new Philox(seed: 1, stream: 0);
        foreach (ref var x in workspace.Input())
        {
            // Away from the kink at 0, across which a difference mixes two slopes.
            x = random.NextNormal();
            x += x < 0 ? -0.01 : 0.01;
        }

        return (network, workspace, workspace.Input().ToArray().Count(x => x > 0));
    }

    private static (int Nonzeros, int OutsideDiagonal) Count(ReadOnlyMatrix<double> jacobian)
    {
        var (nonzeros, outside) = (0, 0);
        for (var i = 0; i < jacobian.Rows; i++)
        {
            var row = jacobian.Span.Slice(i * jacobian.RowStride, jacobian.Columns);
            var here = row.Length - row.Count(0.0);
            nonzeros += here;
            outside += row[i] == 0 ? here : here - 1;
        }

        return (nonzeros, outside);
    }

    private static double[] Diagonal(ReadOnlyMatrix<double> jacobian)
    {
        var diagonal = new double[jacobian.Rows];
        for (var i = 0; i < diagonal.Length; i++)
            diagonal[i] = jacobian[i, i];
        return diagonal;
    }

    private static double LargestDifference(ReadOnlyMatrix<double> left, ReadOnlyMatrix<double> right)
    {
        var largest = 0.0;
        for (var i = 0; i < left.Rows; i++)
        {
            for (var j = 0; j < left.Columns; j++)
                largest = Math.Max(largest, Math.Abs(left[i, j] - right[i, j]));
        }

        return largest;
    }
}
