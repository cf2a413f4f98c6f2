using Backprop.Simd.Data;
using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Frozen parameters and statistics, and batches bound to inputs.</summary>
public sealed class FreezeTests
{
    private static Network<double> Make() => GraphBuilder.Chain(new Shape(6, 3)).Affine(4).Named("backbone").BatchNormalization().Named("backbone.norm")
        .Tanh().Flatten().Affine(2).Named("head").MeanSquaredError().Build<double>(seed: 4);

    private static void Fill(Workspace<double> workspace, int seed)
    {
        for (var i = 0; i < workspace.Input("x").Length; i++)
            workspace.Input("x")[i] = Math.Sin(i * 1.7 + seed);
        for (var i = 0; i < workspace.Input("targets").Length; i++)
            workspace.Input("targets")[i] = Math.Cos(i + seed);
    }

    [Fact]
    public void What_is_frozen_stays_and_the_head_learns()
    {
        var network = Make();
        var workspace = network.CreateWorkspace(5);
        var optimizer = new Sgd<double>(network.Parameters.Length, 0.1);
        Fill(workspace, 1);
        network.Step(workspace, optimizer);
        network.Freeze(p => p.Name.StartsWith("backbone", StringComparison.Ordinal), statistics: true);
        var before = network.Definition.Parameters.Entries.Concat(network.Definition.State.Entries)
            .ToDictionary(p => p.Name, p => Read(network, p.Name));
        var output = Predict(network);
        for (var step = 2; step < 6; step++)
        {
            Fill(workspace, step);
            network.Step(workspace, optimizer);
        }

        foreach (var (name, values) in before)
            Assert.Equal(!name.StartsWith("head", StringComparison.Ordinal), values.SequenceEqual(Read(network, name)));
        Assert.NotEqual(output, Predict(network));
        Assert.True(network.ConvertTo<float>().IsFrozen("backbone.norm.runningMean"));
        network.Unfreeze("backbone.norm.runningMean");
        network.Unfreeze("backbone.norm.runningVariance");
        network.Step(workspace, optimizer);
        Assert.False(before["backbone.norm.runningMean"].SequenceEqual(Read(network, "backbone.norm.runningMean")));
    }

    [Fact]
    public void Frozen_statistics_are_constants()
    {
        var network = Make();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true });
        for (var i = 0; i < 4; i++)
            network.StateOf("backbone.norm.runningMean")[i] = 0.1 * i;
        network.StateOf("backbone.norm.runningVariance").Fill(2.5);
        network.Freeze(p => false, statistics: false);
        network.Freeze(p => p.Name.Contains("running", StringComparison.Ordinal), statistics: true);
        Fill(workspace, 3);
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-7), report.ToString());

        // Training and inference give the same.
        network.Forward(workspace);
        var inference = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        workspace.Input("x").CopyTo(inference.Input("x"));
        network.Forward(inference);
        Assert.Equal(inference.Output().ToArray(), workspace.Output().ToArray());
    }

    [Fact]
    public void A_name_of_neither_is_refused() =>
        Assert.Contains("nothing", Assert.Throws<ArgumentException>(() => Make().Freeze("nothing")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_batch_is_read_where_it_lies()
    {
        var network = Make();
        var values = new float[7 * 18];
        var targets = new float[7 * 2];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)Math.Sin(i);
        for (var i = 0; i < targets.Length; i++)
            targets[i] = (float)Math.Cos(i);
        var single = network.ConvertTo<float>();
        var set = new Dataset<float>(Columns.Values("x", new Shape(6, 3), values), Columns.Values("targets", new Shape(2), targets));
        var workspace = single.CreateWorkspace(3, new WorkspaceOptions { KeepGradients = true });
        var copied = single.CreateWorkspace(3);
        using var loader = new BatchLoader<float>(set, 3);
        for (var i = 0; i < loader.BatchesPerEpoch; i++)
        {
            var batch = loader.Next();
            workspace.Bind(batch);
            Assert.Equal(batch.Rows, workspace.Rows);
            copied.Rows = batch.Rows;
            copied.SetInput("x", batch.Values(0));
            copied.SetInput("targets", batch.Values(1));
            Assert.Equal(single.Forward(copied), single.Forward(workspace));
        }

        // Inference reads no targets; training does.
        var without = new Dataset<float>(Columns.Values("x", new Shape(6, 3), values));
        using var others = new BatchLoader<float>(without, 3);
        var other = others.Next();
        single.CreateWorkspace(3, WorkspaceOptions.Inference).Bind(other);
        Assert.Contains("'targets'", Assert.Throws<ArgumentException>(() => workspace.Bind(other)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => single.CreateWorkspace(1, WorkspaceOptions.Inference).Bind(other));
    }

    private static double[] Read(Network<double> network, string name) =>
        network.Definition.Parameters.TryFind(name, out _) ? network.ParameterOf(name).ToArray() : network.StateOf(name).ToArray();

    private static double[] Predict(Network<double> network)
    {
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        for (var i = 0; i < workspace.Input("x").Length; i++)
            workspace.Input("x")[i] = Math.Sin(i);
        network.Forward(workspace);
        return workspace.Output().ToArray();
    }
}
