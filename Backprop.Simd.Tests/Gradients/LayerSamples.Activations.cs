using Backprop.Simd.Activations;
using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Gradients;

internal static partial class LayerSamples
{
    /// <summary>Inputs in (-5, 5) at least <see cref="Margin"/> from -3, 0 and 3.</summary>
    private static void AwayFromThree(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
        {
            do
                value = 5 * random.Signed<double>();
            while (Math.Abs(value) < Margin || Math.Abs(Math.Abs(value) - 3) < Margin);
        }
    }

    private static IEnumerable<LayerSample> MoreActivations()
    {
        foreach (var (type, rows) in ElementwiseTypes())
        {
            yield return new(new Activation<Elu>(new Elu(1.5)), [type], rows, AwayFromZero);
            yield return new(new Activation<Elu>(new Elu(-0.5)), [type], rows, AwayFromZero) { Name = "negative alpha " };
            yield return new(new Activation<Elu>(new Elu(0)), [type], rows, AwayFromZero) { Name = "alpha zero " };
            yield return new(new Activation<Selu>(default), [type], rows, AwayFromZero);
            yield return new(new Activation<Gelu>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<GeluTanh>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<Silu>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<Mish>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<Softplus>(new Softplus()), [type], rows, AwayFromThree);
            yield return new(new Activation<Softplus>(new Softplus(2, 6)), [type], rows, AwayFromThree) { Name = "linear above 3 " };
            yield return new(new Activation<Softsign>(default), [type], rows, AwayFromZero);
            yield return new(new Activation<HardSigmoid>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<HardSwish>(default), [type], rows, AwayFromThree);
        }
    }

    /// <summary>Inputs in 0.7 to 3.</summary>
    private static void Positive(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
            value = 1.85 + 1.15 * random.Signed<double>();
    }

    /// <summary>Inputs in (-7, 7) at least <see cref="Margin"/> from every half and every integer.</summary>
    private static void AwayFromHalves(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
        {
            do
                value = 7 * random.Signed<double>();
            while (Math.Abs(2 * value - Math.Round(2 * value)) < 2 * Margin);
        }
    }

    private static IEnumerable<LayerSample> FunctionSamples()
    {
        foreach (var layer in (Layer[])[new Glu(), new SwiGlu()])
        {
            yield return new(layer, [Values(6)], 3, Signed);
            yield return new(layer, [Values(3, 34)], 2, Signed) { Name = "sequence " };
            yield return new(layer, [Values(2, 2, 2)], 2, Signed) { Name = "image " };
            yield return new(layer, [Shared(4)], 2, Signed) { Name = "shared " };
        }

        foreach (var (type, rows) in ElementwiseTypes())
        {
            yield return new(new Activation<Log>(default), [type], rows, Positive);
            yield return new(new Activation<Sqrt>(default), [type], rows, Positive);
            yield return new(new Activation<Abs>(default), [type], rows, AwayFromZero);
            foreach (var exponent in (double[])[0, 1, 2, 3, 0.5, -0.75])
                yield return new(new Activation<Pow>(new Pow(exponent)), [type], rows, Positive) { Name = $"exponent {exponent} " };
            yield return new(new Activation<Pow>(new Pow(-2)), [type], rows, Invertible) { Name = "exponent -2 " };
            yield return new(new Activation<Clip>(new Clip(-3, 0.5)), [type], rows, AwayFromHalves);
            yield return new(new Activation<HardTanh>(new HardTanh(-1, 2.5)), [type], rows, AwayFromHalves);
            yield return new(new Activation<Relu6>(default), [type], rows, AwayFromHalves);
            yield return new(new Activation<ThresholdedRelu>(new ThresholdedRelu(-0.5)), [type], rows, AwayFromHalves);
            yield return new(new Activation<Celu>(new Celu(0.7)), [type], rows, AwayFromZero);
            yield return new(new Activation<LogSigmoid>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<Sin>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<Cos>(default), [type], rows, AwayFromThree);
            yield return new(new Activation<Erf>(default), [type], rows, AwayFromZero);
            yield return new(new Activation<Floor>(default), [type], rows, AwayFromHalves);
        }
    }
}
