using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Layers;

/// <summary>The conventions of noise and of dropout of channels.</summary>
public sealed class NoiseTests
{
    private const int Rows = 40, Size = 501;

    public static TheoryData<NoiseDistribution, double, double, double, double> Moments => new()
    {
        { NoiseDistribution.Normal, 0, 1, 0, 1 }, { NoiseDistribution.Normal, 3, 0.5, 3, 0.5 },
        { NoiseDistribution.Uniform, -1, 4, 1, 4 / 3.4641016 }, { NoiseDistribution.Bernoulli, 0.25, 2, 0.5, 2 * 0.4330127 },
    };

    /// <summary>20040 draws: the bounds are 5 standard deviations of the mean, and of the deviation.</summary>
    [Theory, MemberData(nameof(Moments))]
    public void Noise_has_the_mean_and_the_deviation_of_its_distribution(
        NoiseDistribution distribution, double location, double spread, double mean, double deviation)
    {
        var y = Draw<double>(new Noise(distribution, location, spread));
        Assert.InRange(y.Average(), mean - 5 * deviation / Math.Sqrt(y.Length), mean + 5 * deviation / Math.Sqrt(y.Length));
        var actual = Math.Sqrt(y.Average(v => (v - mean) * (v - mean)));
        Assert.InRange(actual, deviation * 0.96, deviation * 1.04);
        if (distribution == NoiseDistribution.Uniform)
            Assert.All(y, v => Assert.InRange(v, location, location + spread));
        if (distribution == NoiseDistribution.Bernoulli)
            Assert.All(y, v => Assert.True(v is 0 or 2));
        Assert.NotEqual(y[..Size], y[Size..(2 * Size)]);
    }

    [Theory]
    [InlineData(NoiseDistribution.Normal)]
    [InlineData(NoiseDistribution.Uniform)]
    [InlineData(NoiseDistribution.Bernoulli)]
    public void Noise_is_the_same_on_any_threads_and_in_float_and_double(NoiseDistribution distribution)
    {
        var layer = new Noise(distribution, 0.5, 2);
        var expected = Draw<float>(layer);
        foreach (var threads in TestThreads.Counts)
            Bits.AssertEqual<float>(expected, Draw<float>(layer, threads), $"{threads} threads");
        var wide = Draw<double>(layer);
        for (var i = 0; i < wide.Length; i++)
            Assert.Equal(wide[i], expected[i], 1e-2);
        Assert.NotEqual(expected, Draw<float>(layer, seed: 2));
    }

    [Fact]
    public void Noise_is_drawn_anew_in_each_step_and_sends_no_gradient_back()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 300);
        var (mean, deviation) = (graph.Parameter("mean", new Shape(300)), graph.Parameter("deviation", new Shape(300)));
        var noise = x.Noise().Named("noise");
        graph.Output(noise);
        graph.Loss((mean + deviation * noise).Sum());
        var network = graph.Build().CreateNetwork<double>(seed: 4);
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, KeepGradients = true });
        var sgd = new Sgd<double>(network, 0.1);
        network.Step(workspace, sgd);
        var first = workspace.Output("noise").ToArray();
        Assert.Equal(first, workspace.ParameterGradientOf("deviation").ToArray());
        Assert.All(workspace.GradientOf("x").ToArray(), g => Assert.Equal(0, g));
        network.Step(workspace, sgd);
        Assert.NotEqual(first, workspace.Output("noise").ToArray());

        // Inference draws what the step number says.
        var inference = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        network.Forward(inference);
        Assert.Equal(first, inference.Output("noise").ToArray());
        inference.StepNumber = 1;
        network.Forward(inference);
        Assert.Equal(workspace.Output("noise").ToArray(), inference.Output("noise").ToArray());
    }

    [Fact]
    public void Gaussian_noise_is_added_in_training_alone()
    {
        var y = Draw<double>(new GaussianNoise(0.5));
        Assert.InRange(y.Average(), 1 - 0.02, 1 + 0.02);
        Assert.InRange(Math.Sqrt(y.Average(v => (v - 1) * (v - 1))), 0.48, 0.52);
        var network = new GraphBuilder().Input("x", 3).GaussianNoise(9).Build<float>();
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        workspace.SetInput("x", [1, float.NaN, -0f]);
        network.Forward(workspace);
        Bits.AssertEqual<float>([1, float.NaN, -0f], workspace.Output(), "inference");
    }

    /// <summary>20040 draws: 0.02 is more than 3.5 standard deviations of the mean.</summary>
    [Fact]
    public void Gaussian_dropout_has_the_mean_and_the_deviation_of_dropout()
    {
        var y = Draw<double>(new GaussianDropout(0.3));
        var deviation = Math.Sqrt(0.3 / 0.7);
        Assert.InRange(y.Average(), 1 - 0.02, 1 + 0.02);
        Assert.InRange(Math.Sqrt(y.Average(v => (v - 1) * (v - 1))), deviation * 0.96, deviation * 1.04);
        double[] x = [.. y.Select((_, i) => Math.Sin(i))], dy = [.. y.Select((_, i) => Math.Cos(i))];
        var run = new LayerRun<double>(new GaussianDropout(0.3), new Shape(Size), x, dy);
        for (var i = 0; i < x.Length; i++)
            Assert.Equal(run.Dx[i] * x[i], run.Y[i] * dy[i], 1e-14);
    }

    /// <summary>The numbers that PyTorch's <c>alpha_dropout</c> has for kept and dropped elements, and the moments that it is made for.</summary>
    [Fact]
    public void Alpha_dropout_keeps_mean_and_deviation_of_normal_numbers()
    {
        const double S = 1.7580993408473766, P = 0.3;
        var a = 1 / Math.Sqrt((S * S * P + 1) * (1 - P));
        var x = Draw<double>(new Noise());
        double[] dy = [.. x.Select((_, i) => Math.Cos(i))];
        var run = new LayerRun<double>(new AlphaDropout(P), new Shape(Size), x, dy);
        var dropped = 0;
        for (var i = 0; i < x.Length; i++)
        {
            var isDropped = run.Dx[i] == 0;
            dropped += isDropped ? 1 : 0;
            Assert.Equal(isDropped ? a * S * (P - 1) : a * x[i] + a * S * P, run.Y[i], 1e-14);
            Assert.Equal(isDropped ? 0 : a * dy[i], run.Dx[i], 1e-15);
        }

        // 20040 draws: a standard deviation is 0.0032, of the mean 0.0071, of the deviation about 0.005.
        Assert.InRange(dropped / (double)x.Length, P - 0.016, P + 0.016);
        Assert.InRange(run.Y.Average(), -0.035, 0.035);
        Assert.InRange(Math.Sqrt(run.Y.Average(v => v * v)), 0.96, 1.04);
        double[] none = [.. x.Select(_ => double.NaN)];
        Assert.All(new LayerRun<double>(new AlphaDropout(1), new Shape(Size), none, dy).Y, v => Assert.Equal(0, v));
        Assert.Contains(new LayerRun<double>(new AlphaDropout(P), new Shape(Size), none, dy).Y, v => !double.IsNaN(v));
    }

    [Fact]
    public void Gaussian_and_alpha_dropout_rest_in_inference_and_do_not_depend_on_threads()
    {
        foreach (var layer in (Layer[])[new GaussianDropout(0.4), new AlphaDropout(0.4)])
        {
            var expected = Draw<float>(layer);
            foreach (var threads in TestThreads.Counts)
                Bits.AssertEqual<float>(expected, Draw<float>(layer, threads), $"{layer.Kind}, {threads} threads");
            var network = new GraphBuilder().Input("x", 3).Apply(layer).Build<float>();
            var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
            workspace.SetInput("x", [1, float.NaN, -0f]);
            network.Forward(workspace);
            Bits.AssertEqual<float>([1, float.NaN, -0f], workspace.Output(), layer.Kind);
        }
    }

    [Fact]
    public void Spatial_dropout_drops_whole_channels_forward_and_backward()
    {
        const int Positions = 6, Channels = 50;
        double[] ones = [.. Enumerable.Repeat(1.0, Rows * Positions * Channels)];
        var run = new LayerRun<double>(new SpatialDropout(0.25), new Shape(2, 3, Channels), ones, ones);
        Assert.Equal(run.Y, run.Dx);
        for (var i = 0; i < run.Y.Length; i++)
            Assert.Equal(run.Y[i / (Positions * Channels) * Positions * Channels + i % Channels], run.Y[i]);

        // 2000 draws: a standard deviation is 0.0097.
        Assert.All(run.Y, v => Assert.True(v is 0 or 4.0 / 3));
        Assert.InRange(run.Y.Count(v => v == 0) / (double)run.Y.Length, 0.25 - 0.04, 0.25 + 0.04);
        double[] none = [.. ones.Select(_ => double.NaN)];
        Assert.All(new LayerRun<double>(new SpatialDropout(1), new Shape(2, 3, Channels), none, ones).Y, v => Assert.Equal(0, v));
        Assert.Contains(new LayerRun<double>(new SpatialDropout(0.5), new Shape(2, 3, Channels), none, ones).Y, v => v == 0);
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            Assert.Equal(run.Y, new LayerRun<double>(new SpatialDropout(0.25), new Shape(2, 3, Channels), ones, ones, compute: compute).Y);
        }
    }

    [Fact]
    public void Numbers_out_of_range_are_refused()
    {
        Assert.Equal("probability", Assert.Throws<ArgumentOutOfRangeException>(() => new SpatialDropout(1.5)).ParamName);
        Assert.Equal("probability", Assert.Throws<ArgumentOutOfRangeException>(() => new AlphaDropout(-0.1)).ParamName);
        Assert.Equal("probability", Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianDropout(1)).ParamName);
        Assert.Equal("Deviation", Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianNoise(-1)).ParamName, ignoreCase: true);
        Assert.Equal("location", Assert.Throws<ArgumentOutOfRangeException>(() => new Noise(NoiseDistribution.Bernoulli, 2)).ParamName);
        Assert.Equal("spread", Assert.Throws<ArgumentOutOfRangeException>(() => new Noise(spread: -1)).ParamName);
        Assert.Equal("spread", Assert.Throws<ArgumentOutOfRangeException>(() => new Noise(spread: double.NaN)).ParamName);
        Assert.Equal("distribution", Assert.Throws<ArgumentOutOfRangeException>(() => new Noise((NoiseDistribution)3)).ParamName);
    }

    /// <summary>What a layer makes of ones in training.</summary>
    private static T[] Draw<T>(Layer layer, int threads = 1, ulong seed = 1) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var compute = TestThreads.Create(threads);
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", Size).Apply(layer));
        var network = graph.Build().CreateNetwork<T>(seed);
        var workspace = network.CreateWorkspace(Rows, compute: compute);
        workspace.Input("x").Fill(T.One);
        network.Forward(workspace);
        return workspace.Output().ToArray();
    }
}
