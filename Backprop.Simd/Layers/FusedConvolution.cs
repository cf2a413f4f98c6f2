using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// A convolution with the max-pooling behind it, and the ReLU between them if there is one, as one operation that stores the
/// pooled outputs only. Values and gradients have the bits of the layers one after the other.
/// </summary>
internal sealed class FusedConvolution
{
    private readonly ConvolutionShape _shape;
    private readonly PoolingShape _pooling;
    private readonly bool _relu, _bias;

    private FusedConvolution(ConvolutionShape shape, PoolingShape pooling, bool relu, bool bias) =>
        (_shape, _pooling, _relu, _bias) = (shape, pooling, relu, bias);

    /// <summary>The integers per row that backward needs.</summary>
    public int IndexCachePerRow => _pooling.OutputSize;

    /// <summary>Bytes that the kernels take on each thread.</summary>
    public long ThreadScratchBytes => Math.Max(
        ConvolutionScratch.ThreadBytes<float>(in _shape, _pooling.OutputSize), ConvolutionScratch.ThreadBytes<double>(in _shape, _pooling.OutputSize));

    /// <summary>The operation, or null where these layers do not make one.</summary>
    /// <param name="convolution">A convolution.</param>
    /// <param name="input">The type of its input.</param>
    /// <param name="between">What takes its output, if that is not the pooling.</param>
    /// <param name="pooling">A pooling.</param>
    public static FusedConvolution? Of(Layer convolution, EdgeType input, Layer? between, Layer pooling)
    {
        if (convolution is not Convolution2D c || pooling is not MaxPooling2D p || between is not (null or Activation<Relu>))
            return null;
        var shape = c.ShapeOf(input.Shape);
        var windows = p.ShapeOf(new Shape(shape.OutputHeight, shape.OutputWidth, shape.Filters));
        return Convolution.CanPool(in shape, in windows) ? new FusedConvolution(shape, windows, between is not null, c.HasBias) : null;
    }

    public void Forward<T>(in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T> => Convolution.ForwardPooled(
        in _shape, in _pooling, _relu, context.Input(0), context.Parameter(0), _bias ? context.Parameter(1) : [], context.Output(),
        context.KeepsCache ? context.IndexCache : [], context.BatchScratch, context.Compute);

    public void Backward<T>(in BackwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dx = context.InputGradient(0);
        var dw = context.ParameterGradient(0);
        var db = _bias ? context.ParameterGradient(1) : default;
        Convolution.BackwardPooled(in _shape, in _pooling, _relu, context.Input(0), context.Parameter(0), context.Output(), context.OutputGradient(), context.IndexCache,
            dx.Span, dx.Adds, dw.Span, dw.Adds, db.Span, db.Adds, context.BatchScratch, context.Compute);
    }
}
