using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>f = |x|^2, one number per row of values, or one number of a shared input. dx = 2 x df.</summary>
public sealed class SquaredNorm : Layer
{
    /// <inheritdoc/>
    public override string Kind => "squarednorm";

    /// <inheritdoc/>
    public override string Symbol => "|x|\u00b2";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(new EdgeType(declaration.RequireNumbers(0).Kind, Shape.Scalar));
        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.Input(0);
        var f = context.Output();
        var size = x.Length / f.Length;
        for (var row = 0; row < f.Length; row++)
            f[row] = Reductions.SumOfSquares(x.Slice(row * size, size));
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var x = context.Input(0);
        var df = context.OutputGradient();
        var size = x.Length / df.Length;
        for (var row = 0; row < df.Length; row++)
            context.InputGradient(0).Slice(row * size, size).Scale(x.Slice(row * size, size), (T.One + T.One) * df[row]);
    }
}
