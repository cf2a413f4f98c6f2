using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The space that convolutions need beside their operands.</summary>
internal static class ConvolutionScratch
{
    /// <summary>Gradients by filters of no more elements are summed in shards of the batch: they have too few tiles to share out.</summary>
    private const int MostShardedElements = 8192;

    private const int MostShards = 8;

    /// <summary>Two of the widest registers of float: what the panels of a group may hold more than its columns.</summary>
    private const int PanelSlack = 32;

    /// <summary>In how many parts the batch is cut for dW: a function of the sizes alone.</summary>
    public static int Shards(in ConvolutionShape shape, int images) =>
        shape.IsDepthwise || shape.WeightSize <= MostShardedElements ? Math.Min(MostShards, images) : 1;

    /// <summary>Pixels of a block of the gradient by the biases: four chains of <see cref="BlockSums.Rows"/> additions.</summary>
    public const int BiasBlock = 4 * BlockSums.Rows;

    /// <summary>The blocks of an image.</summary>
    public static int BiasBlocks(in ConvolutionShape shape) => (shape.OutputHeight * shape.OutputWidth - 1) / BiasBlock + 1;

    /// <summary>Elements of the sums of biases that wait for others, in a shard of as many images as a span holds.</summary>
    public static long BiasLength(in ConvolutionShape shape) =>
        (long)BlockSums.Slots((int)Math.Min(int.MaxValue, (long)(int.MaxValue / shape.OutputSize) * BiasBlocks(shape))) * shape.Filters;

    /// <summary>Elements that a call needs, whatever the function: packed filters, or the shards of dW and the sums of biases.</summary>
    public static long Length(in ConvolutionShape shape)
    {
        if (shape.IsPointwise)
            return 0;
        var cells = (long)shape.Kernel.Height * shape.Kernel.Width;
        if (shape.IsDepthwise)
            return (long)MostShards * shape.WeightSize;
        var shards = shape.WeightSize <= MostShardedElements ? MostShards * (shape.WeightSize + BiasLength(shape)) : BiasLength(shape);
        var forward = cells * shape.Channels * (shape.GroupFilters + PanelSlack);
        var backward = cells * shape.Filters * (shape.GroupChannels + PanelSlack);
        return Math.Max(shards, Math.Max(forward, backward));
    }

    /// <summary>Bytes that a call needs on each thread: offsets, an image between zeros, a panel of an output.</summary>
    /// <param name="shape">The sizes.</param>
    /// <param name="pooled">Elements of the pooled outputs of an image, where outputs are pooled before they are stored; else 0.</param>
    public static long ThreadBytes<T>(in ConvolutionShape shape, long pooled = 0)
    {
        if (shape.IsPointwise)
            return 0;
        if (pooled > 0)
            pooled += shape.OutputSize;
        var offsets = Math.Max((long)shape.Kernel.Height * shape.Kernel.Width, shape.OutputHeight);
        var gradient = new GradientPadding(shape);
        var image = (long)shape.PaddedHeight * shape.PaddedWidth * shape.Channels;
        var output = gradient.Height * gradient.Width * shape.Filters;
        var panel = (long)shape.OutputHeight * shape.OutputWidth * PanelSlack;
        return offsets * 8 + 64 + (Math.Max(image + panel, output) + pooled) * Unsafe.SizeOf<T>() + 64;
    }

    /// <summary>Copies rows of an image between zeros: rows [first, limit) of the padded image.</summary>
    public static unsafe void Pad<T>(T* image, int height, int width, int channels, Padding padding, int first, int limit, T* padded)
        where T : unmanaged
    {
        var row = (nint)(width + padding.Left + padding.Right) * channels;
        for (var y = first; y < limit; y++)
        {
            var destination = new Span<T>(padded + y * row, (int)row);
            var source = y - padding.Top;
            if (source < 0 || source >= height)
            {
                destination.Clear();
                continue;
            }

            destination[..(padding.Left * channels)].Clear();
            new ReadOnlySpan<T>(image + (nint)source * width * channels, width * channels).CopyTo(destination[(padding.Left * channels)..]);
            destination[((padding.Left + width) * channels)..].Clear();
        }
    }
}

/// <summary>
/// The cells of a filter that reach the inputs of one phase of the stride, in one dimension: k = First + m Step, which meets
/// output t + Offset - m OffsetStep at the phase's input t.
/// </summary>
internal readonly record struct PhaseTaps(int First, int Step, int Count, int Offset, int OffsetStep)
{
    /// <summary>Inputs of the phase: phase, phase + stride, ...</summary>
    public static int Inputs(int size, int phase, int stride) => phase < size ? (size - 1 - phase) / stride + 1 : 0;

    /// <summary>k d = phase + padding modulo the stride; the output is (input + padding - k d) / stride.</summary>
    public static PhaseTaps Of(int phase, int kernel, int stride, int padding, int dilation)
    {
        var step = stride / (int)BigInteger.GreatestCommonDivisor(stride, dilation);
        for (var k = 0; k < Math.Min(step, kernel); k++)
        {
            var distance = (long)phase + padding - (long)k * dilation;
            if (distance % stride == 0)
                return new(k, step, (kernel - 1 - k) / step + 1, (int)(distance / stride), (int)((long)step * dilation / stride));
        }

        return default;
    }

    /// <summary>The offset of the last tap, the least.</summary>
    public int Least => Offset - (Count - 1) * OffsetStep;
}

/// <summary>The zeros that dX needs around an output's gradient, for all phases together.</summary>
internal readonly struct GradientPadding
{
    public GradientPadding(in ConvolutionShape shape)
    {
        var (top, bottom) = Of(shape.Height, shape.OutputHeight, shape.Kernel.Height, shape.Stride.Height, shape.Padding.Top, shape.Dilation.Height);
        var (left, right) = Of(shape.Width, shape.OutputWidth, shape.Kernel.Width, shape.Stride.Width, shape.Padding.Left, shape.Dilation.Width);
        Padding = new(top, left, bottom, right);
        Height = (long)shape.OutputHeight + top + bottom;
        Width = (long)shape.OutputWidth + left + right;
    }

    public Padding Padding { get; }

    public long Height { get; }

    public long Width { get; }

    private static (int Before, int After) Of(int input, int output, int kernel, int stride, int padding, int dilation)
    {
        int before = 0, after = 0;
        for (var phase = 0; phase < Math.Min(stride, input); phase++)
        {
            var taps = PhaseTaps.Of(phase, kernel, stride, padding, dilation);
            if (taps.Count == 0)
                continue;
            before = Math.Max(before, -taps.Least);
            after = Math.Max(after, PhaseTaps.Inputs(input, phase, stride) - 1 + taps.Offset - (output - 1));
        }

        return (before, after);
    }
}
