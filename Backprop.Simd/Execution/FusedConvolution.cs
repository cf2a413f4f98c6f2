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
    private readonly PooledConvolution _layers;

    private FusedConvolution(Convolution2D convolution, PooledConvolution layers) => (_convolution, _layers) = (convolution, layers);

    /// <inheritdoc/>
    public override string Kind => "fusedconvolution2d";

    /// <summary>The operation, or null if the sizes do not suit it.</summary>
    /// <param name="convolution">The convolution.</param>
    /// <param name="input">The type of its input.</param>
    /// <param name="relu">Whether a ReLU lies between.</param>
    /// <param name="pooling">The pooling.</param>
    public static FusedConvolution? Of(Convolution2D convolution, EdgeType input, bool relu, MaxPooling2D pooling)
    {
        if (pooling.Dilation != 1)
            return null;
        var shape = convolution.ShapeOf(input.Shape);
        var windows = pooling.ShapeOf(new Shape(shape.OutputHeight, shape.OutputWidth, shape.Filters));
        return Convolution.CanPool(in shape, in windows) ? new FusedConvolution(convolution, new(shape, windows, relu)) : null;
    }

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        _convolution.Declare(declaration);
        var (shape, outputs) = (_layers.Shape, _layers.Pooling.OutputSize);
        declaration.UseIndexCache(outputs);
        declaration.UseThreadScratch(Math.Max(
            ConvolutionScratch.ThreadBytes<float>(in shape, outputs), ConvolutionScratch.ThreadBytes<double>(in shape, outputs)));
        declaration.Traits = LayerTraits.ReadsInput | LayerTraits.ReadsOutput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Convolution.ForwardPooled(
        in _layers, context.Input(0), context.Parameter(0), _convolution.HasBias ? context.Parameter(1) : [], context.Output(),
        context.Training ? context.IndexCache : [], context.BatchScratch, context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var pass = new PooledPass<T>
        {
            X = context.Input(0),
            Weights = context.Parameter(0),
            Y = context.Output(),
            Dy = context.OutputGradient(),
            Cells = context.IndexCache,
        };
        Convolution.BackwardPooled(in _layers, in pass, context.InputGradient(0), context.ParameterGradient(0),
            _convolution.HasBias ? context.ParameterGradient(1) : default, context.BatchScratch, context.Compute);
    }
}
