using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>In training y = x + s n, with n from the standard normal distribution; in inference y = x. dx = dy.</summary>
/// <remarks>Keras's <c>GaussianNoise</c>. The noise is a function of the network's seed, the step, the node and the element's place in the
/// batch, the same for any number of threads. For noise that a graph computes with see <see cref="Noise"/>.</remarks>
public sealed class GaussianNoise : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="deviation">The standard deviation s: 0, or from 1e-30 to 1e30.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deviation"/> is out of its range.</exception>
    public GaussianNoise(double deviation)
    {
        SpanGuard.InFloatRange(deviation);
        ArgumentOutOfRangeException.ThrowIfNegative(deviation);
        Deviation = deviation;
    }

    /// <summary>The standard deviation.</summary>
    public double Deviation { get; }

    /// <inheritdoc/>
    public override string Kind => "gaussiannoise";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.InPlace;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var y = context.Output();
        context.Input(0).CopyTo(y);
        var key = context.RandomKey;
        if (!context.Evaluating && Deviation > 0)
            Noises.AddNormal(WordStream.Of(key.Seed, key.Step, key.Node), Deviation, y, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
}
