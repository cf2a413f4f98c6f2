using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>What the pooling layers share.</summary>
internal static class PoolingLayers
{
    /// <summary>The windows over the input; throws if they do not fit.</summary>
    public static PoolingShape Windows(LayerDeclaration declaration, Extent kernel, Extent stride, Padding padding, bool ceiling,
        Extent? dilation = null, bool isSequence = false)
    {
        var input = isSequence ? Sequence(declaration) : Image(declaration);
        try
        {
            return PoolingShape.Windows(input[0], input[1], input[2], kernel, stride, padding, ceiling, dilation ?? 1);
        }
        catch (ArgumentException error)
        {
            var mode = (dilation ?? 1) == 1 ? "" : $", dilation {dilation}";
            mode += ceiling ? ", ceiling mode" : "";
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

    /// <summary>Declares the maxima of bins.</summary>
    /// <exception cref="ArgumentException">The image has no cell, or a bin has more cells than can be numbered.</exception>
    public static void DeclareBins(LayerDeclaration declaration, Shape image, Extent outputs, bool isSequence = false)
    {
        var shape = PoolingShape.Bins(image[0], image[1], image[2], outputs);
        if (image.Size == 0 || (long)shape.Rows.Pitch * shape.Columns.Pitch > PoolingShape.MostCells)
        {
            throw new ArgumentException(
                $"{declaration.Kind} takes bins of 1 to {PoolingShape.MostCells} cells; {outputs} bins of {declaration.Inputs[0]} are not.", "inputs");
        }

        declaration.AddOutput(isSequence ? new Shape(outputs.Width, image[2]) : new Shape(outputs.Height, outputs.Width, image[2]));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.Traits = LayerTraits.None;
        declaration.UseIndexCache(shape.OutputSize);
    }

    /// <summary>A sequence [L, C] as an image of height 1.</summary>
    public static Shape Sequence(LayerDeclaration declaration)
    {
        var input = declaration.RequireSequence(0);
        return new(1, input[0], input[1]);
    }

    /// <summary>The sequence of a pooling over all steps, with lengths as a second input if there is one; declares the means or maxima.</summary>
    public static Shape AllSteps(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        if (declaration.Inputs.Count != 1)
        {
            declaration.RequireInputs(2);
            declaration.Require(1, EdgeKind.Indices, 0);
        }

        var input = declaration.RequireSequence(0);
        declaration.AddOutput(new Shape(input[1]));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.Traits = LayerTraits.None;
        return input;
    }
}
