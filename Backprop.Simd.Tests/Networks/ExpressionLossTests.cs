using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Losses that no class stands for: expressions of nodes, and penalties on parameters.</summary>
public sealed class ExpressionLossTests
{
    [Fact]
    public void The_mean_of_an_expression_is_a_loss()
    {
        // A mean squared error by hand, and the library's: the same loss, and the same gradients.
        var graph = new GraphBuilder();
        var (x, t) = (graph.Input("x", 3), graph.Input("t", 2));
        var y = x.Affine(2).Named("y");
        var difference = y - t;
        graph.Output(y);
        graph.Loss((difference * difference).Mean(), 0.5);
        var own = graph.Build().CreateNetwork<double>(seed: 1);

        var other = GraphBuilder.Chain(3).Affine(2).Named("y").MeanSquaredError("t");
        other.Graph.Loss(other, 0.5);
        var library = other.Build<double>(seed: 1);
        Workspace<double> a = own.CreateWorkspace(4), b = library.CreateWorkspace(4);
        foreach (var workspace in (Workspace<double>[])[a, b])
        {
            workspace.SetInput("x", [.. Enumerable.Range(0, 12).Select(i => Math.Sin(i))]);
            workspace.SetInput("t", [.. Enumerable.Range(0, 8).Select(i => Math.Cos(i))]);
        }

        Assert.Equal(library.Forward(b), own.Forward(a), 1e-15);
        library.Backward(b);
        own.Backward(a);
        for (var i = 0; i < b.Gradients.Length; i++)
            Assert.Equal(b.Gradients[i], a.Gradients[i], 1e-15);
    }

    [Fact]
    public void A_penalty_on_a_parameter_counts_once_however_many_batches_make_up_a_step()
    {
        var graph = new GraphBuilder();
        var (x, w) = (graph.Input("x", 2), graph.Parameter("w", new Shape(2)));
        var y = (x * w).Sum();
        graph.Loss(y * y);
        graph.Loss(w.SquaredNorm(), 3);
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        double[] rows = [1, 2, -1, 3, 0.5, -2];
        var whole = network.CreateWorkspace(3);
        whole.SetInput("x", rows);
        var loss = network.Forward(whole);
        network.Backward(whole);
        var values = network.ParameterOf("w").ToArray();
        var data = Enumerable.Range(0, 3).Select(r => rows[2 * r] * values[0] + rows[2 * r + 1] * values[1]).ToArray();
        Assert.Equal(data.Average(v => v * v) + 3 * values.Sum(v => v * v), loss, 1e-14);
        Assert.Equal(2.0 / 3 * Enumerable.Range(0, 3).Sum(r => data[r] * rows[2 * r]) + 6 * values[0], whole.ParameterGradientOf("w")[0], 1e-14);

        var workspace = network.CreateWorkspace(2);
        var accumulator = new GradientAccumulator<double>(network, workspace);
        workspace.SetInput("x", rows.AsSpan(0, 4));
        accumulator.Add();
        workspace.Rows = 1;
        workspace.SetInput("x", rows.AsSpan(4));
        accumulator.Add();
        Assert.Equal(loss, accumulator.Average(), 1e-14);
        Assert.Equal(whole.ParameterGradientOf("w")[0], workspace.ParameterGradientOf("w")[0], 1e-14);
        Assert.Equal(whole.ParameterGradientOf("w")[1], workspace.ParameterGradientOf("w")[1], 1e-14);
    }

    [Fact]
    public void Said_again_an_expression_takes_another_weight()
    {
        var graph = new GraphBuilder();
        var norm = (graph.Input("x", 2) * graph.Parameter("w", new Shape(2))).SquaredNorm();
        var first = graph.Loss(norm, 5);
        Assert.Equal(first, graph.Loss(norm, 2));
        var workspace = graph.Build().CreateNetwork<double>(seed: 1).CreateWorkspace(1);
        Assert.Single(workspace.Network.Definition.Graph.Losses);
        workspace.SetInput("x", [1, 1]);
        var loss = workspace.Network.Forward(workspace);
        Assert.Equal(2 * workspace.Network.ParameterOf("w").ToArray().Sum(v => v * v), loss, 1e-14);
    }

    [Fact]
    public void A_variational_autoencoder_trains()
    {
        // KL(q || N(0, 1)) = mean of (mu^2 + sigma^2 - ln sigma^2 - 1) / 2: no class, an expression.
        var graph = new GraphBuilder();
        var (x, noise) = (graph.Input("x", 8), graph.Input("noise", 2));
        var h = x.Affine(16).Tanh();
        var (mu, logVariance) = (h.Affine(2).Named("mu"), h.Affine(2));
        var code = mu + noise * (logVariance * 0.5).Exponential();
        var logits = code.Affine(16).Tanh().Affine(8).Named("logits");
        graph.Output(logits);
        graph.Loss(logits.Apply(new BinaryCrossEntropy(), x), 8);
        graph.Loss(((mu * mu + logVariance.Exponential() - logVariance - 1) * 0.5).Sum(), 0.1);
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(32);
        var adam = new Adam<float>(network, learningRate: 0.01);
        var random = new Random(1);
        double first = 0, last = 0;
        for (var step = 0; step < 300; step++)
        {
            foreach (ref var v in workspace.Input("noise"))
                v = (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 2;
            for (var row = 0; row < 32; row++)
                for (var i = 0; i < 8; i++)
                    workspace.Input("x")[row * 8 + i] = (row >> i / 2 & 1) != 0 ? 1 : 0;
            last = network.Step(workspace, adam);
            first = step == 0 ? last : first;
        }

        Assert.InRange(last, 0, 0.6 * first);
    }
}
