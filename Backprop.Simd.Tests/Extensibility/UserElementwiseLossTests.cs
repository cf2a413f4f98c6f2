using System.Runtime.CompilerServices;
using Backprop.Simd.Gradients;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>A user's loss that is a formula: reduction, weights and masks come with the base.</summary>
public sealed class UserElementwiseLossTests
{
    [Fact]
    public void It_passes_the_check_with_every_reduction_and_weight()
    {
        EdgeType rows = new(EdgeKind.Values, new Shape(4, 3));
        foreach (var reduction in Enum.GetValues<LossReduction>())
        {
            foreach (var weights in (Shape[])[Shape.Scalar, new(4), new(4, 3)])
            {
                var report = GradientCheck.Layer(new LogCosh(reduction), [rows, rows, new(EdgeKind.Values, weights)], 3);
                Assert.All(report.Entries, e => Assert.True(e.Passes(1e-6), report.ToString()));
            }
        }
    }

    [Fact]
    public void Its_value_is_the_formula_over_what_is_kept()
    {
        var graph = new GraphBuilder();
        graph.Loss(graph.Input("y", 3).Apply(new LogCosh(), graph.Input("t", 3), graph.Input("mask", 3)));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(2);
        workspace.SetInput("y", [1, 2, double.NaN, 0, -3, 1]);
        workspace.SetInput("t", [0.5, 1, 1, 0, 1, 2]);
        workspace.SetInput("mask", [1, 1, 0, 0, 1, 0]);
        Assert.Equal((Math.Log(Math.Cosh(0.5)) + Math.Log(Math.Cosh(1)) + Math.Log(Math.Cosh(4))) / 3, network.Forward(workspace), 1e-14);
    }

    /// <summary>log cosh (y - t).</summary>
    private sealed class LogCosh(LossReduction reduction = LossReduction.Mean) : ElementwiseLoss(reduction)
    {
        public override string Kind => "logcosh";

        public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, default(Formula));

        public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, default(Formula));

        private readonly struct Formula : IElementLoss
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
            {
                var d = TVector.Abs(y - t);
                return d + VectorMath.Softplus(d * -2) - Math.Log(2);
            }

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Tanh(y - t);

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Tanh(t - y);
        }
    }
}
