using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>
/// A long short-term memory over sequences [T, D]: [i f g o] = x_t W + h U + b, c' = sigmoid(f) c + sigmoid(i) tanh(g),
/// h' = sigmoid(o) tanh(c').
/// </summary>
/// <remarks>
/// <para>Inputs: the sequence, values [T, D]; optionally lengths, indices [] from 1 to T; optionally the initial h and c, values [H]
/// each, else zeros. Outputs: h of all steps [T, H]; h [H] and c [H] of the last step.</para>
/// <para>Parameters: inputWeight W [D, 4H], hiddenWeight U [H, 4H], bias b [4H], the gates side by side in the order i, f, g, o.
/// Both weights start as Xavier uniform with the fans of one gate, which for U has the variance of an orthogonal matrix; the bias
/// starts at zero, except for f.</para>
/// <para>A row that is shorter than T has outputs 0 after its end; its last state is the state at its end. No gradient flows
/// through the padding; its numbers do not matter, as long as they are finite.</para>
/// <para>With <c>reverse</c> a row is read from its last valid step to its first: the initial state lies behind its end, h of all steps lies
/// at the steps' places, and the last state is at the row's first step.</para>
/// <para>With a projection to P columns h' = (sigmoid(o) tanh(c')) R: h of all steps is [T, P], the last and the initial h are [P],
/// hiddenWeight is [P, 4H], and there is projectionWeight R [H, P], which starts as Xavier uniform. Sak, Senior and Beaufays, "Long short-term
/// memory recurrent neural network architectures", Interspeech 2014; PyTorch's <c>proj_size</c>.</para>
/// <para>Back-propagation goes through all steps. Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9(8),
/// 1997; with forget gates, Gers, Schmidhuber and Cummins, Neural Computation 12(10), 2000. The gates are as in PyTorch's LSTM; its two
/// biases are one here.</para>
/// </remarks>
public sealed class Lstm : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="units">H, the number of units, 1 to 2^29 - 1.</param>
    /// <param name="forgetBias">The initial bias of the forget gate. With 1, cells keep their contents early in training
    /// (Jozefowicz, Zaremba and Sutskever, ICML 2015); PyTorch starts around 0.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <param name="projection">P, the size of h behind a projection, 1 to 2^29 - 1; null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="units"/> or <paramref name="projection"/> is out of range, or
    /// <paramref name="forgetBias"/> is not finite.</exception>
    public Lstm(int units, double forgetBias = 1, Initializer? initializer = null, bool reverse = false, int? projection = null)
    {
        SequenceInputs.CheckUnits(units);
        SequenceInputs.CheckUnits(projection ?? 1, nameof(projection));
        if (!double.IsFinite(forgetBias))
            throw new ArgumentOutOfRangeException(nameof(forgetBias), forgetBias, "The bias of the forget gate must be finite.");
        (Units, ForgetBias, Initializer, IsReverse, Projection) = (units, forgetBias, initializer, reverse, projection);
    }

    /// <summary>The number of units, H.</summary>
    public int Units { get; }

    /// <summary>The initial bias of the forget gate.</summary>
    public double ForgetBias { get; }

    /// <summary>How both weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <summary>Whether each row is read backward.</summary>
    public bool IsReverse { get; }

    /// <summary>The size of h behind a projection, P; null if there is none.</summary>
    public int? Projection { get; }

    /// <summary>The size of h.</summary>
    private int Size => Projection ?? Units;

    /// <inheritdoc/>
    public override string Kind => "lstm";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var steps = SequenceInputs.DeclareRecurrence(
            declaration, Units, gates: 4, states: 2, Initializer, new BiasInitializer(ForgetBias), IsReverse, Projection);
        if (Projection is not null)
            declaration.AddParameter("projectionWeight", new Shape(Units, Size), Units, Size, Initializer ?? Initialize.Xavier);
        declaration.UseCache((Projection is null ? 6L : 7L) * steps * Units);
        var perRow = (4L * steps + 2) * Units + (steps + 1L) * Size;
        if (Projection is null)
            declaration.UseScratch(perRow, 4L * Units * Units);
        else
            declaration.UseScratch(perRow + Units + (long)steps * Size, 5L * Units * Size);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var run = new Recurrence<T>(in context, Kind, IsReverse);
        var buffers = new Buffers<T>(context.Cache, context.Scratch, run.Rows, run.Steps, Units, Size);
        if (!run.HasState)
            buffers.Zeros.Clear();
        if (run.IsReverse && !context.Training)
            (run.HasState ? run.InitialCell : buffers.Zeros).CopyTo(buffers.Cell); // Rows that begin later find it there.

        var hidden = context.Output(0);
        Gemm.MultiplyAddRow(run.Input(context.Input(0)), context.ParameterMatrix(0), context.Parameter(2), run.All(buffers.Gates, 4 * Units),
            context.Compute);
        for (var count = 0; count < run.Steps; count++)
        {
            var t = run.Position(count);
            var gates = run.Step(buffers.Gates, t, 4 * Units);
            if (count > 0 || run.HasState)
                Gemm.MultiplyAdd(run.Before(hidden, count, run.InitialHidden, Size), context.ParameterMatrix(1), gates, context.Compute);
            var h = run.Step(hidden, t, Size);
            var unprojected = Projection is null ? h : context.Training ? run.Step(buffers.Unprojected, t, Units) : new(buffers.Step, run.Rows, Units);
            var step = new LstmForwardStep<T>(gates, Before(in run, in buffers, count), CellsOf(in run, in buffers, t),
                buffers.TanhCells.IsEmpty ? default : run.Step(buffers.TanhCells, t, Units), unprojected, run.At(t));
            RegisterWidth.ForRows<T, LstmForwardStep<T>>(step, run.Rows, Units, LstmForwardStep<T>.Cost, context.Compute);
            if (Projection is not null)
                Gemm.Multiply(unprojected, context.ParameterMatrix(3), h, context.Compute);
            run.Enter(hidden, t, run.InitialHidden, Size);
            if (context.Training)
                run.Enter(buffers.Cells, t, run.InitialCell, Units);
        }

        run.Leave(hidden, Size);
        run.Last(hidden, context.Output(1), Size);
        if (context.Training)
            run.Last(buffers.Cells, context.Output(2), Units);
        else
            buffers.Cell.CopyTo(context.Output(2)); // A row that has ended keeps its cell.
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var run = new Recurrence<T>(in context, IsReverse);
        var compute = context.Compute;
        var buffers = new Buffers<T>(context.Cache, context.Scratch, run.Rows, run.Steps, Units, Size);
        if (!run.HasState || Projection is not null)
            buffers.Zeros.Clear();

        // By the gates, from the last step to the first; rows join where their sequence ends.
        var gradients = buffers.Gradients;
        context.OutputGradient(1).CopyTo(buffers.Carry);
        context.OutputGradient(2).CopyTo(buffers.Cell);
        Matrix<T> carry = new(buffers.Carry, run.Rows, Size), cell = new(buffers.Cell, run.Rows, Units);
        var transposed = SequenceRows.Transpose(context.ParameterMatrix(1), context.BatchScratch);
        var projection = Projection is null ? default : SequenceRows.Transpose(context.ParameterMatrix(3), context.BatchScratch[(4 * Units * Size)..]);
        for (var count = run.Steps - 1; count >= 0; count--)
        {
            var t = run.Position(count);
            var d = run.Step(gradients, t, 4 * Units);
            if (Projection is not null)
                Unproject(in context, in run, in buffers, t, carry, projection);
            var outputs = Projection is null ? run.Step(context.OutputGradient(0), t, Units) : new(buffers.Step, run.Rows, Units);
            var step = new LstmBackwardStep<T>(run.Step(buffers.Gates, t, 4 * Units), Before(in run, in buffers, count), run.Step(buffers.TanhCells, t, Units),
                outputs, Projection is null ? carry : new(buffers.Zeros, run.Rows, Units), cell, d, run.At(t));
            RegisterWidth.ForRows<T, LstmBackwardStep<T>>(step, run.Rows, Units, LstmBackwardStep<T>.Cost, compute);
            if (count == 0 && !(run.IsReverse && run.HasState))
                continue;
            if (run.Lengths.IsEmpty)
                Gemm.Multiply(d, transposed, carry, compute);
            else
                Gemm.MultiplyAdd(d, transposed, carry, compute);
        }

        // The rest is one product for each gradient, over all steps.
        ReadOnlyMatrix<T> whole = run.All(gradients, 4 * Units), before = run.All(buffers.Shifted, Size);
        run.Shift(context.Output(0), buffers.Shifted, Size);
        run.WriteInputGradients(in context, whole);
        context.ParameterGradient(1).Product(before.Transposed, whole);
        if (Projection is not null)
            context.ParameterGradient(3).Product(run.All(buffers.Unprojected, Units).AsReadOnly().Transposed, run.All(buffers.Projected, Size));
        if (!run.HasState)
            return;
        if (run.IsReverse)
            context.InputGradient(run.FirstState).Copy(buffers.Carry); // Rows have begun at different steps.
        else
            context.InputGradient(run.FirstState).Product(run.Step(gradients, 0, 4 * Units), transposed);
        context.InputGradient(run.FirstState + 1).Copy(buffers.Cell);
    }

    /// <summary>Writes the gradient by h = m R of a step, which is kept for that by R, and what it gives to m.</summary>
    private void Unproject<T>(
        in BackwardContext<T> context, in Recurrence<T> run, in Buffers<T> buffers, int step, Matrix<T> carry, ReadOnlyMatrix<T> projection)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Matrix<T> dh = run.Step(buffers.Projected, step, Size), dm = new(buffers.Step, run.Rows, Units);
        var outputs = run.Step(context.OutputGradient(0), step, Size);
        RnnSteps.Backward(default(FirstOperator<T>), outputs, outputs, carry, dh, run.At(step), context.Compute);
        Gemm.Multiply(dh, projection, dm, context.Compute);
    }

    /// <summary>c after a step; in inference one matrix for all steps.</summary>
    private Matrix<T> CellsOf<T>(in Recurrence<T> run, in Buffers<T> buffers, int step) where T : unmanaged, IFloatingPointIeee754<T> =>
        buffers.Cells.IsEmpty ? new(buffers.Cell, run.Rows, Units) : run.Step(buffers.Cells, step, Units);

    /// <summary>c before the position that is read after some others.</summary>
    private ReadOnlyMatrix<T> Before<T>(in Recurrence<T> run, in Buffers<T> buffers, int count) where T : unmanaged, IFloatingPointIeee754<T> =>
        count > 0 ? CellsOf(in run, in buffers, run.Position(count - 1)).AsReadOnly() : new(run.HasState ? run.InitialCell : buffers.Zeros, run.Rows, Units);

    /// <summary>The cache and scratch of some rows. In inference the gates and the cells of one step lie in scratch.</summary>
    private readonly ref struct Buffers<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Buffers(Span<T> cache, Span<T> scratch, int rows, int steps, int units, int size)
        {
            int states = rows * units, all = steps * states, hidden = rows * size;
            if (!cache.IsEmpty)
            {
                Gates = cache[..(4 * all)];
                Cells = cache.Slice(4 * all, all);
                TanhCells = cache.Slice(5 * all, all);
                Unprojected = cache[(6 * all)..];
            }
            else
            {
                Gates = scratch[..(4 * all)];
            }

            Gradients = scratch[..(4 * all)];
            Shifted = scratch.Slice(4 * all, steps * hidden);
            scratch = scratch[(4 * all + steps * hidden)..];
            Zeros = scratch[..states];
            Carry = scratch.Slice(states, hidden);
            Cell = scratch.Slice(states + hidden, states);
            scratch = scratch[(2 * states + hidden)..];
            if (scratch.Length < states)
                return;
            Step = scratch[..states];
            Projected = scratch[states..];
        }

        /// <summary>i, f, g, o after their functions, [rows, T, 4H].</summary>
        public Span<T> Gates { get; }

        /// <summary>[rows, T, H]; empty in inference, like <see cref="TanhCells"/>.</summary>
        public Span<T> Cells { get; }

        public Span<T> TanhCells { get; }

        /// <summary>The gradients of the sums before the functions, [rows, T, 4H].</summary>
        public Span<T> Gradients { get; }

        /// <summary>h before its projection, [rows, T, H]; empty without a projection and in inference.</summary>
        public Span<T> Unprojected { get; }

        /// <summary>Of one step, [rows, H], with a projection: h before it in inference, its gradient in backward.</summary>
        public Span<T> Step { get; }

        /// <summary>With a projection, the gradient by h of each step, [rows, T, P].</summary>
        public Span<T> Projected { get; }

        /// <summary>h before each step, [rows, T, H].</summary>
        public Span<T> Shifted { get; }

        public Span<T> Zeros { get; }

        /// <summary>The gradient of the h of a step, [rows, H]. <see cref="Cell"/> is the gradient of c, or in inference c itself.</summary>
        public Span<T> Carry { get; }

        public Span<T> Cell { get; }
    }

    /// <summary>Sets the bias of the forget gate to one value and the rest to zero, without random numbers.</summary>
    private sealed class BiasInitializer(double forget) : Initializer
    {
        public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
        {
            var units = values.Length / 4;
            values.Clear();
            values.Slice(units, units).Fill(T.CreateTruncating(forget));
        }
    }
}
