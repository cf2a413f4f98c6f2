using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Tasks that only a memory, or attention to positions, can solve.</summary>
public sealed class SequenceTrainingTests
{
    private const int Rows = 64;

    /// <summary>
    /// Of 50 random numbers two are marked; the target is their sum. Always answering 1 gives an error of 1/6. Hochreiter and
    /// Schmidhuber, Neural Computation 9(8), 1997, section 5.4.
    /// </summary>
    [Theory, InlineData("lstm", 1200, 0.005), InlineData("gru", 800, 0.01)]
    public void A_recurrence_learns_to_add_two_marked_numbers(string kind, int steps, double rate)
    {
        const int Length = 50;
        var graph = new GraphBuilder();
        graph.ApplyAll(RecurrentTests.Make(kind, 32), graph.Input("x", Length, 2))[1].Affine(1).MeanSquaredError();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(Rows, compute: ComputeContext.SingleThreaded);
        var adam = new Adam<float>(network.Parameters.Length, rate);
        var random = new TestRandom(1);
        Batch(ref random);
        Assert.True(network.Forward(workspace) > 0.1);
        for (var step = 0; step < steps; step++)
        {
            Batch(ref random);
            network.Step(workspace, adam);
        }

        var error = 0.0;
        for (var i = 0; i < 10; i++)
        {
            Batch(ref random);
            error += network.Forward(workspace) / 10;
        }

        Assert.True(error < 0.01, $"The mean squared error is {error}.");

        void Batch(ref TestRandom random)
        {
            Span<float> x = workspace.Input("x"), targets = workspace.Input("targets");
            for (var row = 0; row < Rows; row++)
            {
                var sequence = x.Slice(row * 2 * Length, 2 * Length);
                for (var t = 0; t < Length; t++)
                    (sequence[2 * t], sequence[2 * t + 1]) = ((random.Signed<float>() + 1) / 2, 0);
                int first = random.Integer(0, Length / 2 - 1), second = random.Integer(Length / 2, Length - 1);
                (sequence[2 * first + 1], sequence[2 * second + 1]) = (1, 1);
                targets[row] = sequence[2 * first] + sequence[2 * second];
            }
        }
    }

    /// <summary>Eight tokens of ten come out in reverse: each position attends to its mirror image, whatever stands there.</summary>
    [Fact]
    public void Attention_learns_to_reverse_a_sequence()
    {
        const int Length = 8, Tokens = 10, Size = 16;
        var graph = new GraphBuilder();
        var x = graph.Input("x", Length, Size);
        (x + graph.Parameter("position", new Shape(Length, Size))).SelfAttention(heads: 1).MeanSquaredError();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(Rows, compute: ComputeContext.SingleThreaded);
        var adam = new Adam<float>(network.Parameters.Length, 0.01);
        var random = new TestRandom(1);
        var tokens = new int[Rows * Length];
        Assert.True(Accuracy(ref random) < 0.4);
        for (var step = 0; step < 300; step++)
        {
            Batch(ref random);
            network.Step(workspace, adam);
        }

        Assert.True(Accuracy(ref random) > 0.99);

        void Batch(ref TestRandom random)
        {
            Span<float> inputs = workspace.Input("x"), targets = workspace.Input("targets");
            inputs.Clear();
            targets.Clear();
            for (var i = 0; i < tokens.Length; i++)
            {
                tokens[i] = random.Integer(0, Tokens - 1);
                inputs[i * Size + tokens[i]] = 1;
                targets[Mirror(i) * Size + tokens[i]] = 1;
            }
        }

        // Of a batch that training has not seen.
        double Accuracy(ref TestRandom random)
        {
            Batch(ref random);
            network.Forward(workspace);
            var right = 0;
            for (var i = 0; i < tokens.Length; i++)
            {
                var y = workspace.Output().Slice(Mirror(i) * Size, Tokens).ToArray();
                right += Array.IndexOf(y, y.Max()) == tokens[i] ? 1 : 0;
            }

            return (double)right / tokens.Length;
        }

        static int Mirror(int i) => i / Length * Length + Length - 1 - i % Length;
    }
}
