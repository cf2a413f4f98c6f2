using Backprop.Simd.Inference;

namespace Backprop.Simd.Tests.Inference;

/// <summary>Draws from logits.</summary>
public sealed class SamplerTests
{
    private static readonly float[] Logits = [1, 3, float.NegativeInfinity, 2, 0, 3];

    [Fact]
    public void A_temperature_of_0_and_the_top_1_take_the_first_of_the_largest()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(1, new Sampler((ulong)i, 0).Next<float>(Logits));
            Assert.Equal(1, new Sampler((ulong)i, topK: 1).Next<float>(Logits));
        }
    }

    [Theory, InlineData(1, 0, 1), InlineData(0.5, 0, 1), InlineData(2, 3, 1), InlineData(1, 0, 0.7), InlineData(1, 4, 0.95), InlineData(1, 99, 1e-9)]
    public void Draws_have_the_probabilities_of_the_definition(double temperature, int topK, double topP)
    {
        var p = Logits.Select(x => Math.Exp(x / temperature)).ToArray();
        var order = Enumerable.Range(0, 6).OrderByDescending(i => p[i]).ThenBy(i => i).Take(topK == 0 ? 6 : topK).ToArray();
        var total = order.Sum(i => p[i]);
        var kept = order.TakeWhile((_, n) => n == 0 || topP == 1 || order[..n].Sum(i => p[i]) < topP * total).ToArray();
        total = kept.Sum(i => p[i]);
        const int Draws = 20000;
        var sampler = new Sampler(3, temperature, topK, topP);
        var counts = new int[6];
        for (var i = 0; i < Draws; i++)
            counts[sampler.Next<float>(Logits)]++;
        for (var i = 0; i < 6; i++)
        {
            // Five standard deviations.
            var expected = kept.Contains(i) ? p[i] / total : 0;
            Assert.InRange(counts[i] / (double)Draws, expected - 5 * Math.Sqrt(expected / Draws), expected + 5 * Math.Sqrt(expected / Draws));
        }
    }

    [Fact]
    public void Draws_follow_from_the_seed_in_float_and_double()
    {
        double[] doubles = [.. Logits.Select(x => (double)x)];
        int[] Draw(Sampler sampler, bool isDouble) =>
            [.. Enumerable.Range(0, 50).Select(_ => isDouble ? sampler.Next<double>(doubles) : sampler.Next<float>(Logits))];
        var expected = Draw(new(7, 1.5, 5, 0.99), false);
        Assert.Equal(expected, Draw(new(7, 1.5, 5, 0.99), false));
        Assert.Equal(expected, Draw(new(7, 1.5, 5, 0.99), true));
        Assert.NotEqual(expected, Draw(new(8, 1.5, 5, 0.99), false));
    }

    [Fact]
    public void Wrong_settings_and_logits_are_named()
    {
        foreach (var wrong in (double[])[-0.1, double.NaN, double.PositiveInfinity])
            Assert.Equal("temperature", Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(0, wrong)).ParamName);
        foreach (var wrong in (double[])[0, 1.1, double.NaN])
            Assert.Equal("topP", Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(topP: wrong)).ParamName);
        Assert.Equal("topK", Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(topK: -1)).ParamName);
        foreach (var wrong in (float[][])[[], [1, float.NaN], [float.PositiveInfinity], [float.NegativeInfinity]])
            Assert.Equal("logits", Assert.Throws<ArgumentException>(() => new Sampler().Next<float>(wrong)).ParamName);
    }
}
