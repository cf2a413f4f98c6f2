using System.Globalization;
using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>
/// Batch normalization of the channels, the last dimension, over rows and positions: of vectors [C], sequences [L, C] and images
/// [H, W, C]. y = weight (x - mean) / sqrt(variance + epsilon) + bias.
/// </summary>
/// <remarks>
/// <para>Ioffe, Szegedy, "Batch Normalization" (2015), algorithm 1. Training uses the mean and variance of the batch, n values per channel.
/// The variance divides by n and is computed without cancellation. Each step then updates the state:
/// running = (1 - momentum) running + momentum batch, where the variance divides by n - 1. Inference uses the state.</para>
/// <para>Backward, with xhat = (x - mean) / sigma: dweight = sum dy xhat, dbias = sum dy,
/// dx = weight / sigma (dy - mean(dy) - xhat mean(dy xhat)).</para>
/// <para>Frozen statistics (<c>network.Freeze(..., statistics: true)</c>) are used in training too, as
/// constants: dx = weight / sigma dy. So are the statistics of a node that does not train (<c>network.SetTraining(node, false)</c>).</para>
/// <para>Training needs at least two values per channel: one row of vectors [C] throws.</para>
/// <para>Squares are summed in the type of the network: inputs may be as large as 1e15 in float and 1e150 in double. Where squares
/// overflow (beyond 1.8e19 and 1.3e154 at the latest) the output is the bias and the input gradient is 0.</para>
/// </remarks>
public sealed class BatchNormalization : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="momentum">The weight of the new value in the running statistics, 0 to 1.</param>
    /// <param name="epsilon">The number added to the variance, 1e-30 to 1e30.</param>
    /// <param name="affine">False for no weight and no bias.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="momentum"/> or <paramref name="epsilon"/> is outside its range.</exception>
    public BatchNormalization(double momentum = 0.1, double epsilon = 1e-5, bool affine = true)
    {
        if (!(momentum is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "The momentum of batch normalization is the weight of the new value, 0 to 1.");
        NormalizationLayers.CheckEpsilon(epsilon);
        (Momentum, Epsilon, IsAffine) = (momentum, epsilon, affine);
    }

    /// <summary>The weight of the new value in the running statistics.</summary>
    public double Momentum { get; }

    /// <summary>The number added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>Whether there are a weight and a bias per channel.</summary>
    public bool IsAffine { get; }

    /// <inheritdoc/>
    public override string Kind => "batchnormalization";

    /// <summary>The layer with its options.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} (momentum {Momentum}, epsilon {Epsilon}, affine {IsAffine})");

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireChannels(this);
        var channels = new Shape(type.Shape.Last);
        if (IsAffine)
        {
            declaration.AddParameter("weight", channels, 1, 1, Initialize.Constant(1));
            declaration.AddParameter("bias", channels, 1, 1, Initialize.Zeros);
        }

        declaration.AddState("runningMean", channels);
        declaration.AddState("runningVariance", channels, initial: 1);
        declaration.UseCache(perRow: 0, perBatch: 3L * channels.Size);
        declaration.UseScratch(perRow: 0, perBatch: 4L * ChannelPlan.TableLength(channels.Size) + ChannelStatistics.ScratchLength(channels.Size));
        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">In training, a channel has only one value.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = context.InputType(0).Shape;
        var channels = shape.Last;
        var length = ChannelPlan.TableLength(channels);
        var x = context.Input(0);
        var scratch = context.BatchScratch;
        Span<T> center = scratch[..length], scale = scratch.Slice(length, length), shift = scratch.Slice(2 * length, length);
        if (!context.Training || context.IsStateFrozen(0) && context.IsStateFrozen(1))
        {
            context.State(0).CopyTo(center);
            var variance = context.State(1);
            var cache = context.BatchCache;
            if (context.Training)
                context.State(0).CopyTo(cache);
            for (var c = 0; c < channels; c++)
            {
                var inverse = T.CreateTruncating(1 / Math.Sqrt(double.CreateTruncating(variance[c]) + Epsilon));
                if (context.Training)
                    (cache[channels + c], cache[2 * channels + c]) = (T.Zero, inverse);
                scale[c] = IsAffine ? context.Parameter(0)[c] * inverse : inverse;
                shift[c] = IsAffine ? context.Parameter(1)[c] : T.Zero;
            }
        }
        else
        {
            var values = x.Length / channels;
            if (values < 2)
            {
                throw new ArgumentException(
                    $"{this} on {context.InputType(0)} x {context.Rows} row needs at least 2 values per channel in training; it got {values}.", "rows");
            }

            Span<T> variance = shift[..channels];
            Span<T> cache = context.BatchCache, mean = cache[..channels], offset = cache.Slice(channels, channels),
                inverse = cache.Slice(2 * channels, channels);
            var moments = new ChannelMoments<T> { Center = mean, Offset = offset, Inverse = inverse, Variance = variance };
            ChannelStatistics.Moments(new(x, values, channels), Epsilon, scratch[(4 * length)..], in moments, context.Compute);
            Propose(mean, 1, context.ProposedState(0));
            Propose(variance, values / (values - 1.0), context.ProposedState(1));
            mean.CopyTo(center);
            for (var c = 0; c < channels; c++)
            {
                scale[c] = IsAffine ? context.Parameter(0)[c] * inverse[c] : inverse[c];
                shift[c] = (IsAffine ? context.Parameter(1)[c] : T.Zero) - offset[c] * scale[c];
            }
        }

        var tables = new ChannelTables<T> { Center = center, Scale = scale, Shift = shift };
        ChannelScaling.Normalize(new(x, x.Length / channels, channels), in tables, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        var dw = IsAffine ? context.ParameterGradient(0) : default;
        var db = IsAffine ? context.ParameterGradient(1) : default;
        if (dx.IsEmpty && dw.IsEmpty && db.IsEmpty)
            return;
        var channels = context.InputType(0).Shape.Last;
        var length = ChannelPlan.TableLength(channels);
        ReadOnlySpan<T> x = context.Input(0), dy = context.OutputGradient();
        var values = T.CreateTruncating(x.Length / channels);
        Span<T> cache = context.BatchCache, mean = cache[..channels], offset = cache.Slice(channels, channels), inverse = cache.Slice(2 * channels, channels);
        var scratch = context.BatchScratch;
        Span<T> center = scratch[..length], byDy = scratch.Slice(length, length), byX = scratch.Slice(2 * length, length),
            shift = scratch.Slice(3 * length, length);
        Span<T> sums = byX, products = shift;
        var rows = new ReadOnlyMatrix<T>(x, x.Length / channels, channels);
        ChannelStatistics.Products(rows, dy, mean, scratch[(4 * length)..], sums, products, context.Compute);
        mean.CopyTo(center);
        var isFrozen = context.IsStateFrozen(0) && context.IsStateFrozen(1);
        for (var c = 0; c < channels; c++)
        {
            var sum = sums[c];
            var product = (products[c] - offset[c] * sum) * inverse[c]; // of dy and xhat
            dw.Put(c, product);
            db.Put(c, sum);

            // xhat = (x - center - offset) / sigma
            byDy[c] = IsAffine ? context.Parameter(0)[c] * inverse[c] : inverse[c];
            byX[c] = isFrozen ? T.Zero : -byDy[c] * inverse[c] * (product / values);
            shift[c] = isFrozen ? T.Zero : -byDy[c] * (sum / values) - byX[c] * offset[c];
        }

        var tables = new ChannelTables<T> { Center = center, Scale = byDy, Slope = byX, Shift = shift };
        ChannelScaling.Gradient(rows, dy, in tables, dx, context.Compute);
    }

    /// <summary>Moves the proposed state, which starts as the committed one, towards the batch: a shared layer moves it once for each place.</summary>
    private void Propose<T>(ReadOnlySpan<T> batch, double factor, Span<T> proposed)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var c = 0; c < batch.Length; c++)
            proposed[c] = T.CreateTruncating((1 - Momentum) * double.CreateTruncating(proposed[c]) + Momentum * factor * double.CreateTruncating(batch[c]));
    }
}
