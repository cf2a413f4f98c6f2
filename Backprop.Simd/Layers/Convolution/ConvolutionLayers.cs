using System.Numerics;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>What the convolutions share.</summary>
internal static class ConvolutionLayers
{
    /// <summary>Declares filters, bias and scratch of a convolution. The fans count a filter's cells.</summary>
    /// <param name="declaration">Takes the declarations.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="initializer">How the filters start.</param>
    /// <param name="biases">The length of the bias; 0 for none.</param>
    /// <param name="isTransposed">Whether the image is the output.</param>
    /// <param name="filterRank">4, or 3 without the height.</param>
    public static void DeclareConvolution(
        this LayerDeclaration declaration, in ConvolutionShape shape, Initializer? initializer, int biases, bool isTransposed = false, int filterRank = 4)
    {
        var cells = shape.Kernel.Height * shape.Kernel.Width;
        int fanIn = cells * shape.GroupChannels, fanOut = cells * shape.GroupFilters;
        if (isTransposed)
            (fanIn, fanOut) = (fanOut, fanIn);
        ReadOnlySpan<int> filters = [shape.Kernel.Height, shape.Kernel.Width, shape.GroupChannels, shape.Filters];
        declaration.AddParameter("weight", new Shape(filters[^filterRank..]), fanIn, fanOut, initializer);
        if (biases > 0)
            declaration.AddParameter("bias", new Shape(biases), fanIn, fanOut, Initialize.Zeros);
        declaration.UseConvolution(in shape);
    }

    /// <summary>Declares operations and scratch of a convolution.</summary>
    public static void UseConvolution(this LayerDeclaration declaration, in ConvolutionShape shape)
    {
        declaration.UseOperations(shape.Operations);
        declaration.UseScratch(perRow: 0, perBatch: Convolution.ScratchLength(in shape));
        declaration.UseThreadScratch(Math.Max(ConvolutionScratch.ThreadBytes<float>(in shape), ConvolutionScratch.ThreadBytes<double>(in shape)));
    }

    /// <summary>All gradients of a convolution.</summary>
    public static void Backward<T>(in BackwardContext<T> context, in ConvolutionShape shape, bool bias)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Backward(in context, in shape, context.Parameter(0), context.ParameterGradient(0), bias ? context.ParameterGradient(1) : default);

    /// <summary>All gradients of a convolution, wherever its filters come from.</summary>
    public static void Backward<T>(in BackwardContext<T> context, in ConvolutionShape shape, ReadOnlySpan<T> filters, GradientTarget<T> filterGradient,
        GradientTarget<T> biasGradient)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dy = context.OutputGradient();
        Convolution.BackwardInput(in shape, dy, filters, context.InputGradient(0), context.BatchScratch, context.Compute);
        Convolution.BackwardWeights(in shape, context.Input(0), dy, filterGradient, biasGradient, context.BatchScratch, context.Compute);
    }

    /// <summary>All gradients of a transposed convolution; db = the sum of dy over rows and positions.</summary>
    public static void BackwardTransposed<T>(in BackwardContext<T> context, in ConvolutionShape shape, bool bias)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dy = context.OutputGradient();
        Convolution.Forward(in shape, dy, context.Parameter(0), [], context.InputGradient(0), context.BatchScratch, context.Compute);
        Convolution.BackwardWeights(in shape, dy, context.Input(0), context.ParameterGradient(0), default, context.BatchScratch, context.Compute);
        if (bias)
            Reductions.ColumnSums<T>(new(dy, dy.Length / shape.Channels, shape.Channels), context.ParameterGradient(1), context.Compute);
    }
}
