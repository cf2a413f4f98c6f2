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
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="units"/> is out of range, or <paramref name="forgetBias"/> is not
    /// finite.</exception>
    public Lstm(int units, double forgetBias = 1, Initializer? initializer = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(units, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(units, int.MaxValue / 4);
        if (!double.IsFinite(forgetBias))
            throw new ArgumentOutOfRangeException(nameof(forgetBias), forgetBias, "The bias of the forget gate must be finite.");
        (Units, ForgetBias, Initializer) = (units, forgetBias, initializer);
    }

    /// <summary>The number of units, H.</summary>
    public int Units { get; }

    /// <summary>The initial bias of the forget gate.</summary>
    public double ForgetBias { get; }

    /// <summary>How both weights start; Xavier uniform if null.</summary>
    public Initializer? Initializer { get; }

    /// <inheritdoc/>
    public override string Kind => "lstm";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var shape = SequenceInputs.CheckRecurrence(declaration, states: 2, Units);
        int steps = shape[0], gates = 4 * Units;
        declaration.AddParameter("inputWeight", new Shape(shape[1], gates), shape[1], Units, Initializer ?? Initialize.Xavier);
        declaration.AddParameter("hiddenWeight", new Shape(Units, gates), Units, Units, Initializer ?? Initialize.Xavier);
        declaration.AddParameter("bias", new Shape(gates), shape[1], Units, new BiasInitializer(ForgetBias));
        declaration.UseOperations(2.0 * steps * (shape[1] + Units) * gates);
        declaration.AddOutput(new Shape(steps, Units));
        declaration.AddOutput(new Shape(Units));
        declaration.AddOutput(new Shape(Units));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.UseCache(6L * steps * Units);
        declaration.UseScratch((5L * steps + 3) * Units, (long)Units * gates);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var buffers = new Buffers<T>(context.Cache, context.Scratch, context.Rows, context.InputType(0).Shape, Units);
        var hasLengths = context.InputCount > 1 && context.InputType(1).Kind == EdgeKind.Indices;
        var lengths = hasLengths ? context.Indices(1) : [];
        SequenceInputs.CheckLengths(Kind, lengths, 1, buffers.Steps);
        var first = hasLengths ? 2 : 1;
        var hasState = context.InputCount > first;
        if (!hasState)
            buffers.Zeros.Clear();

        var hidden = context.Output(0);
        Gemm.MultiplyAddRow(buffers.Sequence(context.Input(0)), context.ParameterMatrix(0), context.Parameter(2), buffers.All(buffers.Gates, 4),
            context.Compute);
        for (var t = 0; t < buffers.Steps; t++)
        {
            var gates = buffers.Step(buffers.Gates, t, 4);
            if (t > 0 || hasState)
            {
                var previous = t > 0 ? buffers.Step(hidden, t - 1, 1) : buffers.State(context.Input(first));
                Gemm.MultiplyAdd(previous, context.ParameterMatrix(1), gates, context.Compute);
            }

            var cells = t > 0 ? buffers.CellsOf(t - 1) : buffers.State(hasState ? context.Input(first + 1) : buffers.Zeros);
            var step = new LstmForwardStep<T>(gates, cells, buffers.CellsOf(t),
                buffers.TanhCells.IsEmpty ? default : buffers.Step(buffers.TanhCells, t, 1), buffers.Step(hidden, t, 1), new(lengths, t));
            RegisterWidth.ForRows<T, LstmForwardStep<T>>(step, context.Rows, Units, LstmForwardStep<T>.Cost, context.Compute);
        }

        SequenceRows.Last(hidden, lengths, context.Output(1), context.Rows, Units);
        if (context.Training)
            SequenceRows.Last(buffers.Cells, lengths, context.Output(2), context.Rows, Units);
        else
            buffers.Cell.CopyTo(context.Output(2)); // A row that has ended keeps its cell.
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var compute = context.Compute;
        var buffers = new Buffers<T>(context.Cache, context.Scratch, context.Rows, context.InputType(0).Shape, Units);
        var hasLengths = context.InputCount > 1 && context.InputType(1).Kind == EdgeKind.Indices;
        var lengths = hasLengths ? context.Indices(1) : [];
        var first = hasLengths ? 2 : 1;
        var hasState = context.InputCount > first;
        if (!hasState)
            buffers.Zeros.Clear();

        // By the gates, from the last step to the first; rows join where their sequence ends.
        var gradients = buffers.Gradients;
        context.OutputGradient(1).CopyTo(buffers.Carry);
        context.OutputGradient(2).CopyTo(buffers.Cell);
        var carry = new Matrix<T>(buffers.Carry, context.Rows, Units);
        var transposed = SequenceRows.Transpose(context.ParameterMatrix(1), context.BatchScratch);
        for (var t = buffers.Steps - 1; t >= 0; t--)
        {
            var cells = t > 0 ? buffers.CellsOf(t - 1) : buffers.State(hasState ? context.Input(first + 1) : buffers.Zeros);
            var step = new LstmBackwardStep<T>(buffers.Step(buffers.Gates, t, 4), cells, buffers.Step(buffers.TanhCells, t, 1),
                buffers.Step(context.OutputGradient(0), t, 1), carry, new(buffers.Cell, context.Rows, Units), buffers.Step(gradients, t, 4), new(lengths, t));
            RegisterWidth.ForRows<T, LstmBackwardStep<T>>(step, context.Rows, Units, LstmBackwardStep<T>.Cost, compute);
            if (t == 0)
                continue;
            if (hasLengths)
                Gemm.MultiplyAdd(buffers.Step(gradients, t, 4), transposed, carry, compute);
            else
                Gemm.Multiply(buffers.Step(gradients, t, 4), transposed, carry, compute);
        }

        // The rest is one product for each gradient, over all steps.
        var d = buffers.All(gradients, 4);
        var x = buffers.Sequence(context.Input(0));
        SequenceRows.Shift(context.Output(0), hasState ? context.Input(first) : [], buffers.Shifted, context.Rows, Units);
        context.InputGradient(0).Reshape(x.Rows, x.Columns).Product(d, context.ParameterMatrix(0).Transposed);
        context.ParameterGradient(0).Product(x.Transposed, d);
        context.ParameterGradient(1).Product(buffers.All(buffers.Shifted, 1).AsReadOnly().Transposed, d);
        context.ParameterGradient(2).ColumnSums(d);
        if (!hasState)
            return;
        context.InputGradient(first).Product(buffers.Step(gradients, 0, 4), transposed);
        context.InputGradient(first + 1).Copy(buffers.Cell);
    }

    /// <summary>The cache and scratch of some rows. In inference the gates and the cells of one step lie in scratch.</summary>
    private readonly ref struct Buffers<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly int _rows, _inputs, _units;

        public Buffers(Span<T> cache, Span<T> scratch, int rows, Shape sequence, int units)
        {
            (_rows, _units, Steps, _inputs) = (rows, units, sequence[0], sequence[1]);
            int states = rows * units, all = Steps * states;
            if (!cache.IsEmpty)
            {
                Gates = cache[..(4 * all)];
                Cells = cache.Slice(4 * all, all);
                TanhCells = cache.Slice(5 * all, all);
            }
            else
            {
                Gates = scratch[..(4 * all)];
            }

            Gradients = scratch[..(4 * all)];
            Shifted = scratch.Slice(4 * all, all);
            Zeros = scratch.Slice(5 * all, states);
            Carry = scratch.Slice(5 * all + states, states);
            Cell = scratch.Slice(5 * all + 2 * states, states);
        }

        public int Steps { get; }

        /// <summary>i, f, g, o after their functions, [rows, T, 4H].</summary>
        public Span<T> Gates { get; }

        /// <summary>[rows, T, H]; empty in inference, like <see cref="TanhCells"/>.</summary>
        public Span<T> Cells { get; }

        public Span<T> TanhCells { get; }

        /// <summary>The gradients of the sums before the functions, [rows, T, 4H].</summary>
        public Span<T> Gradients { get; }

        /// <summary>h before each step, [rows, T, H].</summary>
        public Span<T> Shifted { get; }

        public Span<T> Zeros { get; }

        /// <summary>The gradient of the h of a step, [rows, H]. <see cref="Cell"/> is the gradient of c, or in inference c itself.</summary>
        public Span<T> Carry { get; }

        public Span<T> Cell { get; }

        public Matrix<T> CellsOf(int step) => Cells.IsEmpty ? new(Cell, _rows, _units) : Step(Cells, step, 1);

        public ReadOnlyMatrix<T> State(ReadOnlySpan<T> values) => new(values, _rows, _units);

        public ReadOnlyMatrix<T> Sequence(ReadOnlySpan<T> values) => new(values, _rows * Steps, _inputs);

        public Matrix<T> All(Span<T> values, int width) => new(values, _rows * Steps, width * _units);

        public Matrix<T> Step(Span<T> values, int step, int width) => SequenceRows.Step(values, step, _rows, Steps, width * _units);

        public ReadOnlyMatrix<T> Step(ReadOnlySpan<T> values, int step, int width) => SequenceRows.Step(values, step, _rows, Steps, width * _units);
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
