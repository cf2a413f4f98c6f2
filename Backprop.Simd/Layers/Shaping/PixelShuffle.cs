using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>Channels become pixels: [H, W, C r r] to [H r, W r, C]; y[h r + i, w r + j, c] = x[h, w, (c r + i) r + j].</summary>
/// <remarks>
/// <para>Channel c of the output is made of the channels c r r to (c + 1) r r - 1 of the input, as in PyTorch's <c>PixelShuffle</c>: the filters of
/// a convolution before it need no other order. With <see cref="BlocksFirst"/> the channel is (i r + j) C + c, as in TensorFlow's
/// <c>depth_to_space</c>. ONNX's <c>DepthToSpace</c> has both, as CRD and DCR.</para>
/// <para>Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016. The
/// gradient is <see cref="PixelUnshuffle"/> of dy.</para>
/// </remarks>
public sealed class PixelShuffle : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="factor">r, by which height and width grow.</param>
    /// <param name="blocksFirst">True for the channel order of TensorFlow.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is below 1.</exception>
    public PixelShuffle(int factor, bool blocksFirst = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        (Factor, BlocksFirst) = (factor, blocksFirst);
    }

    /// <summary>By which height and width grow.</summary>
    public int Factor { get; }

    /// <summary>Whether channels are ordered as in TensorFlow.</summary>
    public bool BlocksFirst { get; }

    /// <inheritdoc/>
    public override string Kind => "pixelshuffle";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The channels are not a multiple of r r.</exception>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var input = declaration.RequireImage(0);
        if (input[2] % ((long)Factor * Factor) != 0)
        {
            throw new ArgumentException(
                $"{Kind} by {Factor} needs a multiple of {(long)Factor * Factor} channels; its input is {declaration.Inputs[0]}.", "inputs");
        }

        declaration.AddOutput(new Shape(input[0] * Factor, input[1] * Factor, input[2] / (Factor * Factor)));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var pixels = PixelBlocks.Of(context.InputType(0).Shape, Factor, BlocksFirst);
        Permutation.Transpose(pixels.Channels(context.Input(0), stackalloc int[6]), pixels.ToPixels, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var pixels = PixelBlocks.Of(context.InputType(0).Shape, Factor, BlocksFirst);
        Permutation.Transpose(pixels.Pixels(context.OutputGradient(), stackalloc int[6]), pixels.ToChannels, context.InputGradient(0), context.Compute);
    }
}

/// <summary>Pixels become channels: [H r, W r, C] to [H, W, C r r], the inverse of <see cref="PixelShuffle"/>.</summary>
/// <remarks>y[h, w, (c r + i) r + j] = x[h r + i, w r + j, c], as PyTorch's <c>PixelUnshuffle</c>; with <see cref="BlocksFirst"/> the channel is
/// (i r + j) C + c, as in TensorFlow's and ONNX's <c>space_to_depth</c>. The gradient is <see cref="PixelShuffle"/> of dy.</remarks>
public sealed class PixelUnshuffle : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="factor">r, by which height and width shrink.</param>
    /// <param name="blocksFirst">True for the channel order of TensorFlow.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="factor"/> is below 1.</exception>
    public PixelUnshuffle(int factor, bool blocksFirst = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        (Factor, BlocksFirst) = (factor, blocksFirst);
    }

    /// <summary>By which height and width shrink.</summary>
    public int Factor { get; }

    /// <summary>Whether channels are ordered as in TensorFlow.</summary>
    public bool BlocksFirst { get; }

    /// <inheritdoc/>
    public override string Kind => "pixelunshuffle";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">Height or width is not a multiple of r.</exception>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var input = declaration.RequireImage(0);
        if (input[0] % Factor != 0 || input[1] % Factor != 0)
        {
            throw new ArgumentException(
                $"{Kind} by {Factor} needs height and width that are multiples of {Factor}; its input is {declaration.Inputs[0]}.", "inputs");
        }

        declaration.AddOutput(OutputShape(input));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var pixels = PixelBlocks.Of(OutputShape(context.InputType(0).Shape), Factor, BlocksFirst);
        Permutation.Transpose(pixels.Pixels(context.Input(0), stackalloc int[6]), pixels.ToChannels, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var pixels = PixelBlocks.Of(OutputShape(context.InputType(0).Shape), Factor, BlocksFirst);
        Permutation.Transpose(pixels.Channels(context.OutputGradient(), stackalloc int[6]), pixels.ToPixels, context.InputGradient(0), context.Compute);
    }

    private Shape OutputShape(Shape input) => new(input[0] / Factor, input[1] / Factor, input[2] * Factor * Factor);
}

/// <summary>The two layouts of an image: pixels in the channels, [n, H, W, C, r, r] or [n, H, W, r, r, C], and as pixels, [n, H, r, W, r, C].</summary>
internal readonly record struct PixelBlocks(int Height, int Width, int Depth, int Factor, bool BlocksFirst)
{
    /// <summary>The dimensions of the channels' layout in the order of the pixels'.</summary>
    public ReadOnlySpan<int> ToPixels => BlocksFirst ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3];

    /// <summary>The dimensions of the pixels' layout in the order of the channels'.</summary>
    public ReadOnlySpan<int> ToChannels => BlocksFirst ? [0, 1, 3, 2, 4, 5] : [0, 1, 3, 5, 2, 4];

    /// <summary>Of the shape that has its pixels in the channels.</summary>
    public static PixelBlocks Of(Shape channels, int factor, bool blocksFirst) =>
        new(channels[0], channels[1], channels[2] / (factor * factor), factor, blocksFirst);

    public ShapedSpan<T> Channels<T>(ReadOnlySpan<T> values, Span<int> sizes) where T : unmanaged, IFloatingPointIeee754<T>
    {
        (sizes[0], sizes[1], sizes[2]) = (Rows(values.Length), Height, Width);
        (sizes[3], sizes[4], sizes[5]) = BlocksFirst ? (Factor, Factor, Depth) : (Depth, Factor, Factor);
        return new(values, sizes);
    }

    public ShapedSpan<T> Pixels<T>(ReadOnlySpan<T> values, Span<int> sizes) where T : unmanaged, IFloatingPointIeee754<T>
    {
        (sizes[0], sizes[1], sizes[2]) = (Rows(values.Length), Height, Factor);
        (sizes[3], sizes[4], sizes[5]) = (Width, Factor, Depth);
        return new(values, sizes);
    }

    private int Rows(int length) => length / (Height * Width * Depth * Factor * Factor);
}
