using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Dropout of whole channels: in training each channel of each row is scaled by 1 / (1 - p) with probability 1 - p, else 0; in
/// inference y = x.</summary>
/// <remarks>
/// <para>Of [H, W, C], [T, C] or any other shape, channels last. Backward draws the same mask again. The same conventions as
/// <see cref="Dropout"/>: a NaN in a dropped channel gives 0. PyTorch's <c>Dropout1d</c> and <c>Dropout2d</c>, Keras's <c>SpatialDropout</c>.</para>
/// <para>Tompson, Goroshin, Jain, LeCun and Bregler, "Efficient Object Localization Using Convolutional Networks", 2015.</para>
/// </remarks>
public sealed class SpatialDropout : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="probability">The probability p that a channel is dropped, in [0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="probability"/> is outside [0, 1] or NaN.</exception>
    public SpatialDropout(double probability = 0.5)
    {
        if (!(probability is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, $"'{nameof(probability)}' must be in [0, 1].");
        Probability = probability;
    }

    /// <summary>The probability that a channel is dropped.</summary>
    public double Probability { get; }

    /// <inheritdoc/>
    public override string Kind => "spatialdropout";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireChannels(this);
        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseScratch(perRow: type.Shape.Last);
        declaration.Traits = LayerTraits.InPlace;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (context.Evaluating || Probability == 0)
        {
            context.Input(0).CopyTo(context.Output());
            return;
        }

        var shape = context.InputType(0).Shape;
        Draw(context.RandomKey, context.Scratch, context.Compute);
        Noises.ScaleChannels<T>(context.Input(0), context.Scratch, shape.Size / shape.Last, shape.Last, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        if (context.Evaluating || Probability == 0)
        {
            dx.Copy(context.OutputGradient());
            return;
        }

        var shape = context.InputType(0).Shape;
        Draw(context.RandomKey, context.Scratch, context.Compute);
        Noises.ScaleChannels<T>(context.OutputGradient(), context.Scratch, shape.Size / shape.Last, shape.Last, dx, context.Compute);
    }

    /// <summary>The factors of all channels of all rows.</summary>
    private void Draw<T>(RandomKey key, Span<T> factors, Threading.ComputeContext compute) where T : unmanaged, IFloatingPointIeee754<T>
    {
        factors.Fill(Probability < 1 ? T.One : T.Zero);
        if (Probability < 1)
            Dropping.Run<T>(WordStream.Of(key.Seed, key.Step, key.Node), 0, Probability, 1 / (1 - Probability), factors, factors, compute);
    }
}
