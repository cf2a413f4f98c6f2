using Backprop.Simd.Memory;

namespace Backprop.Simd.Bench;

/// <summary>One update of a flat block of parameters. The result of a call is the parameters after its first update.</summary>
internal sealed class OptimizerProblem
{
    public const double LearningRate = 1e-3, Momentum = 0.9, Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, WeightDecay = 0.01;

    public OptimizerProblem(string name, int count)
    {
        Name = name;
        Count = count;
        Parameters = new(count);
        Gradients = new(count);
        Initial = new(count);
        Fill.Uniform(Initial.Span, seed: 1);
        Fill.Uniform(Gradients.Span, seed: 2);
        Reset();
    }

    /// <summary>sgd, momentum, adam or adamw.</summary>
    public string Name { get; }

    public int Count { get; }

    public AlignedBuffer<float> Initial { get; }

    public AlignedBuffer<float> Parameters { get; }

    public AlignedBuffer<float> Gradients { get; }

    public void Reset() => Initial.Span.CopyTo(Parameters.Span);

    public string? Verify(double[] result)
    {
        if (result.Length != Count)
            return $"{result.Length} parameters instead of {Count}";
        for (var i = 0; i < Count; i++)
        {
            double w = Initial.Span[i], g = Gradients.Span[i];
            // After one step m_hat = g and v_hat = g^2.
            var expected = Name switch
            {
                "sgd" or "momentum" => w - LearningRate * g,
                "adam" => w - LearningRate * g / (Math.Abs(g) + Epsilon),
                "adamw" => w * (1 - LearningRate * WeightDecay) - LearningRate * g / (Math.Abs(g) + Epsilon),
                _ => throw new NotSupportedException(Name),
            };
            // Some roundings of w, and four digits of the update: 1 - beta2 has no more in float.
            if (!(Math.Abs(result[i] - expected) <= 3e-7 * Math.Abs(expected) + 1e-4 * LearningRate))
                return $"parameter {i} is {result[i]:G9} instead of {expected:G9}";
        }

        return null;
    }
}
