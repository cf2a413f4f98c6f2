using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>y[j] = the sum of x up to element j along one dimension of each row, as NumPy's <c>cumsum</c> and ONNX's <c>CumSum</c>.</summary>
/// <remarks>Backward: dx is the sum of dy from the other end. What an addition rounds off is summed beside the sum.</remarks>
/// <param name="axis">The dimension; negative numbers count from the end.</param>
/// <param name="exclusive">True to leave element j itself out: y begins with 0.</param>
/// <param name="reverse">True to sum from the last element on.</param>
public sealed class CumulativeSum(int axis = -1, bool exclusive = false, bool reverse = false) : Layer
{
    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <summary>Whether element j itself is left out.</summary>
    public bool IsExclusive => exclusive;

    /// <summary>Whether the sum begins with the last element.</summary>
    public bool IsReverse => reverse;

    /// <inheritdoc/>
    public override string Kind => "cumulativesum";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        AxisParts.Check(Kind, type, axis);
        declaration.AddOutput(type);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, axis);
        AxisScans.CumulativeSum(parts.Array(context.Input(0)), 2, exclusive, reverse, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, axis);
        AxisScans.CumulativeSum(parts.Array(context.OutputGradient()), 2, exclusive, !reverse, context.InputGradient(0), context.Compute);
    }
}
