using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

/// <summary>A loss of any number of inputs of numbers, with its reduction and weights: outputs and gradients by all inputs, for random output
/// gradients.</summary>
internal sealed class InputsLossRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="loss">The loss.</param>
    /// <param name="inputs">The shape of a row and the numbers of each input.</param>
    /// <param name="weights">One per row, or as many as their shape has; or null.</param>
    /// <param name="compute">The threads.</param>
    /// <param name="weightShape">The shape of a row of weights: a number by default.</param>
    public InputsLossRun(ReducedLoss loss, (Shape Shape, double[] Numbers)[] inputs, double[]? weights, ComputeContext? compute = null,
        Shape weightShape = default)
    {
        Rows = inputs[0].Numbers.Length / inputs[0].Shape.Size;
        Seeds = loss.Reduction == LossReduction.None ? [.. Enumerable.Range(0, Rows).Select(r => 0.75 - r % 5 * 0.5)] : [1.5];
        var graph = new GraphBuilder();
        Node[] nodes = [.. inputs.Select((input, i) => graph.Input("x" + i, input.Shape))];
        if (weights is not null)
            nodes = [.. nodes, graph.Input("w", weightShape)];
        graph.Output(nodes[0].Apply(loss, nodes.AsSpan(1)));
        var network = graph.Build().CreateNetwork<T>();
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true }, compute ?? ComputeContext.SingleThreaded);
        for (var i = 0; i < inputs.Length; i++)
            workspace.SetInput("x" + i, Of(inputs[i].Numbers));
        if (weights is not null)
            workspace.SetInput("w", Of(weights));
        network.Forward(workspace);
        Of(Seeds).CopyTo(workspace.OutputGradient(network.Definition.OutputNames.Single()));
        network.Backward(workspace);
        Outputs = workspace.Output().ToArray();
        Gradients = [.. inputs.Select((_, i) => workspace.GradientOf("x" + i).ToArray())];
        Dw = weights is null ? [] : workspace.GradientOf("w").ToArray();
    }

    public int Rows { get; }

    public double[] Seeds { get; }

    public T[] Outputs { get; }

    /// <summary>By each input.</summary>
    public T[][] Gradients { get; }

    public T[] Dw { get; }

    public T[] All => [.. Outputs, .. Gradients.SelectMany(g => g), .. Dw];

    /// <summary>Compares with row losses and the gradients of their sums; a gradient that is null is not compared.</summary>
    public void AssertIs(LossReduction reduction, double[] losses, double[] denominators, double[]? weights, double[]?[] gradients, double tolerance = 1)
    {
        var (outputs, scales, dw) = ReductionReference.Reduce(losses, denominators, weights, reduction, Seeds);
        Near(outputs, Outputs, tolerance, "outputs");
        for (var i = 0; i < gradients.Length; i++)
        {
            if (gradients[i] is { } gradient)
                Near([.. gradient.Select((g, at) => scales[at / (gradient.Length / Rows)] is 0 ? 0 : g * scales[at / (gradient.Length / Rows)])],
                    Gradients[i], tolerance, $"gradient {i}");
        }

        if (weights is not null)
            Near(dw, Dw, tolerance, "gradient of the weights");
    }

    /// <summary>Compares up to some roundings of the largest number.</summary>
    public static void Near(double[] expected, T[] actual, double factor = 1, string what = "")
    {
        var largest = expected.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        var tolerance = factor * (typeof(T) == typeof(float) ? 2e-6 : 1e-13) * Math.Max(1, largest);
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var value = double.CreateTruncating(actual[i]);
            Assert.True(expected[i].Equals(value) || Math.Abs(expected[i] - value) <= tolerance, $"{what} [{i}]: {actual[i]}, expected {expected[i]}.");
        }
    }

    private static T[] Of(double[] numbers) => [.. numbers.Select(T.CreateTruncating)];
}
