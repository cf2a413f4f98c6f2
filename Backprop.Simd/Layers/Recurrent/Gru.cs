using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>
/// A gated recurrent unit over sequences [T, D]: with [p_r p_z p_n] = x_t W + b and [q_r q_z q_n] = h U,
/// r, z = sigmoid(p + q), n = tanh(p_n + r (q_n + b_h)), h' = (1 - z) n + z h.
/// </summary>
/// <remarks>
/// <para>Inputs: the sequence, values [T, D]; optionally lengths, indices [] from 1 to T; optionally the initial h, values [H], else
/// zeros. Outputs: h of all steps [T, H]; h [H] of the last step.</para>
/// <para>Parameters: inputWeight W [D, 3H], hiddenWeight U [H, 3H], bias b [3H], the gates side by side in the order r, z, n;
/// hiddenBias b_h [H], the bias that r multiplies. Both weights start as Xavier uniform with the fans of one gate, the biases at
/// zero.</para>
/// <para>With <c>resetAfter: false</c> r multiplies before the product, n = tanh(p_n + (r h) U_n), and there is no hiddenBias: the form of the
/// paper, of Keras's <c>reset_after=False</c> and of ONNX's <c>linear_before_reset=0</c>. It takes two products a step.</para>
/// <para>A row that is shorter than T has outputs 0 after its end; its last state is the state at its end. No gradient flows
/// through the padding; its numbers do not matter, as long as they are finite.</para>
/// <para>With <c>reverse</c> a row is read from its last valid step to its first: the initial state lies behind its end, h of all steps lies
/// at the steps' places, and the last state is at the row's first step.</para>
/// <para>Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014. As in PyTorch's GRU, r multiplies
/// after the product by default, and z is the share of the old state; PyTorch's two biases of r and z are one bias here.</para>
/// </remarks>
public sealed class Gru : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="units">H, the number of units, 1 to 2^29 - 1.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether r multiplies after the product with U; false: h before it.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="units"/> is out of range.</exception>
    public Gru(int units, Initializer? initializer = null, bool resetAfter = true, bool reverse = false)
    {
        SequenceInputs.CheckUnits(units);
        (Units, Initializer, ResetAfter, IsReverse) = (units, initializer, resetAfter, reverse);
    }

    /// <summary>The number of units, H.</summary>
    public int Units { get; }

    /// <summary>How both weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <summary>Whether the reset gate multiplies after the product with the hidden weight, or the state before it.</summary>
    public bool ResetAfter { get; }

    /// <summary>Whether each row is read backward.</summary>
    public bool IsReverse { get; }

    /// <inheritdoc/>
    public override string Kind => "gru";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var steps = SequenceInputs.DeclareRecurrence(declaration, Units, gates: 3, states: 1, Initializer, Initialize.Zeros, IsReverse);
        if (ResetAfter)
            declaration.AddParameter("hiddenBias", new Shape(Units), Units, Units, Initialize.Zeros);
        declaration.UseCache(4L * steps * Units);
        declaration.UseScratch((5L * steps + 4) * Units, 3L * Units * Units);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (ResetAfter)
            ForwardAfter(in context);
        else
            ForwardBefore(in context);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        if (ResetAfter)
            BackwardAfter(in context);
        else
            BackwardBefore(in context);
    }

    private void ForwardAfter<T>(in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var run = new Recurrence<T>(in context, Kind, IsReverse);
        var (width, all, compute) = (3 * Units, run.Rows * run.Steps * Units, context.Compute);
        var gates = (context.Training ? context.Cache : context.Scratch)[..(3 * all)];
        var inner = context.Training ? context.Cache.Slice(3 * all, all) : [];
        var fromHidden = new Matrix<T>(context.Scratch[(5 * all)..], run.Rows, width);
        var initial = run.InitialHidden;
        if (!run.HasState)
        {
            var zeros = context.Scratch.Slice(5 * all + run.Rows * width, run.Rows * Units);
            zeros.Clear();
            fromHidden.Span[..(run.Rows * width)].Clear();
            initial = zeros;
        }

        var hidden = context.Output(0);
        Gemm.MultiplyAddRow(run.Input(context.Input(0)), context.ParameterMatrix(0), context.Parameter(2), run.All(gates, width), compute);
        for (var count = 0; count < run.Steps; count++)
        {
            var t = run.Position(count);
            var previous = run.Before(hidden, count, initial, Units);
            if (count > 0 || run.HasState)
                Gemm.Multiply(previous, context.ParameterMatrix(1), fromHidden, compute);
            var step = new GruForwardStep<T>(run.Step(gates, t, width), fromHidden, context.Parameter(3), previous,
                inner.IsEmpty ? default : run.Step(inner, t, Units), run.Step(hidden, t, Units), run.At(t));
            RegisterWidth.ForRows<T, GruForwardStep<T>>(step, run.Rows, Units, GruForwardStep<T>.Cost, compute);
            run.Enter(hidden, t, run.InitialHidden, Units);
        }

        run.Leave(hidden, Units);
        run.Last(hidden, context.Output(1), Units);
    }

    private void BackwardAfter<T>(in BackwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var run = new Recurrence<T>(in context, IsReverse);
        var (all, compute) = (run.Rows * run.Steps * Units, context.Compute);

        // The gradients of the gates, from the last step to the first. Each row begins where its sequence ends.
        Span<T> gates = context.Cache[..(3 * all)], inner = context.Cache.Slice(3 * all, all);
        Span<T> gradients = context.Scratch[..(4 * all)], shifted = context.Scratch.Slice(4 * all, all);
        var carry = new Matrix<T>(context.Scratch[(5 * all)..], run.Rows, Units);
        run.Shift(context.Output(0), shifted, Units);
        context.OutputGradient(1).CopyTo(carry.Span);
        var transposed = SequenceRows.Transpose(context.ParameterMatrix(1), context.BatchScratch);
        for (var count = run.Steps - 1; count >= 0; count--)
        {
            var t = run.Position(count);
            var d = run.Step(gradients, t, 4 * Units);
            var step = new GruBackwardStep<T>(run.Step(gates, t, 3 * Units), run.Step(inner, t, Units), run.Step(shifted, t, Units),
                run.Step(context.OutputGradient(0), t, Units), carry, d, run.At(t));
            RegisterWidth.ForRows<T, GruBackwardStep<T>>(step, run.Rows, Units, GruBackwardStep<T>.Cost, compute);
            if (count > 0 || run.HasState)
                Gemm.MultiplyAdd(d.SliceColumns(Units, 3 * Units), transposed, carry, compute);
        }

        // The rest handles all steps at once. Gradients are in the order n, r, z, a; parameters in the order r, z, n.
        ReadOnlyMatrix<T> whole = run.All(gradients, 4 * Units), before = run.All(shifted, Units);
        ReadOnlyMatrix<T> dn = whole.SliceColumns(0, Units), drz = whole.SliceColumns(Units, 2 * Units);
        ReadOnlyMatrix<T> x = run.Input(context.Input(0)), w = context.ParameterMatrix(0);
        var dx = context.InputGradient(0).Reshape(x.Rows, x.Columns);
        dx.Product(drz, w.SliceColumns(0, 2 * Units).Transposed);
        dx.Adding.Product(dn, w.SliceColumns(2 * Units, Units).Transposed);
        var dw = context.ParameterGradient(0);
        dw.SliceColumns(0, 2 * Units).Product(x.Transposed, drz);
        dw.SliceColumns(2 * Units, Units).Product(x.Transposed, dn);
        context.ParameterGradient(1).Product(before.Transposed, whole.SliceColumns(Units, 3 * Units));
        var db = context.ParameterGradient(2);
        db.Slice(0, 2 * Units).ColumnSums(drz);
        db.Slice(2 * Units, Units).ColumnSums(dn);
        context.ParameterGradient(3).ColumnSums(whole.SliceColumns(3 * Units, Units));
        if (run.HasState)
            context.InputGradient(run.FirstState).Copy(carry.Span[..(run.Rows * Units)]);
    }

    private void ForwardBefore<T>(in ForwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var run = new Recurrence<T>(in context, Kind, IsReverse);
        var (width, all, compute) = (3 * Units, run.Rows * run.Steps * Units, context.Compute);
        var gates = (context.Training ? context.Cache : context.Scratch)[..(3 * all)];
        var initial = run.InitialHidden;
        if (!run.HasState)
        {
            var zeros = context.Scratch.Slice(5 * all, run.Rows * Units);
            zeros.Clear();
            initial = zeros;
        }

        var hidden = context.Output(0);
        ReadOnlyMatrix<T> u = context.ParameterMatrix(1), first = u.SliceColumns(0, 2 * Units), last = u.SliceColumns(2 * Units, Units);
        Gemm.MultiplyAddRow(run.Input(context.Input(0)), context.ParameterMatrix(0), context.Parameter(2), run.All(gates, width), compute);
        for (var count = 0; count < run.Steps; count++)
        {
            var t = run.Position(count);
            var isZero = count == 0 && !run.HasState;
            var previous = run.Before(hidden, count, initial, Units);
            var sums = run.Step(gates, t, width);
            var reset = context.Training ? run.Step(context.Cache[(3 * all)..], t, Units) : new(context.Scratch[(4 * all)..], run.Rows, Units);
            if (!isZero)
                Gemm.MultiplyAdd(previous, first, sums.SliceColumns(0, 2 * Units), compute);
            GruBeforeSteps.Reset(sums, previous, reset, run.At(t), compute);
            if (!isZero)
                Gemm.MultiplyAdd(reset, last, sums.SliceColumns(2 * Units, Units), compute);
            GruBeforeSteps.Candidate(sums, previous, run.Step(hidden, t, Units), run.At(t), compute);
            run.Enter(hidden, t, run.InitialHidden, Units);
        }

        run.Leave(hidden, Units);
        run.Last(hidden, context.Output(1), Units);
    }

    private void BackwardBefore<T>(in BackwardContext<T> context) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var run = new Recurrence<T>(in context, IsReverse);
        var (width, all, states, compute) = (3 * Units, run.Rows * run.Steps * Units, run.Rows * Units, context.Compute);
        Span<T> gates = context.Cache[..(3 * all)], reset = context.Cache.Slice(3 * all, all);
        Span<T> gradients = context.Scratch[..(3 * all)], shifted = context.Scratch.Slice(3 * all, all);
        Matrix<T> carry = new(context.Scratch[(4 * all)..], run.Rows, Units), e = new(context.Scratch[(4 * all + states)..], run.Rows, Units);
        run.Shift(context.Output(0), shifted, Units);
        context.OutputGradient(1).CopyTo(carry.Span);
        ReadOnlyMatrix<T> transposed = SequenceRows.Transpose(context.ParameterMatrix(1), context.BatchScratch);
        for (var count = run.Steps - 1; count >= 0; count--)
        {
            var t = run.Position(count);
            Matrix<T> d = run.Step(gradients, t, width), gate = run.Step(gates, t, width);
            ReadOnlyMatrix<T> previous = run.Step(shifted, t, Units);
            GruBeforeSteps.CandidateGradient(gate, previous, run.Step(context.OutputGradient(0), t, Units), carry, d, run.At(t), compute);
            Gemm.Multiply(d.SliceColumns(2 * Units, Units), transposed.SliceRows(2 * Units, Units), e, compute);
            GruBeforeSteps.ResetGradient(gate, previous, e, carry, d, run.At(t), compute);
            if (count > 0 || run.HasState)
                Gemm.MultiplyAdd(d.SliceColumns(0, 2 * Units), transposed.SliceRows(0, 2 * Units), carry, compute);
        }

        // The rest is one product for each gradient, over all steps.
        ReadOnlyMatrix<T> whole = run.All(gradients, width), before = run.All(shifted, Units), kept = run.All(reset, Units);
        run.WriteInputGradients(in context, whole);
        var du = context.ParameterGradient(1);
        du.SliceColumns(0, 2 * Units).Product(before.Transposed, whole.SliceColumns(0, 2 * Units));
        du.SliceColumns(2 * Units, Units).Product(kept.Transposed, whole.SliceColumns(2 * Units, Units));
        if (run.HasState)
            context.InputGradient(run.FirstState).Copy(carry.Span[..states]);
    }
}
