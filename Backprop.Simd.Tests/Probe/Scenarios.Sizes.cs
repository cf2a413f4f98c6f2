using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Probe;

internal static partial class Scenarios
{
    /// <summary>Sequences whose length changes with every step; each length has been seen before.</summary>
    private static Action<int> Sizes(int threads)
    {
        const int Longest = 8;
        var graph = new GraphBuilder();
        var (x, lengths) = (graph.Input("x", Dimension.Free("time", Longest), 16), graph.IndexInput("lengths"));
        var y = (x + graph.Parameter("position", new Shape(Longest, 16)).CutTo(x)).SelfAttention(2, lengths: lengths).Convolution1D(8, 3, padding: 1).Relu();
        graph.Loss((y.Lstm(8).Mean(0) - y.Max(0)).SquaredNorm());
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(8, compute: new ComputeContext(threads));
        var adam = new Adam<float>(network.Parameters.Length);
        for (var time = 1; time <= Longest; time++)
            workspace.SetSizes(("time", time));
        return step =>
        {
            var time = 1 + step * 5 % Longest;
            workspace.SetSizes(("time", time));
            workspace.Rows = step % 3 == 0 ? 3 : 8;
            workspace.Input("x").Fill(0.25f);
            workspace.IndexInput("lengths").Fill(time);
            if (!double.IsFinite(network.Step(workspace, adam)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }

    /// <summary>Every function and activation of one argument, and powers, wide enough that threads share each.</summary>
    private static Action<int> Functions(int threads)
    {
        var graph = new GraphBuilder();
        const int Width = 4096;
        var x = graph.Input("x", Width) * graph.Parameter("w", new Shape(Width), Initializers.Initialize.Uniform(0.5, 1.5));
        Node[] functions =
        [
            x.Log(), x.Sqrt(), x.Abs(), x.Pow(1.5), x.Pow(x), x.Clip(0.6, 1.4), x.Sin(), x.Cos(), x.Erf(), x.Floor(), x.Exponential(), x.Reciprocal(),
            x.Celu(), x.ThresholdedRelu(), x.Relu6(), x.HardTanh(), x.LogSigmoid(), x.Elu(), x.Selu(), x.Gelu(), x.GeluTanh(), x.Silu(), x.Mish(),
            x.Softplus(), x.Softsign(), x.HardSigmoid(), x.HardSwish(), x.Sigmoid(), x.Tanh(), x.LeakyRelu(), x.StopGradient(),
            x.Apply(new Normalize([1], [0.1])), x.Apply(new Denormalize([1], [10])),
        ];
        var sum = x;
        foreach (var y in functions)
            sum += y;
        graph.Loss((sum.Glu() + sum.SwiGlu() * 0.1).Tanh().Mean());
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(4, compute: new ComputeContext(threads));
        var sgd = new Sgd<float>(network, 1e-3);
        return step =>
        {
            workspace.Rows = 1 + step % 4;
            workspace.Input("x").Fill(1 + step % 3);
            if (!double.IsFinite(network.Step(workspace, sgd)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }
}
