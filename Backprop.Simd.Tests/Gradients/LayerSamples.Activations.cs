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
}
