using System.Numerics;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>y = x W + b, with x [rows, in], W [in, out], b [out].</summary>
/// <remarks>
/// Backward: dW = x^T dy, db = sum of dy over rows, dx = dy W^T. Inputs of higher rank are taken as flat rows.
/// </remarks>
public sealed class Affine : Layer
{
    private readonly Initializer? _initializer;
    private readonly bool _bias;

    /// <summary>Makes the layer.</summary>
    /// <param name="outputs">The number of outputs, 1 or more.</param>
    /// <param name="initializer">How the weights start; null to choose by the layer that follows: He before ReLU-like
    /// activations, Xavier otherwise. The bias starts at zero.</param>
    /// <param name="bias">False for y = x W.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outputs"/> is below 1.</exception>
    public Affine(int outputs, Initializer? initializer = null, bool bias = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        Outputs = outputs;
        _initializer = initializer;
        _bias = bias;
    }

    /// <summary>The number of outputs.</summary>
    public int Outputs { get; }

    /// <inheritdoc/>
    public override string Kind => "affine";

    /// <inheritdoc/>
    public override bool BackwardUsesOutput => false;

    /// <inheritdoc/>
    public override bool AcceptsRowStrides => true;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var inputs = declaration.Require(0, EdgeKind.Values).Size;
        declaration.AddParameter("weight", new Shape(inputs, Outputs), inputs, Outputs, _initializer);
        if (_bias)
            declaration.AddParameter("bias", new Shape(Outputs), inputs, Outputs, Initialize.Zeros);
        declaration.UseOperations(2.0 * inputs * Outputs);
        declaration.AddOutput(new Shape(Outputs));
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.InputMatrix(0);
        var w = context.ParameterMatrix(0);
        if (_bias)
            Gemm.MultiplyAddRow(x, w, context.Parameter(1), context.OutputMatrix(), context.Compute);
        else
            Gemm.Multiply(x, w, context.OutputMatrix(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dy = context.OutputGradientMatrix();
        var dx = context.InputGradient(0);
        if (!dx.IsEmpty)
            ContextKernels.Product(dy, context.ParameterMatrix(0).Transposed, dx.Matrix, dx.Adds, context.Compute);
        var dw = context.ParameterGradient(0);
        if (!dw.IsEmpty && !(context.Rows == 1 && context.TryUpdateOuter(0, context.Input(0), context.OutputGradient())))
            ContextKernels.Product(context.InputMatrix(0).Transposed, dy, dw.Matrix, dw.Adds, context.Compute);
        if (!_bias)
            return;
        var db = context.ParameterGradient(1);
        Reductions.ColumnSums(dy, db, context.Compute);
    }
}
