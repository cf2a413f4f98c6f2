using Backprop.Simd.Memory;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Gradients;

/// <summary>
/// The matrix of all derivatives of an output by an input, for one row: J[i, j] = d output_i / d input_j.
/// </summary>
/// <remarks>
/// For teaching and tests. Back-propagation never builds it: it needs only the product of a gradient with J, which is one
/// backward pass. J itself takes a backward pass for each of its rows. The Jacobian of an elementwise function is diagonal: n numbers in n^2 places.
/// </remarks>
public static class Jacobian
{
    /// <summary>By backward passes, one per element of the output.</summary>
    /// <param name="network">The network.</param>
    /// <param name="workspace">A training workspace of one row with <see cref="WorkspaceOptions.InputGradients"/>, whose backward pass
    /// starts from outputs, with its inputs filled.</param>
    /// <param name="input">The input to differentiate by.</param>
    /// <param name="output">The output to differentiate.</param>
    /// <param name="jacobian">The result, [output size, input size], row-major.</param>
    /// <exception cref="ArgumentException">A name or shape does not fit, or the workspace has more than one row.</exception>
    /// <exception cref="InvalidOperationException">The workspace lacks the gradients.</exception>
    public static void Analytic(Network<double> network, Workspace<double> workspace, string input, string output, Matrix<double> jacobian)
    {
        Check(network, workspace, input, output, jacobian);
        if (network.Definition.LossNames.Any())
            throw new ArgumentException("A Jacobian is taken of an output. This network has a loss, whose gradient would be added.", nameof(network));
        network.Forward(workspace);

        // Only this output takes part. The gradients that the caller gave are put back afterwards.
        var saved = network.Definition.OutputNames.Select(o => (o, workspace.OutputGradient(o).ToArray())).ToArray();
        foreach (var (name, _) in saved)
            workspace.OutputGradient(name).Clear();
        try
        {
            for (var i = 0; i < jacobian.Rows; i++)
            {
                workspace.OutputGradient(output)[i] = 1;
                network.Backward(workspace);
                workspace.GradientOf(input).CopyTo(jacobian.Span.Slice(i * jacobian.RowStride, jacobian.Columns));
                workspace.OutputGradient(output)[i] = 0;
            }
        }
        finally
        {
            foreach (var (name, seed) in saved)
                seed.CopyTo(workspace.OutputGradient(name));
            network.Forward(workspace); // A step must not take the gradients of one output element for its own.
        }
    }

    /// <summary>By central differences, two forward passes per element of the input.</summary>
    /// <param name="network">The network.</param>
    /// <param name="workspace">A training workspace of one row, its inputs filled.</param>
    /// <param name="input">The input to differentiate by.</param>
    /// <param name="output">The output to differentiate.</param>
    /// <param name="jacobian">The result, [output size, input size], row-major.</param>
    /// <param name="step">The h of the difference.</param>
    /// <exception cref="ArgumentException">A name or shape does not fit, or the workspace has more than one row.</exception>
    public static void Numerical(Network<double> network, Workspace<double> workspace, string input, string output, Matrix<double> jacobian,
        double step = NumericalGradient.DefaultStep)
    {
        Check(network, workspace, input, output, jacobian);
        SpanGuard.PositiveFinite(step);
        var wasBound = workspace.OwnInput(input, out var x);
        try
        {
            Differences(network, workspace, x, output, jacobian, step);
        }
        finally
        {
            workspace.RestoreInput(input, wasBound);
        }

        network.Forward(workspace);
    }

    private static void Differences(Network<double> network, Workspace<double> workspace, Span<double> x, string output, Matrix<double> jacobian, double step)
    {
        var upper = new double[jacobian.Rows];
        for (var j = 0; j < x.Length; j++)
        {
            var value = x[j];
            try
            {
                x[j] = value + step;
                var at = x[j];
                network.Forward(workspace);
                workspace.Output(output).CopyTo(upper);
                x[j] = value - step;
                network.Forward(workspace);
                var lower = workspace.Output(output);
                for (var i = 0; i < upper.Length; i++)
                    jacobian[i, j] = (upper[i] - lower[i]) / (at - x[j]);
            }
            finally
            {
                x[j] = value;
            }
        }
    }

    private static void Check(Network<double> network, Workspace<double> workspace, string input, string output, Matrix<double> jacobian)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(workspace);
        SpanGuard.Disjoint<double>(network.Parameters, jacobian.Span, nameof(jacobian));
        if (workspace.Rows != 1)
            throw new ArgumentException($"A Jacobian needs a workspace of one row; this one has {workspace.Rows}.", nameof(workspace));
        var (rows, columns) = (workspace.TypeOf(output).Shape.Size, workspace.TypeOf(input).Shape.Size);
        if (jacobian.Rows != rows || jacobian.Columns != columns || jacobian.Columns > 1 && jacobian.ColumnStride != 1)
        {
            throw new ArgumentException($"The Jacobian of '{output}' with respect to '{input}' is [{rows}, {columns}], row-major; "
                + $"the destination is {jacobian.ToString()}.", nameof(jacobian));
        }
    }
}
