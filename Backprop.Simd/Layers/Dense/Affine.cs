using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>y = x W + b over the last dimension: [.., in] to [.., out], with W [in, out] and b [out].</summary>
/// <remarks>
/// <para>Each position of a sequence [T, in] has the same W and b, as in PyTorch's Linear. Images [H, W, C] are refused, because a
/// vector is more often meant: put Flatten before the layer, or set <c>perPosition</c>.</para>
/// <para>Backward: dW = x^T dy, db = sum of dy over rows and positions, dx = dy W^T.</para>
/// </remarks>
public sealed class Affine : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="outputs">The number of outputs, 1 or more.</param>
    /// <param name="initializer">How the weights start; null to choose by the layer that follows: He before ReLU-like
    /// activations, Xavier otherwise. The bias starts at zero.</param>
    /// <param name="bias">False for y = x W.</param>
    /// <param name="perPosition">True to take images, [H, W, C] to [H, W, outputs].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="outputs"/> is below 1.</exception>
    public Affine(int outputs, Initializer? initializer = null, bool bias = true, bool perPosition = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        (Outputs, Initializer, HasBias, PerPosition) = (outputs, initializer, bias, perPosition);
    }

    /// <summary>The number of outputs.</summary>
    public int Outputs { get; }

    /// <summary>How the weights start; null to choose by the layer that follows.</summary>
    public Initializer? Initializer { get; }

    /// <summary>Whether there is a bias.</summary>
    public bool HasBias { get; }

    /// <summary>Whether the layer takes images.</summary>
    public bool PerPosition { get; }

    /// <inheritdoc/>
    public override string Kind => "affine";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var x = declaration.Require(0, EdgeKind.Values);
        if (x.Rank > 2 && !PerPosition)
        {
            throw new ArgumentException(
                $"Input 0 of {Kind} is {declaration.Inputs[0]}: put Flatten in front to take all of it as a vector, or say perPosition: true.", "inputs");
        }

        var inputs = x.Last;
        declaration.AddParameter("weight", new Shape(inputs, Outputs), inputs, Outputs, Initializer);
        if (HasBias)
            declaration.AddParameter("bias", new Shape(Outputs), inputs, Outputs, Initialize.Zeros);
        declaration.UseOperations(2.0 * x.Size * Outputs);
        declaration.AddOutput(x.WithLast(Outputs));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.UsePositions();
        declaration.Traits = x.Rank > 1 ? LayerTraits.ReadsInput : LayerTraits.ReadsInput | LayerTraits.StridedRows;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var w = context.ParameterMatrix(0);
        var x = context.InputType(0).Shape.Rank > 1 ? Positions(context.Input(0), w.Rows) : context.InputMatrix(0);
        var y = new Matrix<T>(context.Output(), x.Rows, Outputs);
        if (HasBias)
            Gemm.MultiplyAddRow(x, w, context.Parameter(1), y, context.Compute);
        else
            Gemm.Multiply(x, w, y, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var w = context.ParameterMatrix(0);
        var x = context.InputType(0).Shape.Rank > 1 ? Positions(context.Input(0), w.Rows) : context.InputMatrix(0);
        var dy = Positions(context.OutputGradient(), Outputs);
        context.InputGradient(0).Reshape(x.Rows, x.Columns).Product(dy, w.Transposed);
        context.ParameterGradient(0).Product(x.Transposed, dy);
        if (HasBias)
            context.ParameterGradient(1).ColumnSums(dy);
    }

    /// <summary>Rows and positions one below the other.</summary>
    private static ReadOnlyMatrix<T> Positions<T>(ReadOnlySpan<T> values, int columns)
        where T : unmanaged => new(values, values.Length / columns, columns);
}
