using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Inverted dropout: in training y = x / (1 - p) with probability 1 - p, else 0; in inference y = x.</summary>
/// <remarks>
/// <para>dx = dy / (1 - p) where x was kept, else 0: backward draws the same mask again. Which elements are dropped depends only on
/// the network's seed, the step, the node and the element's place in the batch. It is the same for any number of threads, and for float
/// and double. p = 0 is the identity; p = 1 gives zeros. A NaN that is dropped gives 0. p has a resolution of 2^-23.</para>
/// <para>Hinton, Srivastava, Krizhevsky, Sutskever and Salakhutdinov, "Improving neural networks by preventing co-adaptation of
/// feature detectors", 2012; random numbers from <see cref="Philox"/>.</para>
/// </remarks>
public sealed class Dropout : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="probability">The probability p that an element is dropped, in [0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="probability"/> is outside [0, 1] or NaN.</exception>
    public Dropout(double probability = 0.5)
    {
        if (!(probability is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, $"'{nameof(probability)}' must be in [0, 1].");
        Probability = probability;
    }

    /// <summary>The probability that an element is dropped.</summary>
    public double Probability { get; }

    /// <inheritdoc/>
    public override string Kind => "dropout";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UsePositions();
        declaration.Traits = LayerTraits.InPlace;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.Input(0);
        var y = context.Output();
        if (context.Evaluating || Probability == 0)
            x.CopyTo(y);
        else if (Probability == 1)
            y.Clear();
        else
            Dropping.Run(Stream(context.RandomKey), 0, Probability, 1 / (1 - Probability), x, y, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        if (context.Evaluating || Probability == 0)
            dx.Copy(context.OutputGradient());
        else if (Probability < 1)
            Dropping.Run(Stream(context.RandomKey), 0, Probability, 1 / (1 - Probability), context.OutputGradient(), dx, context.Compute);
        else
            dx.Zero();
    }

    private static WordStream Stream(RandomKey key) => WordStream.Of(key.Seed, key.Step, key.Node);
}
