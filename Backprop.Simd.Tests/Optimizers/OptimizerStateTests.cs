using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;
using Xunit;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>What is saved of an optimizer is all that its next steps depend on.</summary>
public sealed class OptimizerStateTests
{
    private const int Count = 37;

    public static TheoryData<string> All =>
        [.. OptimizerCases.Names, "adam", "adamw", "sgd", "sgd momentum", "sgd nesterov", "sgd dampening"];

    [Theory]
    [MemberData(nameof(All))]
    public void Restored_state_gives_the_bits_of_an_undisturbed_run(string name)
    {
        var (undisturbed, parameters) = (Create(name), Parameters());
        for (var step = 0; step < 7; step++)
            undisturbed.Step(parameters, Gradients(step));
        var blocks = undisturbed.StateNames.ToDictionary(n => n, n => undisturbed.State(n).ToArray());
        var (steps, saved) = (undisturbed.Steps, parameters.ToArray());
        for (var step = 7; step < 12; step++)
            undisturbed.Step(parameters, Gradients(step));

        // Another one, of the same settings, that has gone further; and the same one, taken back.
        var other = Create(name);
        for (var step = 0; step < 20; step++)
            other.Step(Parameters(), Gradients(step + 100));
        foreach (var optimizer in new[] { other, undisturbed })
        {
            optimizer.RestoreSteps(steps);
            foreach (var block in blocks)
                block.Value.CopyTo(optimizer.State(block.Key));
            var resumed = saved.ToArray();
            for (var step = 7; step < 12; step++)
                optimizer.Step(resumed, Gradients(step));
            Assert.Equal(parameters, resumed);
            Assert.Equal(12, optimizer.Steps);
        }
    }

    [Fact]
    public void State_is_named_and_what_is_not_there_is_told()
    {
        Assert.Equal(["first", "second"], new Adam<float>(3).StateNames);
        Assert.Equal(["first", "second", "largest"], new AdamW<float>(3, amsGrad: true).StateNames);
        Assert.Equal(["velocity"], new Sgd<float>(3, 0.1, 0.9).StateNames);
        Assert.Empty(new Sgd<float>(3, 0.1).StateNames);
        var error = Assert.Throws<ArgumentException>(() => new Adam<float>(3).State("velocity").Length);
        Assert.Contains("'velocity'", error.Message, StringComparison.Ordinal);
        Assert.Contains("first, second", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam<float>(3).RestoreSteps(-1));
        Assert.Throws<ArgumentException>(() => new TwoOfOneName());
    }

    private static Optimizer<float> Create(string name) => name switch
    {
        "adam" => new Adam<float>(Count, 0.05, weightDecay: 0.01),
        "adamw" => new AdamW<float>(Count, 0.05),
        "sgd" => new Sgd<float>(Count, 0.05, weightDecay: 0.1),
        "sgd momentum" => new Sgd<float>(Count, 0.05, 0.9),
        "sgd nesterov" => new Sgd<float>(Count, 0.05, 0.9, nesterov: true),
        "sgd dampening" => new Sgd<float>(Count, 0.05, 0.9, dampening: 0.3),
        _ => OptimizerCases.Create<float>(name, Count),
    };

    private static float[] Parameters() => [.. Enumerable.Range(0, Count).Select(i => MathF.Sin(i))];

    private static float[] Gradients(int step) => [.. Enumerable.Range(0, Count).Select(i => MathF.Cos((3 * i) + (step * step)))];

    private sealed class TwoOfOneName : Optimizer<float>
    {
        public TwoOfOneName()
            : base(1, 0.1)
        {
            AddState("a");
            AddState("a");
        }

        protected override void Update(Span<float> parameters, ReadOnlySpan<float> gradients, BlockRange range, ComputeContext? context)
        {
        }
    }
}
