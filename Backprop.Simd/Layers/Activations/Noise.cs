using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>Random numbers with the shape of a node, whose numbers do not matter: the noise of z = mean + deviation * noise.</summary>
/// <remarks>
/// <para>The noise is drawn anew in each step, in training and in inference: it is a function of the network's seed, the workspace's
/// <see cref="Networks.Workspace{T}.StepNumber"/>, the node and the element's place in the batch. It is the same for any number of threads;
/// passes between two steps draw the same noise, and so do inference passes, unless the step number is set. No gradient flows to the
/// node.</para>
/// <para>Random words from <see cref="Philox"/>; normal numbers by Box and Muller (1958). A probability counts in multiples of 2^-24.</para>
/// </remarks>
public sealed class Noise : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="distribution">The distribution.</param>
    /// <param name="location">The mean, where a uniform distribution begins, or a probability.</param>
    /// <param name="spread">The standard deviation, the width, or the number that has the probability.</param>
    /// <exception cref="ArgumentOutOfRangeException">The distribution is none, a number is not 0 or, without its sign, from 1e-30 to 1e30, a
    /// standard deviation or width is negative, or a probability is outside [0, 1].</exception>
    public Noise(NoiseDistribution distribution = NoiseDistribution.Normal, double location = 0, double spread = 1)
    {
        if (distribution is < NoiseDistribution.Normal or > NoiseDistribution.Bernoulli)
            throw new ArgumentOutOfRangeException(nameof(distribution), distribution, $"'{nameof(distribution)}' must be one of {nameof(NoiseDistribution)}.");
        SpanGuard.InFloatRange(location);
        SpanGuard.InFloatRange(spread);
        if (distribution == NoiseDistribution.Bernoulli)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(location);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(location, 1);
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfNegative(spread);
        }

        (Distribution, Location, Spread) = (distribution, location, spread);
    }

    /// <summary>The distribution.</summary>
    public NoiseDistribution Distribution { get; }

    /// <summary>The mean, where a uniform distribution begins, or a probability.</summary>
    public double Location { get; }

    /// <summary>The standard deviation, the width, or the number that has the probability.</summary>
    public double Spread { get; }

    /// <inheritdoc/>
    public override string Kind => "noise";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var y = context.Output();
        var key = context.RandomKey;
        var stream = WordStream.Of(key.Seed, key.Step, key.Node);
        if (Distribution == NoiseDistribution.Normal)
        {
            y.Fill(T.CreateTruncating(Location));
            Noises.AddNormal(stream, Spread, y, context.Compute);
        }
        else if (Distribution == NoiseDistribution.Uniform)
        {
            Noises.Uniform(stream, y, context.Compute);
            ScaleAndShift(y, Location, in context);
        }
        else
        {
            Noises.Bernoulli(stream, Location, y, context.Compute);
            ScaleAndShift(y, 0, in context);
        }
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Zero();

    private void ScaleAndShift<T>(Span<T> y, double start, in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Spread != 1)
            Elementwise.Scale(y, T.CreateTruncating(Spread), y, context.Compute);
        if (start != 0)
            Elementwise.Shift(y, T.CreateTruncating(start), y, context.Compute);
    }
}
