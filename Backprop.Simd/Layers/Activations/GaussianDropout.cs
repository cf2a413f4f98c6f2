using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>In training y = x f, with f from the normal distribution of mean 1 and variance p / (1 - p); in inference y = x. dx = dy f.</summary>
/// <remarks>
/// <para>Keras's <c>GaussianDropout</c>: mean and variance of f are those of the factors of <see cref="Dropout"/>. Backward draws the same factors
/// again. They are a function of the network's seed, the step, the node and the element's place in the batch, the same for any number of
/// threads. p = 0 is the identity.</para>
/// <para>Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout", 2014, section 10.</para>
/// </remarks>
public sealed class GaussianDropout : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="probability">The probability p of the dropout that it stands for, at least 0 and less than 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="probability"/> is outside [0, 1) or NaN.</exception>
    public GaussianDropout(double probability = 0.5)
    {
        if (!(probability is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, $"'{nameof(probability)}' must be in [0, 1).");
        Probability = probability;
    }

    /// <summary>The probability of the dropout that it stands for.</summary>
    public double Probability { get; }

    /// <inheritdoc/>
    public override string Kind => "gaussiandropout";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseScratch(type.Kind == EdgeKind.Shared ? 0 : type.Shape.Size, type.Kind == EdgeKind.Shared ? type.Shape.Size : 0);
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
            return;
        }

        var factors = context.InputType(0).Kind == EdgeKind.Shared ? context.BatchScratch : context.Scratch;
        Draw(context.RandomKey, factors, context.Compute);
        Elementwise.Multiply(x, factors, y, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        if (context.Evaluating || Probability == 0)
        {
            context.InputGradient(0).Copy(context.OutputGradient());
            return;
        }

        var factors = context.InputType(0).Kind == EdgeKind.Shared ? context.BatchScratch : context.Scratch;
        Draw(context.RandomKey, factors, context.Compute);
        context.InputGradient(0).Multiply(context.OutputGradient(), factors);
    }

    private void Draw<T>(RandomKey key, Span<T> factors, ComputeContext compute) where T : unmanaged, IFloatingPointIeee754<T>
    {
        factors.Fill(T.One);
        Noises.AddNormal(WordStream.Of(key.Seed, key.Step, key.Node), Math.Sqrt(Probability / (1 - Probability)), factors, compute);
    }
}
