using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>
/// A user's layer with two inputs, two parameters and a cache: g = sigmoid(a W), y = g * b + (1 - g) * c, with a [in],
/// b [out], W [in, out], c [out].
/// </summary>
/// <remarks>dg = dy * (b - c), dz = dg g (1 - g), dW = a^T dz, da = dz W^T, db = dy * g, dc = sum over rows of dy (1 - g).</remarks>
/// <param name="error">Added to the factor of dc: makes the layer wrong on purpose.</param>
public sealed class GatedSum(double error = 0) : Layer
{
    public override string Kind => "gatedsum";

    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var (inputs, outputs) = (declaration.Require(0, EdgeKind.Values, 1)[0], declaration.Require(1, EdgeKind.Values, 1)[0]);
        declaration.AddParameter("weight", new Shape(inputs, outputs), inputs, outputs, null);
        declaration.AddParameter("rest", new Shape(outputs), inputs, outputs, Initialize.Constant(0.5));
        declaration.UseCache(perRow: outputs);
        declaration.UseScratch(perRow: outputs);
        declaration.AddOutput(new Shape(outputs));
        declaration.Traits = LayerTraits.ReadsInput;
    }

    public override void Forward<T>(in ForwardContext<T> context)
    {
        ReadOnlySpan<T> b = context.Input(1), c = context.Parameter(1);
        var y = context.Output();
        var gate = context.Training ? context.Cache : context.Scratch;
        Gemm.Multiply(context.InputMatrix(0), context.ParameterMatrix(0), new(gate, context.Rows, c.Length), context.Compute);
        ActivationKernels.Forward<T, Sigmoid>(default, gate, gate, context.Compute);
        for (var i = 0; i < y.Length; i++)
            y[i] = gate[i] * b[i] + (T.One - gate[i]) * c[i % c.Length];
    }

    public override void Backward<T>(in BackwardContext<T> context)
    {
        ReadOnlySpan<T> b = context.Input(1), c = context.Parameter(1), gate = context.Cache, dy = context.OutputGradient();
        var dz = context.Scratch;
        for (var i = 0; i < dy.Length; i++)
            dz[i] = dy[i] * (b[i] - c[i % c.Length]) * gate[i] * (T.One - gate[i]);

        var db = context.InputGradient(1);
        for (var i = 0; !db.IsEmpty && i < dy.Length; i++)
            db.Put(i, dy[i] * gate[i]);

        var z = new Memory.ReadOnlyMatrix<T>(dz, context.Rows, c.Length);
        context.InputGradient(0).Product(z, context.ParameterMatrix(0).Transposed);
        context.ParameterGradient(0).Product(context.InputMatrix(0).Transposed, z);

        var dc = context.ParameterGradient(1);
        for (var o = 0; !dc.IsEmpty && o < c.Length; o++)
        {
            var sum = T.Zero;
            for (var i = o; i < dy.Length; i += c.Length)
                sum += dy[i] * (T.One + T.CreateChecked(error) - gate[i]);
            dc.Put(o, sum);
        }
    }
}
