using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

/// <summary>A loss with its reduction and weights on its own: outputs and gradients by all inputs, for random output gradients.</summary>
internal sealed class ReducedLossRun<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="loss">The loss.</param>
    /// <param name="shape">The shape of a row of predictions.</param>
    /// <param name="prediction">The predictions.</param>
    /// <param name="target">Targets of the same shape, or null.</param>
    /// <param name="labels">Labels of the positions, or null.</param>
    /// <param name="weights">One per row, or as many as their shape has; or null.</param>
    /// <param name="compute">The threads.</param>
    /// <param name="weightShape">The shape of a row of weights: a number by default.</param>
    public ReducedLossRun(
        ReducedLoss loss, Shape shape, double[] prediction, double[]? target, int[]? labels, double[]? weights, ComputeContext? compute = null,
        Shape weightShape = default)
    {
        Rows = prediction.Length / shape.Size;
        Seeds = loss.Reduction == LossReduction.None ? [.. Enumerable.Range(0, Rows).Select(r => 0.75 - r % 5 * 0.5)] : [1.5];
        var graph = new GraphBuilder();
        var x = graph.Input("x", shape);
        var t = labels is null ? graph.Input("t", shape) : graph.IndexInput("t", WithoutLast(shape));
        graph.Output(weights is null ? x.Apply(loss, t) : x.Apply(loss, t, graph.Input("w", weightShape)));
        var network = graph.Build().CreateNetwork<T>();
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true }, compute ?? ComputeContext.SingleThreaded);
        workspace.SetInput("x", Of(prediction));
        if (labels is null)
            workspace.SetInput("t", Of(target!));
        else
            workspace.SetIndexInput("t", labels);
        if (weights is not null)
            workspace.SetInput("w", Of(weights));
        network.Forward(workspace);
        Of(Seeds).CopyTo(workspace.OutputGradient(network.Definition.OutputNames.Single()));
        network.Backward(workspace);
        Outputs = workspace.Output().ToArray();
        Dx = workspace.GradientOf("x").ToArray();
        Dt = labels is null ? workspace.GradientOf("t").ToArray() : [];
        Dw = weights is null ? [] : workspace.GradientOf("w").ToArray();
    }

    public int Rows { get; }

    public double[] Seeds { get; }

    public T[] Outputs { get; }

    public T[] Dx { get; }

    public T[] Dt { get; }

    public T[] Dw { get; }

    /// <summary>Compares with row losses and the gradients of their sums.</summary>
    public void AssertIs(LossReduction reduction, double[] losses, double[] denominators, double[]? weights, double[] gradient, double[]? targetGradient)
    {
        var (outputs, scales, dw) = ReductionReference.Reduce(losses, denominators, weights, reduction, Seeds);
        var size = gradient.Length / Rows;
        AssertClose(outputs, Outputs);
        AssertClose([.. gradient.Select((g, i) => g * scales[i / size])], Dx);
        if (targetGradient is not null)
            AssertClose([.. targetGradient.Select((g, i) => g * scales[i / size])], Dt);
        if (weights is not null)
            AssertClose(dw, Dw);
    }

    private static void AssertClose(double[] expected, T[] actual)
    {
        var tolerance = (typeof(T) == typeof(float) ? 2e-6 : 1e-13) * Math.Max(1, expected.Select(Math.Abs).Max());
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - double.CreateTruncating(actual[i])) <= tolerance, $"[{i}]: {actual[i]}, expected {expected[i]}.");
    }

    private static T[] Of(double[] numbers) => [.. numbers.Select(T.CreateTruncating)];

    private static Shape WithoutLast(Shape shape) => new([.. Enumerable.Range(0, shape.Rank - 1).Select(d => shape[d])]);
}
