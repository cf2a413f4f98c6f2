using System.Numerics;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of (y - t)^2 over all elements of the batch. dy = 2 (y - t) / N, dt = -dy.</summary>
public sealed class MeanSquaredError : Loss
{
    /// <inheritdoc/>
    public override string Kind => "meansquarederror";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        declaration.Require(0, EdgeKind.Values);
        declaration.RequireSame(0, 1);
        declaration.AddOutput(new EdgeType(EdgeKind.Shared, Shape.Scalar));
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        ReadOnlySpan<T> y = context.Input(0), t = context.Input(1);
        var sum = 0.0;
        for (var i = 0; i < y.Length; i++)
        {
            var difference = double.CreateTruncating(y[i]) - double.CreateTruncating(t[i]);
            sum += difference * difference;
        }

        Report(in context, sum / y.Length);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        ReadOnlySpan<T> y = context.Input(0), t = context.Input(1);
        var factor = T.CreateChecked(2) * context.OutputGradient()[0] / T.CreateChecked(y.Length);
        var dy = context.InputGradient(0);
        if (!dy.IsEmpty)
        {
            for (var i = 0; i < y.Length; i++)
                dy.Put(i, factor * (y[i] - t[i]));
        }

        var dt = context.InputGradient(1);
        if (!dt.IsEmpty)
        {
            for (var i = 0; i < y.Length; i++)
                dt.Put(i, factor * (t[i] - y[i]));
        }
    }
}
