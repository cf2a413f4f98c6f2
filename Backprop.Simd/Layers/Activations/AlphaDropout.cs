using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// Dropout that keeps mean 0 and variance 1, for networks of <see cref="Activations.Selu"/>: in training y = a (x + s) - b with probability
/// 1 - p, else -b; in inference y = x.
/// </summary>
/// <remarks>
/// <para>s = 1.7580993408473766 is the size of selu at -infinity, a = 1 / sqrt((1 - p) (1 + p s^2)), b = a s (1 - p): PyTorch's
/// <c>AlphaDropout</c>. What is dropped gets selu's lowest value before scale and shift. dx = a dy where x was kept, else 0.</para>
/// <para>The elements that are dropped are chosen as in <see cref="Dropout"/>. p = 0 is the identity; p = 1 gives zeros. A NaN that is dropped
/// gives -b.</para>
/// <para>Klambauer, Unterthiner, Mayr and Hochreiter, "Self-Normalizing Neural Networks", 2017.</para>
/// </remarks>
public sealed class AlphaDropout : Layer
{
    /// <summary>-selu(-infinity): its alpha times its scale.</summary>
    private const double Lowest = 1.7580993408473766;

    /// <summary>Makes the layer.</summary>
    /// <param name="probability">The probability p that an element is dropped, in [0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="probability"/> is outside [0, 1] or NaN.</exception>
    public AlphaDropout(double probability = 0.5)
    {
        if (!(probability is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, $"'{nameof(probability)}' must be in [0, 1].");
        Probability = probability;
    }

    /// <summary>The probability that an element is dropped.</summary>
    public double Probability { get; }

    /// <inheritdoc/>
    public override string Kind => "alphadropout";

    private double Scale => 1 / Math.Sqrt((1 - Probability) * (1 + Probability * Lowest * Lowest));

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
        {
            x.CopyTo(y);
        }
        else if (Probability == 1)
        {
            y.Clear();
        }
        else
        {
            Elementwise.Shift(x, T.CreateTruncating(Lowest), y, context.Compute);
            Dropping.Run(Stream(context.RandomKey), 0, Probability, Scale, y, y, context.Compute);
            Elementwise.Shift(y, T.CreateTruncating(-Scale * Lowest * (1 - Probability)), y, context.Compute);
        }
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        if (context.Evaluating || Probability == 0)
            dx.Copy(context.OutputGradient());
        else if (Probability < 1)
            Dropping.Run(Stream(context.RandomKey), 0, Probability, Scale, context.OutputGradient(), dx, context.Compute);
        else
            dx.Zero();
    }

    private static WordStream Stream(RandomKey key) => WordStream.Of(key.Seed, key.Step, key.Node);
}
