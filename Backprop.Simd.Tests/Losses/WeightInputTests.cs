using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Losses;

/// <summary>A loss says which input holds the weights of its rows.</summary>
public sealed class WeightInputTests
{
    [Fact]
    public void A_loss_of_three_inputs_takes_weights_as_a_fourth()
    {
        double[] y = [1, 2, -1, 0.5], t = [0.5, -1, 2, 3], s = [1, 0.5, 2, -1], w = [1, 0, 2, 0.25];
        double[] losses = [.. y.Zip(t, (a, b) => a - b).Zip(s, (d, a) => d * a)], one = [1, 1, 1, 1];
        foreach (var reduction in Enum.GetValues<LossReduction>())
        {
            foreach (var weights in (double[]?[])[null, w])
            {
                new InputsLossRun<double>(new ScaledDifference(reduction), [(default, y), (default, t), (default, s)], weights)
                    .AssertIs(reduction, losses, one, weights, [s, [.. s.Select(v => -v)], [.. y.Zip(t, (a, b) => a - b)]]);
            }
        }
    }

    [Fact]
    public void The_number_of_inputs_is_checked()
    {
        var graph = new GraphBuilder();
        var (x, wide) = (graph.Input("x"), graph.Input("wide", 2));
        Assert.Contains("takes 3 inputs, or 4 with sample weights; it got 2",
            Assert.Throws<ArgumentException>("inputs", () => x.Apply(new ScaledDifference(), x)).Message, StringComparison.Ordinal);
        Assert.Contains("it got 5", Assert.Throws<ArgumentException>("inputs", () => x.Apply(new ScaledDifference(), x, x, x, x)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Input 3", Assert.Throws<ArgumentException>("inputs", () => x.Apply(new ScaledDifference(), x, x, wide)).Message,
            StringComparison.Ordinal);
        Assert.Equal("values []", x.Apply(new ScaledDifference(LossReduction.None), x, x, x).Type.ToString());
    }

    /// <summary>s (y - t).</summary>
    private sealed class ScaledDifference(LossReduction reduction = LossReduction.Mean) : ReducedLoss(reduction)
    {
        public override string Kind => "scaleddifference";

        private protected override int WeightInput => 3;

        public override void Declare(LayerDeclaration declaration)
        {
            DeclareReduction(declaration);
            declaration.UseCache(HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0, CachePerBatch);
            declaration.UseScratch(DoublesPerRow);
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            var doubles = Doubles(context.Scratch, 2 * context.Rows);
            for (var row = 0; row < context.Rows; row++)
            {
                doubles[row] = double.CreateTruncating(context.Input(2)[row] * (context.Input(0)[row] - context.Input(1)[row]));
                doubles[context.Rows + row] = 1;
            }

            Reduce(in context, doubles[..context.Rows], doubles[context.Rows..]);
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            WeightGradient(in context);
            var scales = context.Scratch[..context.Rows];
            Scales(in context, scales);
            for (var row = 0; row < context.Rows; row++)
            {
                context.InputGradient(0).Put(row, scales[row] * context.Input(2)[row]);
                context.InputGradient(1).Put(row, -scales[row] * context.Input(2)[row]);
                context.InputGradient(2).Put(row, scales[row] * (context.Input(0)[row] - context.Input(1)[row]));
            }
        }
    }
}
