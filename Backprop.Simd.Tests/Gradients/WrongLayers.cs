using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <summary>How <see cref="WrongAffine"/> is wrong.</summary>
public enum Fault
{
    None,
    WeightScaledByOnePerMille,
    BiasMissing,
    InputSign,
    WeightOneElement,
    WeightNeighbour,
    InputNotAdded,
    WeightNaN,
}

/// <summary>An affine layer with one fault in its backward pass.</summary>
internal sealed class WrongAffine(int outputs, Fault fault) : Layer
{
    public override string Kind => "wrongaffine";

    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(1);
        var inputs = declaration.Require(0, EdgeKind.Values).Size;
        declaration.AddParameter("weight", new Shape(inputs, outputs), inputs, outputs, null);
        declaration.AddParameter("bias", new Shape(outputs), inputs, outputs, null);
        declaration.AddOutput(new Shape(outputs));
        declaration.Traits = LayerTraits.ReadsInput;
    }

    public override void Forward<T>(in ForwardContext<T> context) => Gemm.MultiplyAddRow(
        context.InputMatrix(0), context.ParameterMatrix(0), context.Parameter(1), context.OutputMatrix(), context.Compute);

    public override void Backward<T>(in BackwardContext<T> context)
    {
        var x = context.InputMatrix(0);
        var dy = context.OutputGradientMatrix();
        var w = context.ParameterMatrix(0);
        var inputs = x.Columns;
        var dx = context.InputGradient(0);
        for (var i = 0; !dx.IsEmpty && i < context.Rows * inputs; i++)
        {
            var sum = T.Zero;
            for (var o = 0; o < outputs; o++)
                sum += dy[i / inputs, o] * w[i % inputs, o];
            sum = fault == Fault.InputSign ? -sum : sum;
            if (fault == Fault.InputNotAdded)
                dx.Span[i] = sum;
            else
                dx.Put(i, sum);
        }

        var dw = context.ParameterGradient(0);
        var db = context.ParameterGradient(1);
        for (var i = 0; i < inputs * outputs; i++)
        {
            var (row, column) = (i / outputs, i % outputs);
            if (fault == Fault.WeightNeighbour)
                column = (column + 1) % outputs;
            var sum = T.Zero;
            for (var r = 0; r < context.Rows; r++)
                sum += x[r, row] * dy[r, column];
            if (fault == Fault.WeightScaledByOnePerMille)
                sum *= T.CreateChecked(1.001);
            if (fault == Fault.WeightOneElement && i == inputs * outputs / 2)
                sum += T.CreateChecked(0.01);
            if (fault == Fault.WeightNaN && i == 1)
                sum = T.NaN;
            if (!dw.IsEmpty)
                dw.Put(i, sum);
        }

        for (var o = 0; !db.IsEmpty && o < outputs; o++)
        {
            var sum = T.Zero;
            for (var r = 0; r < context.Rows; r++)
                sum += dy[r, o];
            db.Put(o, fault == Fault.BiasMissing ? T.Zero : sum);
        }
    }
}

/// <summary>y = x * s, with a state s that forward itself changes, behind the network's back: no function of its inputs.</summary>
internal sealed class Drifting : Backprop.Simd.Layers.Gates.UnaryGate
{
    private double _calls;

    public override string Kind => "drifting";

    public override void Forward<T>(in ForwardContext<T> context)
    {
        _calls++;
        for (var i = 0; i < context.Input(0).Length; i++)
            context.Output()[i] = context.Input(0)[i] * T.CreateChecked(_calls);
    }

    public override void Backward<T>(in BackwardContext<T> context)
    {
        for (var i = 0; i < context.Input(0).Length; i++)
            context.InputGradient(0).Put(i, context.OutputGradient()[i] * T.CreateChecked(_calls));
    }
}
