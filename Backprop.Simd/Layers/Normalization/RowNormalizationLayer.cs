using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>What layer and RMS normalization share: the last dimensions are one row of the kernels.</summary>
internal static class RowNormalizationLayer
{
    /// <summary>Declares weight, bias, cache and output.</summary>
    public static void DeclareRows(this LayerDeclaration declaration, Layer layer, int dimensions, bool weight, bool bias)
    {
        declaration.RequireInputs(1);
        var type = declaration.RequireChannels(layer);
        if (dimensions > type.Shape.Rank)
            throw new ArgumentException($"{layer} needs an input of rank {dimensions} or more; it is {type}.", "inputs");
        var n = Length(type.Shape, dimensions);
        Span<int> sizes = stackalloc int[dimensions];
        for (var d = 0; d < dimensions; d++)
            sizes[d] = type.Shape[type.Shape.Rank - dimensions + d];
        var shape = new Shape(sizes);
        if (weight)
            declaration.AddParameter("weight", shape, 1, 1, Initialize.Constant(1));
        if (bias)
            declaration.AddParameter("bias", shape, 1, 1, Initialize.Zeros);
        declaration.UseCache(perRow: (long)RowNormalization.CachePerRow * (type.Shape.Size / n));
        if (weight)
            declaration.UseScratch(perRow: 0, perBatch: RowWeightSums.ScratchLength(n));
        declaration.AddOutput(type);
        declaration.Meaning = OutputMeaning.Numbers;
        if (dimensions == 1)
            declaration.UsePositions();
        declaration.Traits = LayerTraits.ReadsInput;
    }

    public static void Forward<T>(in ForwardContext<T> context, int dimensions, bool weight, bool bias, double epsilon, bool subtractsMean)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RowNormalization.Forward(
            new RowForm<T>
            {
                Length = Length(context.InputType(0).Shape, dimensions),
                Weight = weight ? context.Parameter(0) : [],
                Bias = bias ? context.Parameter(1) : [],
                Epsilon = epsilon,
                SubtractsMean = subtractsMean,
            },
            context.Input(0), context.Training ? context.Cache : [], context.Output(), context.Compute);

    public static void Backward<T>(in BackwardContext<T> context, int dimensions, bool weight, bool bias, bool subtractsMean)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var n = Length(context.InputType(0).Shape, dimensions);
        ReadOnlySpan<T> x = context.Input(0), dy = context.OutputGradient();
        var form = new RowForm<T> { Length = n, Weight = weight ? context.Parameter(0) : [], SubtractsMean = subtractsMean };
        RowNormalization.BackwardInput(in form, x, dy, context.Cache, context.InputGradient(0), context.Compute);
        var dw = weight ? context.ParameterGradient(0) : default;
        var db = bias ? context.ParameterGradient(1) : default;
        RowWeightSums.Compute(new ReadOnlyMatrix<T>(x, x.Length / n, n), dy, context.Cache, context.BatchScratch, dw, db, context.Compute);
    }

    private static int Length(Shape shape, int dimensions)
    {
        var length = 1;
        for (var d = shape.Rank - dimensions; d < shape.Rank; d++)
            length *= shape[d];
        return length;
    }
}
