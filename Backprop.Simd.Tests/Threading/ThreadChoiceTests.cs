using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Threading;

/// <summary>Trials run passes on the team and alone in turn, whatever the clock says; the choice never shows in the results.</summary>
public sealed class ThreadChoiceTests
{
    [Fact]
    public void Trials_try_both()
    {
        using var team = new ComputeContext(2);
        var choice = new ThreadChoice(team);
        var kinds = new List<bool>();
        for (var i = 0; i < 310; i++)
        {
            choice.Begin(measures: true);
            kinds.Add(ReferenceEquals(choice.Current, ComputeContext.SingleThreaded));
            Assert.True(kinds[^1] || ReferenceEquals(choice.Current, team));
            choice.End();
        }

        // Before the first trial the team runs; a trial is three times eight passes of each kind.
        Assert.All(kinds[..8], Assert.False);
        foreach (var trial in (List<bool>[])[kinds[8..56], kinds[256..304]])
        {
            for (var i = 0; i < trial.Count; i++)
                Assert.Equal(i / 8 % 2 == 1, trial[i]);
        }

        // Between trials one kind runs.
        Assert.Single(kinds[56..256].Distinct());
        Assert.Single(kinds[304..].Distinct());
    }

    [Fact]
    public void Passes_of_another_size_do_not_count()
    {
        using var team = new ComputeContext(2);
        var choice = new ThreadChoice(team);
        for (var i = 0; i < 100; i++)
        {
            choice.Begin(measures: false);
            Assert.Same(team, choice.Current);
            choice.End();
        }
    }

    [Fact]
    public void A_team_without_a_threshold_is_always_used()
    {
        using var team = new ComputeContext(2) { InlineNanoseconds = 0 };
        var choice = new ThreadChoice(team);
        for (var i = 0; i < 100; i++)
        {
            choice.Begin(measures: true);
            Assert.Same(team, choice.Current);
            choice.End();
        }
    }

    [Fact]
    public void Steps_through_a_trial_have_the_bits_of_steps_on_one_thread()
    {
        using var team = new ComputeContext(3);
        Bits.AssertEqual<float>(Train(ComputeContext.SingleThreaded), Train(team), "parameters after 80 steps");
    }

    private static float[] Train(ComputeContext compute)
    {
        var network = GraphBuilder.Chain(40).Affine(30).Sigmoid().Affine(5).SoftmaxCrossEntropy().Build<float>(seed: 3);
        var workspace = network.CreateWorkspace(64, compute: compute);
        var random = new TestRandom(5);
        foreach (ref var x in workspace.Input())
            x = random.Signed<float>();
        for (var i = 0; i < 64; i++)
            workspace.IndexInput()[i] = i % 5;
        var optimizer = new Sgd<float>(network.Parameters.Length, learningRate: 0.1);
        for (var step = 0; step < 80; step++)
            network.Step(workspace, optimizer);
        return network.Parameters.ToArray();
    }
}
