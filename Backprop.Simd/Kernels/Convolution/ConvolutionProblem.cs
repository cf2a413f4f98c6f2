using System.Numerics;

namespace Backprop.Simd.Kernels;

/// <summary>What is computed of a convolution.</summary>
internal enum ConvolutionPass
{
    Forward,
    BackwardInput,
    BackwardWeights,
}

/// <summary>A convolution as the drivers see it: x, W and y, or their gradients.</summary>
internal readonly unsafe record struct ConvolutionProblem<T>(
    ConvolutionShape Shape, int Images, nint XAddress, nint WAddress, nint BiasAddress, nint YAddress, nint ScratchAddress, bool Adds)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public ConvolutionProblem(ConvolutionShape shape, int images, T* x, T* w, T* bias, T* y, T* scratch, bool Adds)
        : this(shape, images, (nint)x, (nint)w, (nint)bias, (nint)y, (nint)scratch, Adds)
    {
    }

    /// <summary>What the output goes through before it is stored; null if it is stored as it is.</summary>
    public PooledOutput? Pooled { get; init; }

    /// <summary>Elements of thread space for the gradient by an image's output; 0 where it is stored.</summary>
    public long GradientElements => Pooled?.GradientElements ?? 0;

    /// <summary>Whether the gradient by the biases is added to.</summary>
    public bool AddsBias { get; init; }

    /// <summary>The gradient by the output of an image, made in <paramref name="space"/> where it is not stored.</summary>
    public T* OutputGradient(int image, T* space)
    {
        if (Pooled is not { } pooled)
            return Y + (nint)image * Shape.OutputSize;
        pooled.Expand(image, space);
        return space;
    }

    /// <summary>
    /// An image in which the patches of rows [first, last) of its output can be read in place: itself, or, with padding, a copy
    /// of what they need between zeros, made in <paramref name="space"/>.
    /// </summary>
    public T* Image(int index, int first, int last, T* space)
    {
        var x = X + (nint)index * Shape.InputSize;
        if (Shape.Padding.IsNone)
            return x;
        ConvolutionScratch.Pad(x, Shape.Height, Shape.Width, Shape.Channels, Shape.Padding, first * Shape.Stride.Height,
            (last - 1) * Shape.Stride.Height + (Shape.Kernel.Height - 1) * Shape.Dilation.Height + 1, space);
        return space;
    }

    /// <summary>The gradient by the output of an image, between the zeros that all phases of dX need.</summary>
    public T* PaddedGradient(int index, in GradientPadding around, T* padded, T* space)
    {
        var dy = OutputGradient(index, space);
        if (around.Padding.IsNone)
            return dy;
        ConvolutionScratch.Pad(dy, Shape.OutputHeight, Shape.OutputWidth, Shape.Filters, around.Padding, 0, (int)around.Height, padded);
        return padded;
    }

    public T* X => (T*)XAddress;

    public T* W => (T*)WAddress;

    public T* Bias => (T*)BiasAddress;

    public T* Y => (T*)YAddress;

    public T* Scratch => (T*)ScratchAddress;
}
