using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>What the pooling layers share.</summary>
internal static class PoolingLayers
{
    /// <summary>The windows over the input; throws if they do not fit.</summary>
    public static PoolingShape Windows(LayerDeclaration declaration, Extent kernel, Extent stride, Padding padding, bool ceiling)
    {
        var input = Image(declaration);
        try
        {
            return PoolingShape.Windows(input[0], input[1], input[2], kernel, stride, padding, ceiling);
        }
        catch (ArgumentException error)
        {
            var mode = ceiling ? ", ceiling mode" : "";
            throw new ArgumentException(
                $"{declaration.Kind} with windows {kernel}, stride {stride}, padding ({padding}){mode} does not fit {declaration.Inputs[0]}. "
                + error.WithoutParameter(), "inputs", error);
        }
    }

    /// <summary>The input's shape, [H, W, C], with at least one element.</summary>
    public static Shape Image(LayerDeclaration declaration)
    {
        var input = declaration.RequireImage(0);
        return input.Size > 0 ? input
            : throw new ArgumentException(
                $"{declaration.Kind} needs an image of at least one cell and channel; the input is {declaration.Inputs[0]}.", "inputs");
    }
}
