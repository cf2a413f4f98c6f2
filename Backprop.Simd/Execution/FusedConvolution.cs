using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Execution;

/// <summary>
/// A convolution with the max-pooling after it, and the ReLU between them if there is one, as one operation that stores the
/// pooled outputs only. Values and gradients have the same bits as the separate layers.
/// </summary>
internal sealed class FusedConvolution : Layer
{
    private readonly Convolution2D _convolution;
    private readonly ConvolutionShape _shape;
    private readonly PoolingShape _pooling;
    private readonly bool _relu;

    private FusedConvolution(Convolution2D convolution, ConvolutionShape shape, PoolingShape pooling, bool relu) =>
        (_convolution, _shape, _pooling, _relu) = (convolution, shape, pooling, relu);

    /// <inheritdoc/>
    public override string Kind => "fusedconvolution2d";

    /// <summary>The operation, or null if the sizes do not suit it.</summary>
    /// <param name="convolution">The convolution.</param>
    /// <param name="input">The type of its input.</param>
    /// <param name="relu">Whether a ReLU lies between.</param>
    /// <param name="pooling">The pooling.</param>
    public static FusedConvolution? Of(Convolution2D convolution, EdgeType input, bool relu, MaxPooling2D pooling)
    {
        var shape = convolution.ShapeOf(input.Shape);
        var windows = pooling.ShapeOf(new Shape(shape.OutputHeight, shape.OutputWidth, shape.Filters));
        return Convolution.CanPool(in shape, in windows) ? new FusedConvolution(convolution, shape, windows, relu) : null;
    }

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        _convolution.Declare(declaration);
        declaration.UseIndexCache(_pooling.OutputSize);
        declaration.UseThreadScratch(Math.Max(
            ConvolutionScratch.ThreadBytes<float>(in _shape, _pooling.OutputSize), ConvolutionScratch.ThreadBytes<double>(in _shape, _pooling.OutputSize)));
        declaration.Traits = LayerTraits.ReadsInput | LayerTraits.ReadsOutput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Convolution.ForwardPooled(
        in _shape, in _pooling, _relu, context.Input(0), context.Parameter(0), _convolution.HasBias ? context.Parameter(1) : [], context.Output(),
        context.Training ? context.IndexCache : [], context.BatchScratch, context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dx = context.InputGradient(0);
        var dw = context.ParameterGradient(0);
        var db = _convolution.HasBias ? context.ParameterGradient(1) : default;
        Convolution.BackwardPooled(in _shape, in _pooling, _relu, context.Input(0), context.Parameter(0), context.Output(),
            context.OutputGradient(), context.IndexCache, dx.Span, dx.Adds, dw.Span, dw.Adds, db.Span, db.Adds, context.BatchScratch, context.Compute);
    }
}
